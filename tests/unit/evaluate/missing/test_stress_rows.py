"""Rows are whole or taken out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cytomol.errors import InputError
from cytomol.evaluate.missing.stress_rows import COLUMNS, StressJob, StressRows

FIRST = StressJob("chmr", "zero", "pretraining", "random", "all", 0.5, 0)
SECOND = FIRST._replace(rate=0.9)


def _row(score: float) -> dict[str, Any]:
    return {**dict.fromkeys(COLUMNS, ""), "score": score, "model": "abc", "low": None}


def test_a_job_that_was_cut_is_taken_out(tmp_path: Path) -> None:
    rows = StressRows(tmp_path / "missing.csv")
    rows.append_job(FIRST, [_row(0.1), _row(0.2)])
    rows.append_job(SECOND, [_row(0.3), _row(0.4)])
    text = rows.path.read_text()
    for cut in (text[:-7], "\n".join(text.splitlines()[:-1]) + "\n"):
        rows.path.write_text(cut)
        again = StressRows(rows.path)
        assert again.read() == 1
        assert again.jobs() == {FIRST}
        assert rows.path.read_text() == "\n".join(text.splitlines()[:3]) + "\n"
    rows.path.write_text(text)
    whole = StressRows(rows.path)
    assert whole.read() == 0
    assert whole.jobs() == {FIRST, SECOND}
    assert whole.frame()["score"].tolist() == [0.1, 0.2, 0.3, 0.4]
    assert whole.frame()["rate"].tolist() == [0.5, 0.5, 0.9, 0.9]
    assert len(whole.first_job(model="abc", place="pretraining")) == 2
    assert whole.first_job(model="other") == []


def test_another_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "missing.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="no table of a stress test"):
        StressRows(tmp_path / "missing.csv").read()
    assert StressRows(tmp_path / "absent.csv").read() == 0


def test_a_job_reads_as_a_sentence() -> None:
    assert str(FIRST) == "chmr, filled by zero: 50% of all at random hidden in pretraining, seed 0"
    assert "90% of morphology by plate hidden in use" in str(
        SECOND._replace(place="use", pattern="plate", hidden="morphology")
    )
