"""The rows of benchmarks/results/memory.csv: one for each epoch of each run."""

from __future__ import annotations

import csv
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path

__all__ = ["RESULTS", "RUN", "Run", "add", "done", "forget"]

RESULTS = Path(__file__).resolve().parents[1] / "results" / "memory.csv"
_MEASURED = ("epoch", "resident_mb", "peak_mb", "molecules_per_second", "cpu_seconds")


@dataclass(frozen=True)
class Run:
    """One pretraining.

    Attributes
    ----------
    version
        "now", or the name of the code that it is compared with.
    method, precision
        What learns, and in which arithmetic.
    cells
        "all" modalities, or "none".
    molecules, batch_size, threads
        Sizes.
    """

    version: str
    method: str
    precision: str
    cells: str
    molecules: int
    batch_size: int
    threads: int


RUN = tuple(field.name for field in fields(Run))
_COLUMNS = (*RUN, *_MEASURED)


def _read(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _key(row: dict[str, str]) -> tuple[str, ...]:
    return tuple(row[name] for name in RUN)


def done(path: Path, run: Run) -> int:
    """Return how many epochs of a run are in the table."""
    key = tuple(map(str, astuple(run)))
    return sum(_key(row) == key for row in _read(path))


def forget(path: Path, run: Run) -> None:
    """Take the rows of a run that was cut out of the table."""
    key = tuple(map(str, astuple(run)))
    rows = [row for row in _read(path) if _key(row) != key]
    partial = path.with_suffix(".partial")
    with partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    partial.replace(path)


def add(path: Path, run: Run, **measured: float) -> None:
    """Append the row of an epoch, at once: a run takes long, and may be cut."""
    with path.open("a", newline="") as file:
        row = {name: f"{value:g}" if name == "epoch" else f"{value:.1f}" for name, value in measured.items()}
        csv.DictWriter(file, _COLUMNS, lineterminator="\n").writerow(asdict(run) | row)
