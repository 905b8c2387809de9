"""Which estimate of difficulty makes the best intervals, found on rows that it was not fitted on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cytomol.predict.uncertainty.difficulty.base import Clues, Difficulty, Vector
from cytomol.predict.uncertainty.difficulty.constant import Constant
from cytomol.predict.uncertainty.difficulty.disagreement import Spread
from cytomol.predict.uncertainty.difficulty.distance import Distance
from cytomol.predict.uncertainty.difficulty.spread_distance import SpreadDistance

__all__ = ["choose_difficulty", "interval_score"]

_ROWS = 50  # below, intervals are too uncertain to choose by them
_COVERAGE = 0.9
_GAIN = 0.98  # the spread must make them this much better: chance alone should not choose


def choose_difficulty(errors: Vector, clues: Clues, folds: NDArray[np.int64]) -> tuple[Difficulty, Vector]:
    """Return a difficulty fitted on held-out rows, and the scores of all of them.

    Where similarities are known, intervals widen with distance at the rate that the errors show. That
    errors grow with distance is known beforehand, and most of what is asked lies further out than most of
    what was tried, so chance may set the rate but not whether there is one. The members' spread comes in,
    beside the distance or alone, where it makes cross-validated intervals better.

    Intervals are compared by their interval score at 90% (Gneiting & Raftery, JASA 2007, 102, 359): width
    plus 20 times what a value lies outside. It is least for the interval that is right for each molecule,
    so an interval that is right only on average, too wide for near molecules and too narrow for far ones,
    loses to one that tells them apart. The choice looks at the scores that are then used, which costs
    coverage of the order of 1 / sqrt(n) at most (Yang & Kuchibhotla, JASA 2025, 120, 435).

    Parameters
    ----------
    errors
        Absolute errors of held-out rows, shape (n,).
    clues
        About the same rows.
    folds
        Number of a fold for each row, shape (n,): rows of one scaffold share theirs.

    Returns
    -------
    chosen
        Fitted on all rows.
    scores
        Each row's error over the scale that the other folds gave it, shape (n,).
    """
    if len(errors) < _ROWS or len(np.unique(folds)) < 2:
        return Constant(), errors
    base = _try(Distance, errors, clues, folds)
    with_spread = _try(Spread if base is None else SpreadDistance, errors, clues, folds)
    fitted, scale = base or (Constant(), np.ones(len(errors)))
    if with_spread is not None:
        least = interval_score(errors, scale, folds)
        if interval_score(errors, with_spread[1], folds) < _GAIN * least:
            fitted, scale = with_spread
    return fitted, np.asarray(errors / scale, dtype=np.float64)


def interval_score(errors: Vector, scale: Vector, folds: NDArray[np.int64]) -> float:
    """Return the mean interval score when every fold's half-width is ``scale`` times the others' quantile."""
    total = 0.0
    for fold in np.unique(folds):
        rest, out = folds != fold, folds == fold
        rank = min(int(np.ceil(_COVERAGE * (rest.sum() + 1))), int(rest.sum())) - 1
        half = np.sort(errors[rest] / scale[rest])[rank] * scale[out]
        total += float((2 * half + 2 / (1 - _COVERAGE) * np.maximum(errors[out] - half, 0)).sum())
    return total / len(errors)


def _try(
    kind: type[Difficulty], errors: Vector, clues: Clues, folds: NDArray[np.int64]
) -> tuple[Difficulty, Vector] | None:
    """Return the fit on all rows, and each row's scale by the other folds; None if one is impossible."""
    fitted = kind.fit(errors, clues)
    if fitted is None:
        return None
    scale = np.empty(len(errors))
    for fold in np.unique(folds):
        out = folds == fold
        of_the_rest = kind.fit(errors[~out], clues.of(~out))
        if of_the_rest is None:
            return None
        scale[out] = of_the_rest.scale(clues.of(out))
    return fitted, scale
