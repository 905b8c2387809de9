"""Write which share of the lines of each room the suite runs: ``make coverage``.

Reads the report of the package ``coverage``. Functions that numba compiles are left out: no line of theirs
can be seen.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from pathlib import Path

from cytomol.files import atomic_file

__all__ = ["COLUMNS", "RESULTS", "main", "rows"]

RESULTS = Path(__file__).parent / "results" / "lines.csv"
COLUMNS = ("room", "lines", "run", "percent")
_ALL = "all"


def rows(report: Path) -> list[tuple[str, int, int, float]]:
    """Return rooms, their lines, those that ran, and the share of these; the last row is of all rooms."""
    lines: Counter[str] = Counter()
    run: Counter[str] = Counter()
    for name, file in json.loads(report.read_text(encoding="utf-8"))["files"].items():
        parts = Path(name).parts
        inside = parts[len(parts) - parts[::-1].index("cytomol") :]
        for room in (inside[0].removesuffix(".py"), _ALL):
            lines[room] += file["summary"]["num_statements"]
            run[room] += file["summary"]["covered_lines"]
    rooms = [*sorted(room for room in lines if room != _ALL and lines[room]), _ALL]
    return [(room, lines[room], run[room], round(100 * run[room] / lines[room], 1)) for room in rooms]


def main(report: str, out: Path = RESULTS) -> None:
    """Write the table."""
    table = rows(Path(report))
    with atomic_file(out, force=True) as part, part.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerows([COLUMNS, *table])
    room, lines, run, percent = table[-1]
    print(f"{room}: {run:,} of {lines:,} lines, {percent}%")


if __name__ == "__main__":
    main(sys.argv[1])
