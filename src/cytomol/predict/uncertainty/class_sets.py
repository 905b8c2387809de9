"""Sets of classes that hold the measured class with a stated coverage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.predict.uncertainty.conformal import ROUNDING, Matrix, Vector
from cytomol.predict.uncertainty.ragged import flatten, unflatten

__all__ = ["PredictionSets", "classes_not_ruled_out"]


@dataclass(frozen=True)
class PredictionSets:
    """Sets of classes, task by task, with the coverage in either class (Mondrian: class-conditional).

    The score of a class is 1 minus its predicted probability, compared with the scores of held-out
    molecules of that class alone (Vovk et al. 2005, section 4.5), so that a rare class is covered as often
    as the common one. The p-value of a class is (1 + scores not below) / (n + 1), the set holds the classes
    with a p-value above 1 - coverage: one class is an answer, both "cannot tell", none "like neither".

    Attributes
    ----------
    scores
        Rising scores of class 0 and class 1 of the first task, then of the second, and so on.
    """

    scores: Sequence[Vector]

    @classmethod
    def fit(cls, predicted: Matrix, labels: Matrix) -> Self:
        """Score held-out rows: probabilities of class 1 and labels 0, 1 or NaN, shape (n, tasks)."""
        scores: list[Vector] = []
        for task in range(labels.shape[1]):
            known = ~np.isnan(predicted[:, task])
            for value in (0, 1):
                rows = known & (labels[:, task] == value)
                scores.append(np.sort(_hinge(predicted[rows, task], value)))
        return cls(scores)

    def p_values(self, predicted: Matrix) -> NDArray[np.float64]:
        """Return the p-values of class 0 and class 1, shape (n, tasks, 2); NaN without a prediction."""
        result = np.full((*predicted.shape, 2), np.nan)
        for task in range(predicted.shape[1]):
            rows = ~np.isnan(predicted[:, task])
            for value in (0, 1):
                place = 2 * task + value
                scores = _hinge(predicted[rows, task], value)
                step = np.searchsorted(self.scores[place], scores, side="left")
                result[rows, task, value] = self._steps[place][step]
        return result

    @staticmethod
    def contains(p_values: NDArray[np.float64], coverage: float) -> NDArray[np.bool_]:
        """Return which classes are in the set, bool, shape (n, tasks, 2); none without a prediction."""
        inside: NDArray[np.bool_] = p_values > (1 - coverage) + ROUNDING
        return inside

    @cached_property
    def _steps(self) -> list[Vector]:
        """The p-value from each held-out score down to the one before, and beyond the last.

        It is the share of scores that are at least as large, the molecule's own among them.
        """
        return [
            (len(s) - np.searchsorted(s, np.append(s, np.inf), side="left") + 1) / (len(s) + 1)
            for s in self.scores
        ]

    @property
    def rows(self) -> NDArray[np.int64]:
        """Held-out rows of the rarer class of each task, shape (tasks,)."""
        counts = np.array([len(scores) for scores in self.scores], dtype=np.int64)
        rarer: NDArray[np.int64] = counts.reshape(-1, 2).min(axis=1)
        return rarer

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what :meth:`restore` needs."""
        return flatten("set", self.scores)

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from :meth:`arrays`."""
        return cls(unflatten("set", arrays))


def classes_not_ruled_out(p_values: NDArray[np.float64], calibrated: Matrix) -> NDArray[np.float64]:
    """Return the larger of a class's p-value and its calibrated probability, shape (n, tasks, 2).

    A class is ruled out only if it is rare both ways: such a score among held-out molecules of the class
    (the p-value), and the class among held-out molecules with such a score (the probability). The first
    stays right where new molecules have another share of either class, the second where they are harder,
    with more scores in the middle. A new chemical series is often both, and either rule alone then covers
    less than it states: a p-value of class 1 says "one in ten" because nine tenths of the held-out class
    lie in an easy series, although most molecules with this very score are of class 1.

    Parameters
    ----------
    p_values
        Class-conditional, shape (n, tasks, 2).
    calibrated
        Calibrated probabilities of class 1, shape (n, tasks).
    """
    return np.maximum(p_values, np.stack([1 - calibrated, calibrated], axis=-1))


def _hinge(probability: Vector, value: int) -> Vector:
    return 1 - probability if value == 1 else probability
