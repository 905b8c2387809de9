"""Rows are taken by their place, whatever the index of a data frame says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol import finetune
from cytomol.assays.labels import Labels, read_labels
from cytomol.errors import InputError
from cytomol.predict.assay_table import AssayTable

SMILES = [f"{'C' * size}{end}" for size in range(1, 13) for end in ("O", "N", "Cl")]
FORMS = {
    "list": list,
    "tuple": tuple,
    "array": lambda column: column.to_numpy(),
    "objects": lambda column: column.to_numpy(dtype=object),
    "index": pd.Index,
    "series": lambda column: column,
}


def table() -> pd.DataFrame:
    frame = pd.DataFrame({"smiles": SMILES, "y": np.arange(len(SMILES)) + 0.5})
    frame["fold"] = (["train"] * 6 + ["valid", "test", ""]) * 4
    frame["date"] = pd.date_range("2020-01-01", periods=len(frame))
    frame["id"] = [f"M{row}" for row in range(len(frame))]
    return frame


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.integers(0, len(SMILES) - 1), min_size=1, max_size=40),
    forms=st.fixed_dictionaries({name: st.sampled_from(sorted(FORMS)) for name in table().columns}),
    text=st.booleans(),
)
def test_a_table_of_any_index_is_that_of_its_lists(
    rows: list[int], forms: dict[str, str], text: bool
) -> None:
    frame = table().iloc[rows]
    if text:
        frame["date"] = frame["date"].dt.strftime("%Y-%m-%d")
    labels = Labels.of_kind(["y"], frame[["y"]].to_numpy(), "regression")
    given = {name: FORMS[forms[name]](frame[name]) for name in ("smiles", "fold", "date", "id")}
    found = AssayTable.of_columns(
        given["smiles"], labels, folds=given["fold"], dates=given["date"], ids=given["id"]
    )
    assert list(found.smiles) == frame["smiles"].tolist()
    assert found.folds is not None
    assert found.folds.tolist() == frame["fold"].tolist()
    assert found.dates is not None
    expected = pd.to_datetime(frame["date"]).to_numpy()
    np.testing.assert_array_equal(found.dates.astype("datetime64[s]"), expected.astype("datetime64[s]"))
    assert found.names == frame["id"].tolist()
    taken = found.take(np.arange(len(rows)) % 2 == 0)
    assert list(taken.smiles) == frame["smiles"].tolist()[::2]


def test_a_shuffled_frame_is_learnt_as_its_lists_are() -> None:
    frame = table().sample(frac=1, random_state=0)
    answers = []
    for smiles in (frame["smiles"], frame["smiles"].tolist()):
        fitted = finetune(
            smiles,
            read_labels(frame, ["y"]),
            learner="neighbours",
            calibration_folds=0,
            folds=frame["fold"],
            cache=None,
        )
        answers.append(fitted.predictor.predict(SMILES[:4], evidence=True).frame())
        assert answers[-1]["y_nearest"].tolist() == [0.5, 1.5, 2.5, 3.5]
    pd.testing.assert_frame_equal(*answers)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ({"smiles": "CCO"}, "one text"),
        ({"smiles": table()}, "one column of SMILES"),
        ({"smiles": [1, 2]}, "int 1 where a SMILES belongs"),
        ({"folds": ["train", "holdout"]}, "row 2, column 'folds': fold 'holdout' is unknown"),
        ({"folds": table()}, "one column of folds"),
        ({"dates": ["2020-01-01", "soon"]}, "'soon' is not a date"),
        ({"ids": ["a"]}, "2 molecules with 1 ids"),
    ],
)
def test_what_is_no_column_is_refused(what: dict[str, Any], message: str) -> None:
    labels = Labels.of_kind(["y"], np.array([[1.0], [2.0]]), "regression")
    columns = {"smiles": ["C", "CC"], **what}
    with pytest.raises(InputError, match=message):
        AssayTable.of_columns(columns.pop("smiles"), labels, **columns)
