"""The raw rows: appended whole, repaired after a crash, nothing lost that was whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cytomol.errors import InputError
from cytomol.evaluate.rows import COLUMNS, Job, RowFile, read_rows


def rows_of(job: Job, tasks: tuple[str, ...] = ("a", 'b, "c"')) -> list[dict[str, Any]]:
    common = {**vars(job), "metric": "roc_auc", "score": 0.5, "n": 3, "positives": 1, "version": "0"}
    cost = {"seconds_fit": 1.0, "seconds_predict": 1.0, "seconds_features": None, "peak_mb": 10.0}
    return [
        {**common, **cost, "commit": "", "fold": fold, "task": task}
        for fold in ("valid", "test")
        for task in tasks
    ]


ONE, TWO = Job("bace", "forest", 0), Job("bace", "forest", 1, "wide")


@pytest.fixture
def file(tmp_path: Path) -> RowFile:
    rows = RowFile(tmp_path / "rows.csv")
    for job in (ONE, TWO):
        assert rows.append(job, rows_of(job))
    return rows


def test_rows_come_back(file: RowFile) -> None:
    frame = read_rows(file.path)
    assert tuple(frame.columns) == COLUMNS
    assert frame["task"].tolist() == ["a", 'b, "c"'] * 4
    assert frame["variant"].tolist() == [""] * 4 + ["wide"] * 4
    assert frame["seconds_features"].isna().all()
    assert file.jobs() == {ONE: 4, TWO: 4}


def test_a_job_is_not_written_twice(file: RowFile) -> None:
    before = file.path.read_bytes()
    assert not file.append(ONE, rows_of(ONE))
    assert file.path.read_bytes() == before


@pytest.mark.parametrize("cut", [1, 5, 40, 130])
def test_a_torn_end_is_repaired(file: RowFile, cut: int) -> None:
    data = file.path.read_bytes()
    file.path.write_bytes(data[:-cut])
    said = file.repair({ONE: 4, TWO: 4})
    assert len(said) == 2
    assert "bace forest (wide) seed 1" in said[1]
    assert file.jobs() == {ONE: 4}
    assert file.append(TWO, rows_of(TWO))
    assert file.path.read_bytes() == data


def test_half_a_job_at_a_line_end_is_repaired(file: RowFile) -> None:
    lines = file.path.read_text().splitlines(keepends=True)
    file.path.write_text("".join(lines[:-1]))
    assert file.repair({ONE: 4, TWO: 4}) == [f"{TWO}: only a part of its rows was written; it runs again"]
    assert file.jobs() == {ONE: 4}


def test_rows_of_others_are_left_alone(file: RowFile) -> None:
    before = file.path.read_bytes()
    assert file.repair({Job("hiv", "forest", 0): 2}) == []
    assert file.path.read_bytes() == before


def test_torn_header(tmp_path: Path) -> None:
    rows = RowFile(tmp_path / "rows.csv")
    rows.path.write_text("set,mod")
    assert rows.repair({}) == ["the last row was cut off by a crash and is taken out"]
    assert rows.append(ONE, rows_of(ONE))
    assert rows.jobs() == {ONE: 4}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no table of rows"),
        ("a,b\n1,2\n", "has no column 'set'"),
        (
            ",".join(COLUMNS) + "\n" + "s,m,0,test,t,mae,high" + "," * 9 + "\n",
            "row 1, column 'score': 'high'",
        ),
        (",".join(COLUMNS) + "\n" + "s,m,,test,t,mae,1" + "," * 9 + "\n", "row 1, column 'seed'"),
    ],
)
def test_files_that_are_no_rows(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "rows.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_rows(tmp_path / "rows.csv")


def test_absent_rows(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run cytomol benchmark first"):
        read_rows(tmp_path / "rows.csv")


def test_numbers_are_read_to_the_last_bit(tmp_path: Path) -> None:
    """Two scores that are equal as written are equal as read, so that ranks keep their ties."""
    written = [float(x) for x in np.random.default_rng(0).random(2000)]
    rows = RowFile(tmp_path / "rows.csv")
    assert rows.append(ONE, [{**row, "score": x} for x in written for row in rows_of(ONE)[:1]])
    assert read_rows(rows.path)["score"].tolist() == written
