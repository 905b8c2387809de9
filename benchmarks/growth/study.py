"""Run points one after the other: inputs first, each point in its own process, rows as they come."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.growth.fit import slope
from benchmarks.growth.points import Point, Row, append, read

__all__ = ["Study", "estimate"]

_EXACT_UP_TO = 200_000  # cytomol.chem.similarity.EXACT_UP_TO, which loads too much for this process
_STEEPEST = 2.2


@dataclass
class Study:
    """A study that can be cut anywhere.

    Attributes
    ----------
    work
        Folder of the inputs.
    output
        Table.
    machine
        For the table.
    threads
        Threads of each process.
    most
        Seconds beyond which a point is left out, by what smaller ones took; None runs all.
    again
        Also run points that are in the table.
    """

    work: Path
    output: Path
    machine: str
    threads: int = 2
    most: float | None = None
    again: bool = False
    _failed: set[tuple[str, str, int]] = field(default_factory=set)
    _done: set[tuple[str, str, int]] = field(default_factory=set)

    def run(self, points: Sequence[Point]) -> None:
        """Run every point that is not in the table."""
        known = set() if self.again else {row.key for row in read(self.output)}
        for point in points:
            if point.key not in known | self._done:
                self._measure(point)

    def _measure(self, point: Point) -> bool:
        """Run a point and what it needs; return whether it ran."""
        if point.key in self._failed or not self._affordable(point) or not self._inputs(point):
            self._failed.add(point.key)
            return False
        from benchmarks.speed.process import python

        where = [str(self.work), point.step, point.axis, str(point.value), str(point.base)]
        try:
            ran = python(["-m", "benchmarks.growth.worker", *where], threads=self.threads, memory=False)
        except RuntimeError as error:
            _say(f"{point.step} {point.axis} {point.value:,} failed: {error}")
            self._failed.add(point.key)
            return False
        found = json.loads([line for line in ran.output.splitlines() if line.startswith("{")][-1])
        row = Row(
            *point.key, found["seconds"], round(found["peak_mb"]), round(found["base_mb"]), found["note"],
            self.machine,
        )  # fmt: skip
        append(self.output, row)
        for name, seconds, peak, note in found["within"]:  # steps that it took on its way
            inner = replace(row, step=name, seconds=seconds, peak_mb=round(peak), note=note)
            append(self.output, inner)
            self._done.add(inner.key)
        self._done.add(point.key)
        print(json.dumps({key: value for key, value in vars(row).items() if key != "machine"}), flush=True)
        return True

    def _inputs(self, point: Point) -> bool:
        """Have the steps run that make what the point needs and is not there."""
        from benchmarks.growth.material import place
        from benchmarks.growth.steps import STEPS

        step = STEPS[point.step]
        for product in step.needs + (() if point.axis == "molecules" else step.beyond):
            path, made_by = place(self.work, product, point)
            if not path.exists() and not self._measure(made_by):
                _say(f"{point.step} {point.axis} {point.value:,} is left out: no {product}")
                return False
        return True

    def _affordable(self, point: Point) -> bool:
        if self.most is None:
            return True
        expected = estimate(read(self.output), point)
        if expected is None or expected <= self.most:
            return True
        _say(f"{point.step} {point.axis} {point.value:,} is left out: about {expected:,.0f} s expected")
        return False


def estimate(rows: Sequence[Row], point: Point) -> float | None:
    """Return the seconds expected of a point from smaller ones of its step; None without any.

    Two smaller points are continued by their slope, between linear and a little above quadratic; one is
    continued linearly. Where a search goes over to an index, the points with an index tell.
    """
    name = point.step
    if point.axis == "molecules" and point.value > _EXACT_UP_TO:
        indexed = f"{name}_index"
        name = indexed if any(row.step == indexed for row in rows) else name
    smaller = sorted(
        (row for row in rows if row.step == name and row.axis == point.axis and row.value < point.value),
        key=lambda row: row.value,
    )[-2:]
    if not smaller:
        return None
    exponent = 1.0
    if len(smaller) == 2:
        found = slope([row.value for row in smaller], [max(row.seconds, 1e-6) for row in smaller])
        exponent = min(max(found, 1.0), _STEEPEST)
    return smaller[-1].seconds * (point.value / smaller[-1].value) ** exponent


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
