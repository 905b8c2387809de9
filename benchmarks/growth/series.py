"""Rows become series: the same step on the same axis, done the same way at every point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.growth.fit import Fit, fit
from benchmarks.growth.points import Row
from benchmarks.growth.steps import STEPS

__all__ = ["FIXED_BELOW", "LEAST_MB", "LEAST_SECONDS", "WITHIN", "Series", "series_of"]

FIXED_BELOW = 1_000
"""Molecules up to which fixed costs dominate: such points are measured and not fitted."""

LEAST_SECONDS = 0.001
LEAST_MB = 10.0
"""Less than this above the loaded libraries is the noise of the memory's pages."""


WITHIN = "within pretrain"
"""Ends the note of a step that a pretraining took on its way."""


@dataclass(frozen=True)
class Series:
    """The points of one curve.

    Attributes
    ----------
    step
        Name of the step.
    way
        How it was done ("exact", "index", ...); empty where there is one way.
    axis
        What varies.
    rows
        Points, by rising value.
    """

    step: str
    way: str
    axis: str
    rows: tuple[Row, ...]

    @property
    def label(self) -> str:
        """Name for tables and legends."""
        return f"{self.step}, {self.way}" if self.way else self.step

    @property
    def values(self) -> list[int]:
        """Places on the axis."""
        return [row.value for row in self.rows]

    @property
    def seconds(self) -> list[float]:
        """Time of each point."""
        return [row.seconds for row in self.rows]

    @property
    def memory(self) -> list[float]:
        """Memory of each point beyond the loaded libraries, in 10^6 bytes."""
        return [row.peak_mb - row.base_mb for row in self.rows]

    def time_fit(self) -> Fit | None:
        """Return the exponent of the time."""
        return fit(self.values, self.seconds, above=self._above, least=LEAST_SECONDS)

    def memory_fit(self) -> Fit | None:
        """Return the exponent of the memory."""
        return fit(self.values, self.memory, above=self._above, least=LEAST_MB)

    @property
    def _above(self) -> float:
        return FIXED_BELOW if self.axis == "molecules" else 0


def series_of(rows: Sequence[Row], axis: str) -> list[Series]:
    """Return the series on an axis, in the order of the steps.

    A search that goes over to an index is two series: what was asked of the index at smaller sizes
    belongs with what went over by itself. Steps that a pretraining took on its way are in no series: other
    work ran beside.
    """
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.axis == axis and not row.note.endswith(WITHIN):
            found.setdefault((row.step.removesuffix("_index"), _way(row)), []).append(row)
    order = {name: place for place, name in enumerate(STEPS)}
    return [
        Series(step, way, axis, tuple(sorted(members, key=lambda row: row.value)))
        for (step, way), members in sorted(found.items(), key=lambda item: (order[item[0][0]], item[0][1]))
    ]


def _way(row: Row) -> str:
    """Return in which way a step was done, where there are two."""
    if row.axis != "molecules" or row.step.removesuffix("_index") not in {"planted", "context", "neighbours"}:
        return ""
    return row.note.partition(":")[0].partition(",")[0]
