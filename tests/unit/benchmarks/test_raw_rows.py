"""Raw rows at rest and at work: the same rows, whichever file holds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from benchmarks.raw_rows import COVERAGE, ROWS, growing, pack, read_coverage, read_rows, unpack

from cytomol.errors import InputError
from cytomol.evaluate.coverage import COVERAGE_COLUMNS
from cytomol.evaluate.coverage import read_coverage as read_coverage_csv
from cytomol.evaluate.results import Results
from cytomol.evaluate.rows import Job
from cytomol.evaluate.rows import read_rows as read_rows_csv

ONE, TWO = Job("sider", "forest", 0), Job("sider", "mlp", 1, "cell")


def add(folder: Path, job: Job, score: float = 0.1 + 0.2) -> None:
    """Append a job with an awkward name of a task, a missing score and a missing count."""
    cost = {"seconds_fit": 1.5, "seconds_predict": 0.0, "seconds_features": 1e-7, "peak_mb": 1 / 3}
    row: dict[str, Any] = {
        **vars(job),
        **cost,
        "fold": "test",
        "metric": "roc_auc",
        "version": "0",
        "commit": "",
    }
    rows = [
        {**row, "task": 'a "b", c', "score": score, "n": 50, "positives": 9},
        {**row, "task": "none", "score": None, "n": 0, "positives": None},
    ]
    stated = {
        **dict.fromkeys(COVERAGE_COLUMNS),
        **vars(job),
        "kind": "classification",
        "coverage": 0.9,
        "n": 3,
    }
    Results(folder).append(job, rows, [{**stated, "version": "0", "commit": ""}])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    add(tmp_path, ONE)
    return tmp_path


def test_rows_come_back_to_the_byte(folder: Path) -> None:
    add(folder, TWO)
    before = {name: (folder / name).read_bytes() for name in ("rows.csv", "coverage.csv")}
    scores, stated = read_rows_csv(folder / "rows.csv"), read_coverage_csv(folder / "coverage.csv")
    pack(folder)
    assert not list(folder.glob("*.csv"))
    pd.testing.assert_frame_equal(read_rows(folder), scores, check_exact=True)
    pd.testing.assert_frame_equal(read_coverage(folder), stated, check_exact=True, check_dtype=False)
    unpack(folder)
    assert before == {name: (folder / name).read_bytes() for name in before}


def test_equal_rows_give_equal_files(folder: Path) -> None:
    pack(folder)
    first = (folder / "rows.parquet").read_bytes()
    unpack(folder)
    pack(folder)
    assert (folder / "rows.parquet").read_bytes() == first


def test_rows_that_grow_stay_in_their_order(folder: Path) -> None:
    pack(folder)
    with growing(folder):
        add(folder, TWO)
    assert not (folder / "rows.csv").exists()
    assert read_rows(folder)["model"].tolist() == ["forest"] * 2 + ["mlp"] * 2


def test_rows_are_packed_when_a_campaign_fails(folder: Path) -> None:
    with pytest.raises(KeyboardInterrupt), growing(folder):
        add(folder, TWO)
        raise KeyboardInterrupt
    assert len(read_rows(folder)) == 4
    assert not (folder / "rows.csv").exists()


def test_after_a_crash_both_files_are_read(folder: Path) -> None:
    """Rows appended since stand in place of those at rest; a row that was cut off counts for nothing."""
    pack(folder)
    add(folder, ONE, score=0.7)
    add(folder, TWO)
    with (folder / "rows.csv").open("a") as handle:
        handle.write("sider,forest,9,te")
    rows = read_rows(folder)
    assert rows[["model", "seed"]].drop_duplicates().to_numpy().tolist() == [["forest", 0], ["mlp", 1]]
    assert rows["score"].dropna().tolist() == [0.7, 0.1 + 0.2]
    with growing(folder):
        pass
    pd.testing.assert_frame_equal(read_rows(folder), rows)


def test_a_header_cut_off_is_no_row(folder: Path) -> None:
    pack(folder)
    (folder / "rows.csv").write_text("set,mod")
    assert len(read_rows(folder)) == 2


def test_what_is_no_table_of_rows_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run the campaign first"):
        read_rows(tmp_path)
    assert not ROWS.is_in(tmp_path)
    assert not COVERAGE.is_in(tmp_path)
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="has no column 'set'"):
        read_rows(tmp_path)
    (tmp_path / "rows.csv").unlink()
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "rows.parquet")
    with pytest.raises(InputError, match="is no table of rows"):
        read_rows(tmp_path)


def test_a_cell_that_is_no_number_is_named(folder: Path) -> None:
    path = folder / "rows.csv"
    path.write_text(path.read_text().replace(",50,", ",many,"))
    with pytest.raises(InputError, match=r"row 1, column 'n'"):
        read_rows(folder)
