"""Scores of matching and of imputation, with intervals over molecules.

These two functions are all that a stress test knows of either.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Score", "imputation_scores", "matching_scores"]

_TOP = 0.05  # share of the candidates among which the right one is looked for
_DIGITS = 6
_DRAWS = 500
_INTERVAL = (2.5, 97.5)


@dataclass(frozen=True)
class Score:
    """One figure.

    Attributes
    ----------
    task, metric
        What was asked, and how it is scored.
    score
        The figure.
    low, high
        95% interval over molecules.
    n
        Molecules.
    chance
        What an answer that knows nothing has.
    """

    task: str
    metric: str
    score: float
    low: float
    high: float
    n: int
    chance: float


def matching_scores(
    similarity: NDArray[np.floating],
    *,
    asked: NDArray[np.bool_] | None = None,
    profile: str = "profile",
    seed: int = 0,
) -> list[Score]:
    """Score how well molecules and profiles find each other: mean reciprocal rank, share in the top 5%.

    Candidates that are equally similar count as in random order, on average.

    Parameters
    ----------
    similarity
        Of molecule i and profile j, of which i belongs to i, shape (n, n), n > 0.
    asked
        Which of them are looked for, among all, bool, shape (n,), at least one; all of them by default.
    profile
        What a profile is called in the names of the tasks.
    seed
        Of the bootstrap.

    Examples
    --------
    >>> import numpy as np
    >>> [score.score for score in matching_scores(np.eye(20))]
    [1.0, 1.0, 1.0, 1.0]
    """
    n = len(similarity)
    similarity = np.round(similarity, _DIGITS)  # what is equal but for the order of sums is equal
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, n + 1))])
    top = max(1, math.ceil(_TOP * n))
    scores = []
    for task, table in (
        (f"molecule to {profile}", similarity),
        (f"{profile} to molecule", np.transpose(similarity)),
    ):
        own = np.diagonal(table)[:, None]
        before, tied = (table > own).sum(axis=1), (table == own).sum(axis=1)
        found = {
            "mrr": ((harmonic[before + tied] - harmonic[before]) / tied, harmonic[n] / n),
            "top5": (np.clip(top - before, 0, tied) / tied, top / n),
        }
        for metric, (every, chance) in found.items():
            each = every if asked is None else every[asked]
            low, high = _interval(each, np.ones(len(each)), seed)
            scores.append(Score(task, metric, float(each.mean()), low, high, len(each), float(chance)))
    return scores


def imputation_scores(
    measured: NDArray[np.floating],
    imputed: NDArray[np.floating],
    mean: NDArray[np.floating],
    spread: NDArray[np.floating],
    *,
    seed: int = 0,
) -> list[Score]:
    """Score imputed profiles: R² against the training mean, and correlation profile by profile.

    Features count alike, each in units of its spread in training; those that did not vary there do not count.

    Parameters
    ----------
    measured, imputed
        Profiles in measured units, shape (n, width), n > 0; NaN where not measured.
    mean, spread
        Of the training profiles, shape (width,).
    seed
        Of the bootstrap.

    Examples
    --------
    >>> import numpy as np
    >>> truth = np.array([[0.0, 1.0, 4.0], [1.0, 0.0, -2.0]])
    >>> [round(score.score, 6) for score in imputation_scores(truth, truth, np.zeros(3), np.ones(3))]
    [1.0, 1.0]
    """
    varies = np.asarray(spread) > 0
    unit = np.where(varies, spread, 1.0)
    apart = np.where(varies, (np.asarray(measured, np.float64) - mean) / unit, np.nan)
    told = (np.asarray(imputed, np.float64) - mean) / unit
    known = ~np.isnan(apart)
    n = int(known.any(axis=1).sum())
    lost = np.where(known, (apart - told) ** 2, 0).sum(axis=1)
    there = np.where(known, apart**2, 0).sum(axis=1)
    together = _correlations(np.where(known, apart, np.nan), np.where(known, told, np.nan))
    low, high = _interval(lost, there, seed)
    r2 = 1 - lost.sum() / there.sum() if there.sum() > 0 else 0.0
    of_profiles = together[known.any(axis=1)]
    between = _interval(of_profiles, np.ones(len(of_profiles)), seed)
    correlation = float(of_profiles.mean()) if len(of_profiles) else 0.0
    return [
        Score("", "r2", float(r2), 1 - high, 1 - low, n, 0.0),
        Score("", "profile_r", correlation, *between, n, 0.0),
    ]


def _correlations(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Pearson's correlation of each pair of rows, NaN left out; 0 where a row does not vary."""
    known = ~np.isnan(one)
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    centred = [
        np.where(known, rows - np.where(known, rows, 0).sum(axis=1, keepdims=True) / count, 0)
        for rows in (one, other)
    ]
    size = np.sqrt((centred[0] ** 2).sum(axis=1) * (centred[1] ** 2).sum(axis=1))
    product = (centred[0] * centred[1]).sum(axis=1)
    correlation: NDArray[np.float64] = np.divide(product, size, out=np.zeros(len(one)), where=size > 1e-12)
    return correlation


def _interval(value: NDArray[np.float64], weight: NDArray[np.float64], seed: int) -> tuple[float, float]:
    """Return the 95% interval of sum(value) / sum(weight) over molecules drawn with replacement."""
    n = len(value)
    if n == 0:
        return 0.0, 0.0
    drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=_DRAWS)
    total = drawn @ weight
    ratios = np.divide(drawn @ value, total, out=np.ones(_DRAWS), where=total > 0)
    low, high = np.percentile(ratios, _INTERVAL)
    return float(low), float(high)
