"""All molecules are equally hard: every interval of a task has the same width."""

from __future__ import annotations

from typing import Self

import numpy as np

from cytomol.predict.uncertainty.difficulty.base import Clues, Difficulty, Vector, difficulties

__all__ = ["Constant"]


@difficulties.register("constant")
class Constant(Difficulty):
    """Scale 1."""

    name = "constant"

    def __init__(self) -> None:
        self.values = np.zeros(0)

    @classmethod
    def fit(cls, errors: Vector, clues: Clues) -> Self:
        """Learn nothing."""
        del errors, clues
        return cls()

    def scale(self, clues: Clues) -> Vector:
        """Return ones, shape (n,)."""
        return np.ones(len(clues.spread))

    @classmethod
    def restore(cls, values: Vector) -> Self:
        """Rebuild from ``values``."""
        del values
        return cls()
