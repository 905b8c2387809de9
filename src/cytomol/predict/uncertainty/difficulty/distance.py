"""A molecule is the harder the less it is like the training molecules."""

from __future__ import annotations

from typing import Self

from cytomol.predict.uncertainty.difficulty.base import Clues, Difficulty, Vector, difficulties
from cytomol.predict.uncertainty.difficulty.rising import expected_error, fit_rising

__all__ = ["Distance"]


@difficulties.register("distance")
class Distance(Difficulty):
    """Scale ``exp(b0 + b1 (1 - similarity))``, b1 >= 0.

    References
    ----------
    Sheridan et al., J. Chem. Inf. Comput. Sci. 2004, 44, 1912.
    """

    name = "distance"

    def __init__(self, values: Vector) -> None:
        self.values = values

    @classmethod
    def fit(cls, errors: Vector, clues: Clues) -> Self | None:
        """Fit how fast errors grow with distance; None without similarities, or all alike."""
        values = fit_rising(errors, 1 - clues.similarity[:, None])
        return None if values is None else cls(values)

    def scale(self, clues: Clues) -> Vector:
        """Return the expected error, shape (n,)."""
        return expected_error(self.values, 1 - clues.similarity[:, None])

    @classmethod
    def restore(cls, values: Vector) -> Self:
        """Rebuild from ``values``."""
        return cls(values)
