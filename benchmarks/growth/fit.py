"""Exponents: the slope of log cost against log size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["LARGEST", "Fit", "fit", "slope"]

LARGEST = 3
"""Points that an exponent is fitted on, the largest."""

SLACK = 0.05
"""What an exponent may exceed that of n log n by before it is called faster: the noise of the clock."""


def slope(values: Sequence[float], costs: Sequence[float]) -> float:
    """Return the least-squares slope of log cost against log value."""
    return float(np.polyfit(np.log(values), np.log(costs), 1)[0])


@dataclass(frozen=True)
class Fit:
    """An exponent and where it comes from.

    Attributes
    ----------
    exponent
        Slope over the fitted points.
    last
        Slope between the two largest.
    n_log_n
        Slope of n log n over the same points.
    values
        The fitted values.
    """

    exponent: float
    last: float
    n_log_n: float
    values: tuple[int, ...]

    @property
    def faster(self) -> bool:
        """Whether the cost grows faster than n log n, over all fitted points or at their end."""
        return max(self.exponent, self.last) > self.n_log_n + SLACK


def fit(values: Sequence[int], costs: Sequence[float], *, above: float = 0, least: float = 0) -> Fit | None:
    """Fit the largest three points; None with fewer than two.

    Parameters
    ----------
    values, costs
        Points, in any order.
    above
        Points at this value or below are left out: a fixed cost dominates them.
    least
        As are points that cost less than this.
    """
    points = sorted((v, c) for v, c in zip(values, costs, strict=True) if v > above and c > max(least, 0))
    points = points[-LARGEST:]
    if len(points) < 2:
        return None
    x, y = zip(*points, strict=True)
    ideal = slope(x, [v * math.log(max(v, 2)) for v in x])
    return Fit(slope(x, y), slope(x[-2:], y[-2:]), ideal, x)
