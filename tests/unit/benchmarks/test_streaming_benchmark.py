"""Long inputs: the committed rows keep what is promised, the guide's table is that of the rows."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from benchmarks.streaming.__main__ import RESULTS, keep
from benchmarks.streaming.page import PAGE, page
from benchmarks.streaming.planted import planted, write_assay

from cytomol.chem.parse import parse_smiles


def test_the_guide_has_the_table_of_the_rows() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text, pd.read_csv(RESULTS)), "run python -m benchmarks.streaming.page"


def test_the_committed_rows_keep_what_is_promised() -> None:
    table = pd.read_csv(RESULTS)
    assert table["identical"].all()
    assert (table["repeated_chunks"] == 0).all()
    assert (table["finished_at_kill"] < table["chunks"]).all()
    assert (table["finished_at_kill"] >= 1).all()
    million = table[table["rows"] >= 1_000_000]
    assert "predict" in set(million["verb"])
    assert (million["peak_mb_tree"] < 1500).all()
    assert (million["workers"] == 1).all()


def test_memory_is_flat_against_rows() -> None:
    table = pd.read_csv(RESULTS)
    of_predict = table[(table["verb"] == "predict") & (table["chunk_rows"] == 16384)].set_index("rows")
    assert of_predict["peak_mb_tree"][1_000_000] < 1.3 * of_predict["peak_mb_tree"][100_000]


def test_planted_molecules_are_valid_and_differ(tmp_path: Path) -> None:
    some = [planted(row) for row in range(0, 13**6, 9999)]
    assert len(set(some)) == len(some)
    assert all(parse_smiles(text).mol is not None for text in some)
    write_assay(tmp_path / "assay.csv", 50)
    assert pd.read_csv(tmp_path / "assay.csv")["value"].nunique() > 5


def test_a_row_replaces_that_of_the_same_run(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    for seconds, rows in ((9, 20), (3, 10), (5, 20)):
        keep(path, {"verb": "predict", "rows": rows, "workers": 1, "seconds": seconds})
    assert pd.read_csv(path)[["rows", "seconds"]].to_numpy().tolist() == [[10, 3], [20, 5]]
