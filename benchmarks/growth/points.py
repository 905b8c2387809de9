"""The points of the study, and the table that they are written to."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

__all__ = ["AXES", "BASE", "Point", "Row", "append", "plan", "read"]

BASE = 10_000
"""Molecules on the axes other than molecules."""

AXES: dict[str, tuple[int, ...]] = {
    "modalities": (1, 2, 4, 8),
    "width": (64, 256, 1024, 4096),
    "walk_length": (1, 4, 16, 64),
}
"""Values on the axes other than molecules."""


@dataclass(frozen=True)
class Point:
    """What one process measures.

    Attributes
    ----------
    step
        Name of the step.
    axis
        What varies: "molecules", "modalities", "width" or "walk_length".
    value
        Where on the axis.
    base
        Molecules, on the other axes.
    """

    step: str
    axis: str
    value: int
    base: int = BASE

    @property
    def molecules(self) -> int:
        """Molecules of the corpus."""
        return self.value if self.axis == "molecules" else self.base

    @property
    def key(self) -> tuple[str, str, int]:
        """What a row of the table is found by."""
        return self.step, self.axis, self.value


@dataclass(frozen=True)
class Row:
    """A measured point.

    Attributes
    ----------
    step, axis, value
        The point.
    seconds
        Of the step alone: inputs were loaded before, libraries too.
    peak_mb
        Most memory that the process held during the step, with libraries and inputs, in 10^6 bytes.
    base_mb
        Memory with the libraries loaded and nothing else.
    note
        What was searched how, how much came out.
    machine
        Processor, versions, threads.
    """

    step: str
    axis: str
    value: int
    seconds: float
    peak_mb: float
    base_mb: float
    note: str
    machine: str

    @property
    def key(self) -> tuple[str, str, int]:
        """What the row is found by."""
        return self.step, self.axis, self.value


def read(path: Path) -> list[Row]:
    """Return the rows of a table; none if there is no file. Of rows with one key the last counts."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        rows = [
            Row(
                line["step"],
                line["axis"],
                int(line["value"]),
                float(line["seconds"]),
                float(line["peak_mb"]),
                float(line["base_mb"]),
                line["note"],
                line["machine"],
            )
            for line in csv.DictReader(file)
        ]
    return list({row.key: row for row in rows}.values())


def append(path: Path, row: Row) -> None:
    """Write a row at the end of the table, which is made if it does not exist."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)], lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow({**asdict(row), "seconds": f"{row.seconds:.4g}"})


def plan(sizes: Sequence[int], only: Iterable[str] | None = None, base: int = BASE) -> list[Point]:
    """Return the points in the order in which they run: small corpora first."""
    from benchmarks.growth.steps import STEPS

    chosen = list(STEPS) if only is None else [name for name in STEPS if name in set(only)]
    points = [
        Point(name, "molecules", size, base)
        for size in sorted(sizes)
        for name in chosen
        if "molecules" in STEPS[name].axes and size <= STEPS[name].limit
    ]
    return points + [
        Point(name, axis, value, base)
        for axis, values in AXES.items()
        for value in values
        for name in chosen
        if axis in STEPS[name].axes
    ]
