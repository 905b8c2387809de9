"""The similarity threshold: bisection over exact counts of pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Threshold", "bisect_threshold", "similarity_grid"]

_STEPS = 12  # halvings: 4,096 steps, finer than the 0.001 at which the published code stops


@dataclass(frozen=True)
class Threshold:
    """The similarity threshold that bisection found.

    Attributes
    ----------
    value
        Pairs with at least this similarity stay.
    kept
        Number of pairs that stay.
    candidates
        Number of pairs compared.
    """

    value: float
    kept: int
    candidates: int

    def report(self) -> dict[str, Any]:
        """Return the numbers for the report of the graph."""
        return {"threshold": round(self.value, 6), "pairs": self.kept, "compared": self.candidates}


def similarity_grid(minimum: float, maximum: float) -> NDArray[np.float32]:
    """Return every point at which bisection between two similarities can stop, float32, shape (4097,)."""
    return np.linspace(minimum, maximum, 2**_STEPS + 1).astype(np.float32)


def bisect_threshold(
    grid: NDArray[np.float32], histogram: NDArray[np.int64], candidates: int, drop_fraction: float
) -> Threshold:
    """Find the lowest similarity on the grid above which at most 1 - drop_fraction of the pairs lie.

    Parameters
    ----------
    grid
        Possible thresholds, rising, shape (points,).
    histogram
        Pairs with grid[b] <= similarity < grid[b + 1], the last bin open above, shape (points,).
    candidates
        Number of pairs compared, those below the grid included.
    drop_fraction
        Share of the pairs to drop.

    Returns
    -------
    Threshold
        The first point if even there enough pairs are dropped, the last if nowhere.
    """
    at_least = np.cumsum(histogram[::-1])[::-1]
    # The nudge keeps 0.005 of 1000 pairs at 5 although 1 - 0.995 lies just below 0.005.
    allowed = int(np.floor((1.0 - drop_fraction) * candidates * (1 + 1e-12)))
    low, high = 0, len(grid) - 1
    while low < high:
        middle = (low + high) // 2
        if at_least[middle] <= allowed:
            high = middle
        else:
            low = middle + 1
    return Threshold(float(grid[low]), int(at_least[low]), candidates)
