"""A molecule is as hard as the members of the ensemble disagree about it."""

from __future__ import annotations

from typing import Self

import numpy as np

from cytomol.predict.uncertainty.difficulty.base import Clues, Difficulty, Vector, difficulties

__all__ = ["Spread"]


@difficulties.register("spread")
class Spread(Difficulty):
    """Scale ``spread + floor``; the floor, the median spread, keeps every scale away from 0.

    References
    ----------
    Papadopoulos et al., JAIR 2011, 40, 815.
    """

    name = "spread"

    def __init__(self, floor: float) -> None:
        self.values = np.array([floor])

    @classmethod
    def fit(cls, errors: Vector, clues: Clues) -> Self | None:
        """Take the median spread; None without spreads above 0."""
        del errors
        floor = float(np.median(clues.spread)) if np.isfinite(clues.spread).all() else 0.0
        return cls(floor) if floor > 0 else None

    def scale(self, clues: Clues) -> Vector:
        """Return ``spread + floor``, shape (n,)."""
        return np.asarray(clues.spread + self.values[0], dtype=np.float64)

    @classmethod
    def restore(cls, values: Vector) -> Self:
        """Rebuild from ``values``."""
        return cls(float(values[0]))
