"""A molecule is the harder the more members disagree and the less it is like the training molecules."""

from __future__ import annotations

from typing import Self

import numpy as np

from cytomol.predict.uncertainty.difficulty.base import Clues, Difficulty, Vector, difficulties
from cytomol.predict.uncertainty.difficulty.disagreement import Spread
from cytomol.predict.uncertainty.difficulty.rising import expected_error, fit_rising

__all__ = ["SpreadDistance"]


@difficulties.register("spread-distance")
class SpreadDistance(Difficulty):
    """Scale ``exp(b0 + b1 log(spread + floor) + b2 (1 - similarity))``, b1 and b2 >= 0.

    The floor is that of :class:`Spread`.
    """

    name = "spread-distance"

    def __init__(self, floor: float, values: Vector) -> None:
        self.values = np.concatenate([[floor], values])

    @classmethod
    def fit(cls, errors: Vector, clues: Clues) -> Self | None:
        """Fit how fast errors grow with both; None where one is unknown or never varies."""
        spread = Spread.fit(errors, clues)
        if spread is None:
            return None
        floor = float(spread.values[0])
        values = fit_rising(errors, _clues(floor, clues))
        return None if values is None else cls(floor, values)

    def scale(self, clues: Clues) -> Vector:
        """Return the expected error, shape (n,)."""
        return expected_error(self.values[1:], _clues(float(self.values[0]), clues))

    @classmethod
    def restore(cls, values: Vector) -> Self:
        """Rebuild from ``values``."""
        return cls(float(values[0]), values[1:])


def _clues(floor: float, clues: Clues) -> Vector:
    return np.column_stack([np.log(clues.spread + floor), 1 - clues.similarity])
