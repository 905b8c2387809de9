"""No row is lost, and no cell changes its row: tables of one column, and frames of any index."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cytomol.tables import read_table, write_table


def _delimited(cells: list[str]) -> bytes:
    return "\n".join(["smiles", *cells, ""]).encode()


def _parquet(cells: list[str]) -> bytes:
    out = io.BytesIO()
    pd.DataFrame({"smiles": cells}, dtype=str).to_parquet(out)
    return out.getvalue()


def _workbook(cells: list[str]) -> bytes:
    book = openpyxl.Workbook()
    for cell in ("smiles", *cells):
        book.active.append([cell])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


WRITERS = {"csv": _delimited, "tsv": _delimited, "parquet": _parquet, "xlsx": _workbook}


@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize("kind", WRITERS)
@given(st.lists(st.sampled_from(["", " ", "CC", "CCO"]), min_size=1, max_size=6))
@example(["CC", "", "CCO"])
@example(["CC", " ", "CCO"])
@settings(max_examples=25, deadline=None)
def test_a_table_of_one_column_has_a_row_for_each_cell(kind: str, text: bool, cells: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.{kind}"
        path.write_bytes(WRITERS[kind](cells))
        found = read_table(path, text=text)["smiles"].fillna("").astype(str).str.strip().tolist()
    # a row of a workbook in which nothing stands is no record
    wanted = [cell for cell in cells if cell] if kind == "xlsx" else cells
    assert found == [cell.strip() for cell in wanted]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet", "npz"])
@given(st.lists(st.integers(-3, 9), min_size=1, max_size=6))
@example([2, 0, 1])
@example([7, 7])
@settings(max_examples=20, deadline=None)
def test_matrices_stand_beside_the_rows_of_a_frame_of_any_index(suffix: str, index: list[int]) -> None:
    rows = len(index)
    frame = pd.DataFrame({"smiles": [f"C{'C' * i}" for i in range(rows)]}, index=index)
    matrix = np.arange(2.0 * rows).reshape(rows, 2)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.{suffix}"
        write_table(frame, path, arrays={"e": matrix})
        found = _read(path)
    assert found["smiles"] == frame["smiles"].tolist()
    np.testing.assert_array_equal(found["e"], matrix)


def _read(path: Path) -> dict[str, Any]:
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            return {"smiles": arrays["smiles"].tolist(), "e": arrays["e"]}
    table = read_table(path)
    assert table.columns.tolist() == ["smiles", "e_0", "e_1"]
    return {"smiles": table["smiles"].tolist(), "e": table[["e_0", "e_1"]].to_numpy()}
