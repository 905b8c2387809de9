"""What every estimate of difficulty is: clues about a molecule in, the scale of its error out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.registry import Registry

__all__ = ["Clues", "Difficulty", "Vector", "difficulties"]

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Clues:
    """What is known of molecules before their values are measured.

    Attributes
    ----------
    spread
        Standard deviation of the members' answers, in the unit of the task, shape (n,); NaN if unknown.
    similarity
        Tanimoto coefficient with the nearest training molecule, shape (n,); NaN if unknown.
    """

    spread: Vector
    similarity: Vector

    def of(self, rows: NDArray[np.bool_]) -> Clues:
        """Return the clues about some of the molecules."""
        return Clues(self.spread[rows], self.similarity[rows])


class Difficulty(ABC):
    """The scale of a molecule's error, learnt from the errors of held-out molecules.

    Attributes
    ----------
    name
        Under which it is registered.
    values
        What it learnt, float64, shape (numbers,); :meth:`restore` takes it back.
    """

    name: ClassVar[str]
    values: Vector

    @classmethod
    @abstractmethod
    def fit(cls, errors: Vector, clues: Clues) -> Self | None:
        """Learn from absolute errors, shape (n,); None where the clues do not allow it."""

    @abstractmethod
    def scale(self, clues: Clues) -> Vector:
        """Return a positive scale for each molecule, shape (n,)."""

    @classmethod
    @abstractmethod
    def restore(cls, values: Vector) -> Self:
        """Rebuild from ``values``."""


difficulties: Registry[type[Difficulty]] = Registry("difficulty")
"""Estimates of difficulty by name."""
