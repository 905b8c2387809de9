from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cytomol.assays.labels import Labels, check_training_labels, read_labels
from cytomol.errors import InputError


def frame(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame({"smiles": ["C", "CC", "CCC"], **columns})


def test_without_targets_every_numeric_column_is_a_task() -> None:
    labels = read_labels(
        frame(name=["a", "b", "c"], t=["1", "0", ""], u=["0.0", "NA", "1"], v=["", "", ""]),
        None,
        ignore=["smiles"],
    )
    assert labels.names == ("t", "u")
    assert labels.kind == "classification"
    assert labels.metric == "roc_auc"
    np.testing.assert_array_equal(labels.matrix, [[1, 0], [0, np.nan], [np.nan, 1]])
    assert "name (text)" in labels.left_out
    assert "v (empty)" in labels.left_out


def test_numbers_booleans_and_nulls_of_parquet() -> None:
    labels = read_labels(
        frame(t=pd.array([True, None, False], dtype="boolean"), u=pd.array([1, 0, None], dtype="Int64")),
        ["u", "t"],
    )
    np.testing.assert_array_equal(labels.matrix, [[1, 1], [0, np.nan], [np.nan, 0]])


@pytest.mark.parametrize(
    ("cells", "kind"),
    [(["1", "0", "1"], "classification"), (["1", "0", "2"], "regression"), (["0.5", "", "1"], "regression")],
)
def test_kind_is_detected(cells: list[object], kind: str) -> None:
    assert read_labels(frame(t=cells), ["t"]).kind == kind


def test_kind_can_be_overridden() -> None:
    assert read_labels(frame(t=["1", "0", "1"]), ["t"], task_type="regression").kind == "regression"
    with pytest.raises(InputError, match=r"row 3, column 't'.*label 2 is neither 0 nor 1"):
        read_labels(frame(t=["1", "0", "2"]), ["t"], task_type="classification")


def test_mixed_kinds_are_refused() -> None:
    with pytest.raises(InputError, match="'t' holds only 0 and 1, column 'u' other numbers"):
        read_labels(frame(t=["1", "0", "1"], u=["1", "0.5", "3"]), None, ignore=["smiles"])


@pytest.mark.parametrize("bad", [">10", "1,5", "inf", "12 uM"])
@pytest.mark.parametrize("targets", [None, ["t"]])
def test_a_cell_that_is_no_number_is_named(bad: str, targets: list[str] | None) -> None:
    with pytest.raises(InputError, match=r"assays.csv, row 2, column 't'.*is not a finite number") as caught:
        read_labels(frame(t=["1", bad, "3"]), targets, ignore=["smiles"], where="assays.csv")
    assert bad in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "targets", "message"),
    [
        ({"t": ["", "", ""]}, ["t"], "column 't': no label is measured"),
        ({"t": ["a", "b", "c"]}, None, r"no numeric column.*left out: t \(text"),
        ({"logP": ["1", "2", "3"]}, ["logp"], "no column 'logp'.*did you mean 'logP'"),
        ({"t": ["1", "2", "3"]}, ["t", "t"], "named twice"),
        ({"error": ["1", "2", "3"]}, ["error"], "cannot be called 'error'"),
        ({"SMILES": ["1", "2", "3"]}, ["SMILES"], "cannot be called 'SMILES'"),
        ({"fold": ["1", "2", "3"]}, ["fold"], "it is the SMILES or fold column"),
    ],
)
def test_wrong_tables_are_refused(
    columns: dict[str, list[object]], targets: list[str] | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read_labels(frame(**columns), targets, ignore=["smiles", "fold"])


def labels(values: list[list[float]], kind: str = "classification") -> Labels:
    return Labels.of_kind(("a", "b")[: len(values[0])], np.array(values, dtype=float), kind, "t.csv")


def test_training_needs_both_classes_somewhere() -> None:
    nan = np.nan
    with pytest.raises(InputError, match="column 'a': every training label is 1"):
        check_training_labels(labels([[1], [1], [0]]), np.array([True, True, False]))
    with pytest.raises(InputError, match="no training molecule has a label"):
        check_training_labels(labels([[nan], [nan], [0]]), np.array([True, True, False]))
    with pytest.raises(InputError, match="nothing to tell apart"):
        check_training_labels(labels([[nan, 0], [nan, 0]]), np.array([True, True]))


def test_single_tasks_without_use_are_said() -> None:
    nan = np.nan
    everything = np.array([True, True])
    assert check_training_labels(labels([[1, 1], [0, 1]]), everything) == ["one class only in training: b"]
    assert check_training_labels(labels([[1, nan], [0, nan]]), everything) == [
        "no training label, so no prediction: b"
    ]
    assert check_training_labels(labels([[1, 1], [0, 0]]), everything) == []
    assert check_training_labels(labels([[1.5, 1], [0, 1]], "regression"), everything) == []


@pytest.mark.parametrize("cells", [["4,59", "5,1", ""], ["-0,5", "1,0e3", "7"], ["1,234", "x", "2,5"]])
def test_decimal_commas_are_named(cells: list[object]) -> None:
    with pytest.raises(InputError, match=r"row 1, column 'y': holds numbers with a comma, such as"):
        read_labels(frame(y=cells, t=["0.5", "1.5", "2"]), None, ignore=["smiles"])


def test_text_with_a_comma_is_text() -> None:
    labels = read_labels(frame(y=["a,b", "1,2", "c"], t=["0.5", "1.5", "2"]), None, ignore=["smiles"])
    assert labels.names == ("t",)
