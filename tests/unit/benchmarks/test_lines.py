"""Lines that the suite runs, room by room."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from benchmarks.lines import COLUMNS, RESULTS, main


def test_rooms_are_summed_and_all_of_them_last(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counts = {
        "src/cytomol/errors.py": (10, 9),
        "/x/cytomol/src/cytomol/chem/parse.py": (20, 20),
        "src/cytomol/chem/geometry/pool.py": (20, 10),
        "src/cytomol/empty/__init__.py": (0, 0),
    }
    files = {
        name: {"summary": {"num_statements": lines, "covered_lines": run}}
        for name, (lines, run) in counts.items()
    }
    report = tmp_path / "coverage.json"
    report.write_text(json.dumps({"files": files}))
    main(str(report), tmp_path / "lines.csv")
    with (tmp_path / "lines.csv").open(newline="") as handle:
        table = list(csv.reader(handle))
    assert table == [
        list(COLUMNS),
        ["chem", "40", "30", "75.0"],
        ["errors", "10", "9", "90.0"],
        ["all", "50", "39", "78.0"],
    ]
    assert capsys.readouterr().out == "all: 39 of 50 lines, 78.0%\n"


def test_the_page_says_what_the_rows_say() -> None:
    with RESULTS.open(newline="") as handle:
        table = list(csv.DictReader(handle))
    *rooms, whole = table
    text = " ".join((Path(__file__).parents[3] / "docs" / "safety.md").read_text(encoding="utf-8").split())
    least = int(min(float(room["percent"]) for room in rooms))
    said = f"{int(whole['run']):,} of {int(whole['lines']):,} lines ({whole['percent']}%)"
    assert f"The suite runs {said}, in no room fewer than {least}%" in text
    assert sum(int(room["lines"]) for room in rooms) == int(whole["lines"])
