"""Intervals of scores and of their differences, by drawing the molecules again (Efron 1979).

A test fold is one draw of molecules; the bootstrap draws as many from it, with replacement, again and again,
and the middle 95% of the scores are the interval. All models are scored on the same draws, so that what is
hard for all of them cancels in a difference. Repeats of one molecule are drawn together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from cytomol.assays.metrics import metrics
from cytomol.predict.verdict.weighted import WEIGHTED

__all__ = [
    "DRAWS",
    "Estimate",
    "SampledTask",
    "bootstrap_difference",
    "bootstrap_score",
    "estimate",
    "resamples",
    "sampled_scores",
]

DRAWS = 2000
_LEVEL = 0.95
_CELLS = 1_000_000  # of counts that are held at once
_UNDEFINED = 0.5  # share of draws without a score, such as one class only, from which there is no interval

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A number with its 95% interval; NaN where there is none.

    Attributes
    ----------
    value
        On the molecules as they are.
    low, high
        Bounds of the middle 95% when molecules are drawn again.
    """

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float | None]:
        """Return value and bounds, None where undefined."""
        return {
            name: float(number) if np.isfinite(number) else None
            for name, number in (("value", self.value), ("low", self.low), ("high", self.high))
        }


@dataclass(frozen=True)
class SampledTask:
    """Labels of one task, and what is to be scored on them.

    Attributes
    ----------
    rows
        Places of the labels among all molecules, shape (n,).
    observed
        The labels, shape (n,).
    scored
        By a key of the caller's: a metric's name and the predictions, shape (n,) or (n, classes).
    """

    rows: NDArray[np.int64]
    observed: Array
    scored: Mapping[Any, tuple[str, Array]]


def resamples(
    n: int, *, groups: NDArray[Any] | None = None, draws: int = DRAWS, seed: int = 0
) -> Iterator[Array]:
    """Yield how often each row is in each resample, a number of resamples at a time.

    Parameters
    ----------
    n
        Number of rows.
    groups
        Rows with the same entry are drawn together, such as repeats of one molecule; shape (n,).
    draws
        Number of resamples in all.
    seed
        Seed of the draws.

    Yields
    ------
    ndarray
        Counts, float64, shape (n, some draws); a resample has as many groups as there are.
    """
    random = np.random.default_rng(seed)
    member = None if groups is None else np.unique(groups, return_inverse=True)[1].reshape(-1)
    units = n if member is None else (int(member.max()) + 1 if n else 0)
    block = max(1, _CELLS // max(n, 1))
    for start in range(0, draws, block):
        here = min(block, draws - start)
        drawn = random.integers(units, size=(units, here)) if units else np.zeros((0, here), dtype=np.int64)
        counts = np.bincount((drawn * here + np.arange(here)).ravel(), minlength=units * here)
        weights = counts.reshape(units, here).astype(np.float64)
        yield weights if member is None else weights[member]


def sampled_scores(
    tasks: Sequence[SampledTask],
    n: int,
    *,
    groups: NDArray[Any] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> list[dict[Any, Array]]:
    """Score every task on the same resamples of n molecules.

    Returns
    -------
    list of dict
        For each task, by its keys, the score of every draw, shape (draws,); NaN where a draw has none.
    """
    parts: list[dict[Any, list[Array]]] = [{key: [] for key in task.scored} for task in tasks]
    for weights in resamples(n, groups=groups, draws=draws, seed=seed):
        for task, part in zip(tasks, parts, strict=True):
            own = weights if len(task.rows) == n else weights[task.rows]
            for key, (metric, predicted) in task.scored.items():
                part[key].append(WEIGHTED[metric](own, task.observed, predicted))
    return [{key: np.concatenate(found) for key, found in part.items()} for part in parts]


def estimate(value: float, samples: Array, *, evidence: int | None = None) -> Estimate:
    """Return a number with the middle 95% of what the resamples gave for it.

    Parameters
    ----------
    value
        The number, on the molecules as they are.
    samples
        What the resamples gave, shape (draws,); NaN where undefined.
    evidence
        On how many independent molecules it rests. Resamples of few vary too little; the interval then takes
        more than the middle 95%, as Student's t does (the expanded percentile interval of Hesterberg, The
        American Statistician 2015, 69, 371). None takes 95% as they are.
    """
    known = samples[np.isfinite(samples)]
    if not np.isfinite(value) or known.size <= _UNDEFINED * samples.size:
        return Estimate(value, float("nan"), float("nan"))
    tail = (1 - _LEVEL) / 2
    if evidence is not None:
        n = max(evidence, 2)
        tail = float(ndtr(stdtrit(n - 1, tail) * np.sqrt(n / (n - 1))))
    low, high = np.quantile(known, [tail, 1 - tail])
    return Estimate(value, float(low), float(high))


def bootstrap_score(
    observed: Array,
    predicted: Array,
    metric: str,
    *,
    groups: NDArray[Any] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Estimate:
    """Return a score with its interval.

    Parameters
    ----------
    observed
        Labels without missing ones, shape (n,).
    predicted
        Predictions, shape (n,) or (n, classes).
    metric
        Name of a metric (see :data:`cytomol.assays.metrics.metrics`).
    groups, draws, seed
        See :func:`resamples`.
    """
    task = SampledTask(np.arange(len(observed)), observed, {0: (metric, predicted)})
    samples = sampled_scores([task], len(observed), groups=groups, draws=draws, seed=seed)[0]
    return estimate(metrics[metric].function(observed, predicted), samples[0])


def bootstrap_difference(
    observed: Array,
    first: Array,
    second: Array,
    metric: str,
    *,
    groups: NDArray[Any] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Estimate:
    """Return by how much the first model is better than the second, whichever direction is better.

    Parameters are those of :func:`bootstrap_score`; both models are scored on the same draws.
    """
    entry = metrics[metric]
    sign = 1.0 if entry.higher_is_better else -1.0
    task = SampledTask(np.arange(len(observed)), observed, {0: (metric, first), 1: (metric, second)})
    samples = sampled_scores([task], len(observed), groups=groups, draws=draws, seed=seed)[0]
    value = sign * (entry.function(observed, first) - entry.function(observed, second))
    return estimate(value, sign * (samples[0] - samples[1]))
