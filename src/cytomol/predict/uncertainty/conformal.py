"""Conformal answers: intervals and sets that hold the measured value with a stated coverage.

Split conformal prediction (Papadopoulos et al., ECML 2002, 345; Vovk et al., Algorithmic Learning in a
Random World, 2005): the score of a new molecule is compared with the scores of n held-out molecules. If it
is exchangeable with them, the answer holds its value with a probability of at least the coverage, whatever
the model. The arithmetic of quantiles and p-values is that of the library crepes (Boström, PMLR 230, 2024).

What it does not promise: coverage for one molecule or one chemical series (it is an average over
molecules), nor for molecules unlike the held-out ones, as after a scaffold split or in another library;
nor exactly where the held-out rows also chose the model. Scores of other tasks are never borrowed: tasks
are not exchangeable, so a task with too few rows gets the whole line or both classes.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.errors import ConfigError
from cytomol.predict.uncertainty.ragged import flatten, unflatten

__all__ = ["PredictionIntervals", "PredictionSets", "check_coverage", "rows_needed"]

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

_CHOICE_ROWS = 50  # below, widths are too uncertain to choose by them
_CHOICE_COVERAGE = 0.9
_CHOICE_GAIN = 0.95  # normalised intervals must be this much narrower: chance alone should not choose
_FOLDS = 5
# 1 - 0.9 is a little less than a tenth in binary, which would cost a whole rank at n = 9, 19, ...
_ROUNDING = 1e-9


def check_coverage(coverage: float) -> float:
    """Return a coverage between 0 and 1.

    Raises
    ------
    ConfigError
        If it is not.
    """
    if not 0 < coverage < 1:
        raise ConfigError(f"coverage {coverage:g} is not between 0 and 1", hint="0.9 is usual")
    return coverage


def rows_needed(coverage: float) -> int:
    """Return how many held-out rows a finite interval, or a set of one class, takes: n >= c / (1 - c)."""
    return int(np.ceil(coverage / (1 - coverage) - _ROUNDING))


@dataclass(frozen=True)
class PredictionIntervals:
    """Intervals around predicted values, task by task.

    The score of a row is ``|y - f| / s``. The scale ``s`` is 1, or where that gives narrower intervals
    ``spread + floor`` (normalised conformal prediction: Papadopoulos et al., JAIR 2011, 40, 815,
    with the ensemble's spread as the estimate of difficulty): an interval is then wide where the members
    of the ensemble disagree.

    Attributes
    ----------
    scores
        Scores of the held-out rows of each task, rising.
    floor
        What is added to the spread, in the unit of the task, shape (tasks,); NaN where the scale is 1.
    """

    scores: Sequence[Vector]
    floor: Vector

    @classmethod
    def fit(cls, predicted: Matrix, spread: Matrix, labels: Matrix, *, seed: int = 0) -> Self:
        """Score held-out rows.

        Parameters
        ----------
        predicted, spread
            Values and standard deviations of the ensemble, shape (n, tasks); the spread may be NaN.
        labels
            Measured values, NaN where not measured, shape (n, tasks).
        seed
            Seed of the folds by which the scale is chosen.
        """
        scores: list[Vector] = []
        floor = np.full(labels.shape[1], np.nan)
        for task in range(labels.shape[1]):
            rows = ~np.isnan(labels[:, task]) & ~np.isnan(predicted[:, task])
            residuals = np.abs(labels[rows, task] - predicted[rows, task])
            floor[task] = _choose_floor(residuals, spread[rows, task], seed)
            if not np.isnan(floor[task]):
                residuals = residuals / (spread[rows, task] + floor[task])
            scores.append(np.sort(residuals))
        return cls(scores, floor)

    def bounds(self, predicted: Matrix, spread: Matrix, coverage: float) -> tuple[Matrix, Matrix]:
        """Return the lower and the upper bound, shape (n, tasks).

        They are infinite in a task with fewer held-out rows than :func:`rows_needed`, and NaN where there
        is no prediction.
        """
        low, high = np.full(predicted.shape, np.nan), np.full(predicted.shape, np.nan)
        for task, scores in enumerate(self.scores):
            rows = ~np.isnan(predicted[:, task])
            scale = None if np.isnan(self.floor[task]) else spread[rows, task] + self.floor[task]
            low[rows, task], high[rows, task] = _interval(scores, predicted[rows, task], scale, coverage)
        return low, high

    @property
    def rows(self) -> NDArray[np.int64]:
        """Held-out rows of each task, shape (tasks,)."""
        return np.array([len(scores) for scores in self.scores], dtype=np.int64)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what :meth:`restore` needs."""
        return {**flatten("interval", self.scores), "interval.floor": self.floor}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Undo :meth:`arrays`."""
        return cls(unflatten("interval", arrays), np.asarray(arrays["interval.floor"], dtype=np.float64))


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
        inside: NDArray[np.bool_] = p_values > (1 - coverage) + _ROUNDING
        return inside

    @cached_property
    def _steps(self) -> list[Vector]:
        """The p-value from each held-out score down to the one before, and beyond the last.

        A p-value depends on the rank of a score alone, so that the library is asked once for every rank
        and not once for every molecule.
        """
        crepes = _library()
        return [
            np.asarray(
                crepes.ConformalClassifier().fit(s).predict_p(np.append(s, np.inf), smoothing=False),
                dtype=np.float64,
            )
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
        """Undo :meth:`arrays`."""
        return cls(unflatten("set", arrays))


def _hinge(probability: Vector, value: int) -> Vector:
    return 1 - probability if value == 1 else probability


def _interval(
    scores: Vector, predicted: Vector, scale: Vector | None, coverage: float
) -> tuple[Vector, Vector]:
    """Return the bounds around predictions from rising scores, by the library."""
    crepes = _library()
    ones = None if scale is None else np.ones(len(scores))
    regressor = crepes.ConformalRegressor().fit(scores, sigmas=ones)
    with warnings.catch_warnings():  # too few rows: `Uncertainty.notes` says it, task by task
        warnings.simplefilter("ignore", UserWarning)
        bounds = regressor.predict_int(predicted, sigmas=scale, confidence=coverage - _ROUNDING)
    return bounds[:, 0], bounds[:, 1]


def _choose_floor(residuals: Vector, spread: Vector, seed: int) -> float:
    """Return the floor of the normalised score, NaN if a constant width does as well.

    The floor is the median spread, so that no scale is near 0. The widths are those that four fifths of
    the rows give the other fifth at 90%. The choice looks at the scores that are then used, which costs
    coverage of the order of 1 / sqrt(n) at most and far less as a rule (Yang & Kuchibhotla, JASA 2025,
    120, 435); hence one alternative only, and one that must be clearly better.
    """
    if len(residuals) < _CHOICE_ROWS or not np.isfinite(spread).all():
        return float("nan")
    floor = float(np.median(spread))
    if floor <= 0:
        return float("nan")
    folds = np.random.default_rng(seed).permutation(len(residuals)) % _FOLDS
    scale = spread + floor
    plain, normalised = 0.0, 0.0
    for fold in range(_FOLDS):
        rest, out = folds != fold, folds == fold
        rank = int(np.ceil(_CHOICE_COVERAGE * (rest.sum() + 1))) - 1
        plain += np.sort(residuals[rest])[rank] * out.sum()
        normalised += np.sort(residuals[rest] / scale[rest])[rank] * scale[out].sum()
    return floor if normalised < _CHOICE_GAIN * plain else float("nan")


def _library() -> Any:
    with warnings.catch_warnings():  # its import would have every UserWarning of the process shown
        import crepes
    return crepes
