"""Intervals around predicted values that hold the measured value with a stated coverage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.counted import agreeing
from cytomol.errors import ModelDirectoryError
from cytomol.predict.uncertainty.conformal import ROUNDING, Matrix, Vector
from cytomol.predict.uncertainty.difficulty import (
    Clues,
    Constant,
    Difficulty,
    Spread,
    choose_difficulty,
    difficulties,
)
from cytomol.predict.uncertainty.held_folds import folds_of
from cytomol.predict.uncertainty.ragged import flatten, unflatten

__all__ = ["PredictionIntervals", "interval"]

_NUMBERS = {"constant": 0, "spread": 1, "distance": 2, "spread-distance": 4}


@dataclass(frozen=True)
class PredictionIntervals:
    """Intervals around predicted values, task by task.

    The score of a row is ``|y - f| / s``: normalised conformal prediction (Papadopoulos et al., JAIR 2011,
    40, 815), whose scale ``s`` is the difficulty of the molecule, so that an interval is wide where the
    molecule is far from the training molecules or the members of the ensemble disagree.

    Attributes
    ----------
    scores
        Scores of the held-out rows of each task, rising. The scale of a row was fitted without its fold.
    difficulty
        The scale of each task, fitted on all its held-out rows.
    """

    scores: Sequence[Vector]
    difficulty: Sequence[Difficulty]

    @classmethod
    def fit(
        cls,
        predicted: Matrix,
        spread: Matrix,
        labels: Matrix,
        *,
        similarity: Vector | None = None,
        groups: NDArray[np.int64] | None = None,
        seed: int = 0,
    ) -> Self:
        """Score held-out rows.

        Parameters
        ----------
        predicted, spread
            Values and standard deviations of the ensemble, shape (n, tasks); the spread may be NaN.
        labels
            Measured values, NaN where not measured, shape (n, tasks).
        similarity
            Tanimoto coefficient with the nearest molecule that the model was fitted on, shape (n,).
        groups
            Number of the group (scaffold) of each row, shape (n,): none is divided by the folds below.
        seed
            Seed of the folds by which the scale is chosen.
        """
        similarity = np.full(len(labels), np.nan) if similarity is None else similarity
        scores: list[Vector] = []
        chosen: list[Difficulty] = []
        for task in range(labels.shape[1]):
            rows = ~np.isnan(labels[:, task]) & ~np.isnan(predicted[:, task])
            errors = np.abs(labels[rows, task] - predicted[rows, task])
            clues = Clues(spread[rows, task], similarity[rows])
            folds = folds_of(int(rows.sum()), None if groups is None else groups[rows], seed=seed)
            difficulty, ratios = choose_difficulty(errors, clues, folds)
            chosen.append(difficulty)
            scores.append(np.sort(ratios))
        return cls(scores, chosen)

    def bounds(
        self, predicted: Matrix, spread: Matrix, coverage: float, *, similarity: Vector | None = None
    ) -> tuple[Matrix, Matrix]:
        """Return the lower and the upper bound, shape (n, tasks).

        They are infinite in a task with fewer held-out rows than :func:`rows_needed`, and NaN where there
        is no prediction.
        """
        similarity = np.full(len(predicted), np.nan) if similarity is None else similarity
        low, high = np.full(predicted.shape, np.nan), np.full(predicted.shape, np.nan)
        for task, (scores, difficulty) in enumerate(zip(self.scores, self.difficulty, strict=True)):
            rows = ~np.isnan(predicted[:, task])
            constant = isinstance(difficulty, Constant)
            scale = None if constant else difficulty.scale(Clues(spread[rows, task], similarity[rows]))
            low[rows, task], high[rows, task] = interval(scores, predicted[rows, task], scale, coverage)
        return low, high

    @property
    def rows(self) -> NDArray[np.int64]:
        """Held-out rows of each task, shape (tasks,)."""
        return np.array([len(scores) for scores in self.scores], dtype=np.int64)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what :meth:`restore` needs besides the names of the difficulties."""
        learnt = flatten("difficulty", [difficulty.values for difficulty in self.difficulty])
        return {**flatten("interval", self.scores), **learnt}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], names: Sequence[str] | None = None) -> Self:
        """Rebuild from :meth:`arrays`; without names it is what 0.1 wrote, a floor of the spread or none."""
        scores = unflatten("interval", arrays)
        if names is None:
            floors = np.asarray(arrays["interval.floor"], dtype=np.float64).tolist()
            return cls(scores, [Constant() if np.isnan(floor) else Spread(floor) for floor in floors])
        learnt = unflatten("difficulty", arrays)
        for name, values in zip(names, learnt, strict=True):
            if len(values) != _NUMBERS.get(name, len(values)) or not np.isfinite(values).all():
                numbers = agreeing(len(values), "number", "is", "are", comma=False)
                raise ModelDirectoryError(f"uncertainty: {numbers} none of {name}")
        return cls(scores, [difficulties[n].restore(v) for n, v in zip(names, learnt, strict=True)])


def interval(
    scores: Vector, predicted: Vector, scale: Vector | None, coverage: float
) -> tuple[Vector, Vector]:
    """Return the bounds around predictions from rising scores.

    Of n held-out scores and the molecule's own, at most a share 1 - coverage may be larger than the one that
    makes the interval. Where n is too small for that no score will do (`Uncertainty.notes` says it).
    """
    larger = int((1 - (coverage - ROUNDING)) * (len(scores) + 1))
    if larger == 0:
        return np.full(len(predicted), -np.inf), np.full(len(predicted), np.inf)
    reach = scores[-larger] if scale is None else scores[-larger] * scale
    return predicted - reach, predicted + reach
