"""Answers to molecules, row by row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.encoding import Encoding
from cytomol.assays.labels import Task
from cytomol.predict.uncertainty import UncertaintyAnswer

__all__ = ["Predictions"]


@dataclass(frozen=True)
class Predictions:
    """Answers to molecules, row by row.

    Attributes
    ----------
    columns
        Probabilities and values, NaN for invalid molecules, float64, shape (n, columns): one column for a
        task of two classes (probability of the second) or of values, one for each of three classes and more.
    errors
        Why a molecule is invalid; "" where it is valid, length n.
    encoding
        Which columns belong to which task.
    uncertainty
        How certain they are, where it was asked for.
    """

    columns: NDArray[np.float64]
    errors: list[str]
    encoding: Encoding
    uncertainty: UncertaintyAnswer | None = None

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks, in order."""
        return self.encoding.tasks

    @property
    def values(self) -> NDArray[np.float64]:
        """Return one number a task: probability of the second class, value, or place of the likeliest class.

        Shape (n, tasks).
        """
        return self.encoding.task_values(self.columns)
