"""What stands out among the columns of a table of profiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytomol.corpus.schema import Modality
from cytomol.spread import quartile_spread

__all__ = ["HEAVY", "ColumnFacts", "column_facts"]

HEAVY = 20.0  # a value this many robust standard deviations from its column's median makes a heavy tail


@dataclass(frozen=True)
class ColumnFacts:
    """What stands out among the columns of one table of profiles.

    Attributes
    ----------
    missing
        Number of NaN.
    infinite
        Number of infinite values.
    low, middle, high
        Least, median and greatest finite value (NaN if there is none).
    empty, constant
        Columns without any value, and with one value only.
    duplicated
        Columns that equal an earlier column.
    heavy
        Columns with a value more than 20 robust standard deviations (interquartile range / 1.349) from
        their median.
    farthest
        Column and distance, in these units, of the most extreme value.
    """

    missing: int
    infinite: int
    low: float
    middle: float
    high: float
    empty: tuple[str, ...]
    constant: tuple[str, ...]
    duplicated: tuple[str, ...]
    heavy: tuple[str, ...]
    farthest: tuple[str, float]


def column_facts(modality: Modality) -> ColumnFacts:
    """Measure the columns of one modality, one at a time."""
    values, names = modality.values, modality.columns
    empty: list[str] = []
    constant: list[str] = []
    duplicated: list[str] = []
    heavy: list[str] = []
    farthest = ("", 0.0)
    seen: set[bytes] = set()
    for j, name in enumerate(names):
        column = values[:, j]
        finite = column[np.isfinite(column)].astype(np.float64)
        if len(finite) == 0:
            empty.append(name)
            continue
        if finite.min() == finite.max():
            constant.append(name)
            continue
        # + 0 turns -0 into 0, and every NaN is written alike, so that equal columns have equal bytes
        content = np.where(np.isnan(column), np.float32(np.nan), column + np.float32(0)).tobytes()
        if content in seen:
            duplicated.append(name)
        seen.add(content)
        distance = _farthest(finite)
        if distance > HEAVY:
            heavy.append(name)
        farthest = max(farthest, (name, distance), key=lambda item: item[1])
    everything = values[np.isfinite(values)]
    low, middle, high = np.nan, np.nan, np.nan
    if len(everything):
        low, middle, high = float(everything.min()), float(np.median(everything)), float(everything.max())
    return ColumnFacts(
        missing=int(np.isnan(values).sum()),
        infinite=int(np.isinf(values).sum()),
        low=low,
        middle=middle,
        high=high,
        empty=tuple(empty),
        constant=tuple(constant),
        duplicated=tuple(duplicated),
        heavy=tuple(heavy),
        farthest=farthest,
    )


def _farthest(column: NDArray[np.float64]) -> float:
    """Return the largest distance from the median in robust standard deviations (0 without a spread)."""
    median, spread = quartile_spread(column)
    return float(np.abs(column - median).max() / spread) if spread > 0 else 0.0
