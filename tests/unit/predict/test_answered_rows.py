"""Every answer and every reason stands beside its own row, however the rows are cut into chunks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cytomol.assays.encoding import Encoding
from cytomol.assays.labels import Task
from cytomol.chem.featurize import FeatureOptions
from cytomol.chem.store import MoleculeStore
from cytomol.errors import InputError
from cytomol.predict.answered_rows import embed_rows, predict_rows
from cytomol.predict.predictions import Predictions
from cytomol.tables.molecules import MoleculeTable

# "CCC..." is a molecule, "C1" is none, and "" one that the reader of the file could not read
CELLS = st.lists(st.sampled_from(["CC", "CCC", "CCCC", "C1", ""]), min_size=1, max_size=9)
CASES = (CELLS, st.integers(1, 4), st.sampled_from(["keep", "drop"]), st.sampled_from([None, (), ("id",)]))


class Length:
    """Answers the length of the text, and refuses what is no molecule."""

    encoding = Encoding((Task("length", "regression"),), np.zeros(1), np.ones(1))

    def predict(self, molecules: Sequence[str], **_: Any) -> Predictions:
        errors = ["" if text.startswith("CC") else f"cannot read {text!r}" for text in molecules]
        values = [[np.nan if error else len(text)] for text, error in zip(molecules, errors, strict=True)]
        columns = np.array(values, dtype=float).reshape(-1, 1)
        return Predictions(columns, errors, self.encoding, np.array([0.5]))


LENGTH: Any = Length()


class Backbone:
    """Embeds a molecule as its number of atoms."""

    feature_options = FeatureOptions(morgan_bits=0, maccs=False)

    def embed(self, store: MoleculeStore, **_: Any) -> tuple[np.ndarray, np.ndarray]:
        values = np.where(store.valid, store.atom_counts, np.nan)[:, None]
        return values.astype(np.float32), np.asarray(store.valid)


def table_of(cells: Sequence[str]) -> MoleculeTable:
    """Return a table whose empty rows could not be read, each for its own reason."""
    frame = pd.DataFrame({"note": ["x"] * len(cells), "smiles": cells, "id": np.arange(len(cells)) + 100})
    reasons = {row: f"record {row} is broken" for row, cell in enumerate(cells) if not cell}
    return MoleculeTable(frame, "smiles", "in.sdf", reasons)


def check(answer: Any, values: Sequence[float], cells: Sequence[str], on_error: str, keep: Any) -> None:
    rows = [row for row, cell in enumerate(cells) if cell.startswith("CC") or on_error == "keep"]
    found = answer.frame
    assert found["smiles"].tolist() == [cells[row] for row in rows]
    if keep != ():
        assert found["id"].tolist() == [row + 100 for row in rows]
    assert ("note" in found) == (keep is None)
    lengths = [float(len(cells[row])) if cells[row].startswith("CC") else np.nan for row in rows]
    np.testing.assert_array_equal(values, lengths)
    for row, error in zip(rows, found["error"], strict=True):
        valid = cells[row].startswith("CC")
        assert bool(error) != valid
        assert valid or cells[row] or error == f"record {row} is broken"
    assert (answer.errors.rows, answer.errors.invalid) == (
        len(cells),
        sum(not c.startswith("CC") for c in cells),
    )


@given(*CASES)
@example(["CC", "CCC", "", "CC", "", "CCCC"], 2, "keep", None)
@example(["C1", "CC", "", "CCC", "C1", "CCCC"], 4, "drop", ("id",))
@settings(max_examples=60, deadline=None)
def test_predictions(cells: list[str], chunk: int, on_error: Any, keep: Any) -> None:
    answer = predict_rows(LENGTH, table_of(cells), chunk=chunk, on_error=on_error, keep=keep)
    check(answer, answer.frame["length"].tolist(), cells, on_error, keep)


@given(*CASES)
@example(["CC", "CCC", "", "CC", "", "CCCC"], 2, "keep", None)
@example(["C1", "CC", "", "CCC", "C1", "CCCC"], 4, "drop", ("id",))
@settings(max_examples=40, deadline=None)
def test_embeddings(cells: list[str], chunk: int, on_error: Any, keep: Any) -> None:
    backbone: Any = Backbone()
    answer = embed_rows(backbone, table_of(cells), chunk=chunk, on_error=on_error, keep=keep, workers=1)
    check(answer, answer.arrays["embedding"][:, 0].tolist(), cells, on_error, keep)


@given(CELLS, st.integers(1, 4))
@example(["CC", "CCC", "CC", ""], 2)
@settings(max_examples=40, deadline=None)
def test_the_row_that_stops_it_is_named(cells: list[str], chunk: int) -> None:
    bad = [row for row, cell in enumerate(cells) if not cell.startswith("CC")]
    if not bad:
        predict_rows(LENGTH, table_of(cells), chunk=chunk, on_error="raise")
        return
    with pytest.raises(InputError, match=re.escape(f"in.sdf, row {bad[0] + 1}: ")) as caught:
        predict_rows(LENGTH, table_of(cells), chunk=chunk, on_error="raise")
    assert cells[bad[0]] or f"record {bad[0]} is broken" in str(caught.value)
