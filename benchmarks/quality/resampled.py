"""Intervals of a difference when test molecules are drawn again, for sets of too few tasks to draw those."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.metrics import metrics

__all__ = ["drawn_scores", "molecule_interval"]

_DRAWS = 1_000


def molecule_interval(
    observed: NDArray[np.float64],
    first: Sequence[NDArray[np.float64]],
    second: Sequence[NDArray[np.float64]],
    metric: str,
    *,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the 95% percentile interval of what the first is better by, molecules and seeds drawn again.

    Parameters
    ----------
    observed
        Labels, NaN where there is none, shape (molecules, tasks).
    first, second
        Predictions of two models, one array of that shape for each seed; the same molecules are drawn for
        both. Tasks that a draw leaves without both classes are left out of its mean.
    metric
        "roc_auc" or "mae".
    seed
        Seed of the draws.
    """
    random = np.random.default_rng(seed)
    counts = random.multinomial(len(observed), np.full(len(observed), 1 / len(observed)), size=_DRAWS)
    weights = counts.astype(np.float64)
    sign = 1.0 if metrics[metric].higher_is_better else -1.0
    gains = []
    for ours, theirs in zip(first, second, strict=True):
        by_task = drawn_scores(observed, ours, weights, metric) - drawn_scores(
            observed, theirs, weights, metric
        )
        there = ~np.isnan(by_task)
        gains.append(sign * _ratio(np.where(there, by_task, 0.0).sum(axis=1), there.sum(axis=1)))
    seeds = random.multinomial(len(gains), np.full(len(gains), 1 / len(gains)), size=_DRAWS) / len(gains)
    low, high = np.nanquantile((np.stack(gains, axis=1) * seeds).sum(axis=1), [0.025, 0.975])
    return float(low), float(high)


def drawn_scores(
    observed: NDArray[np.float64],
    predicted: NDArray[np.float64],
    weights: NDArray[np.float64],
    metric: str,
) -> NDArray[np.float64]:
    """Return the score of each draw and task, shape (draws, tasks); NaN where it has none.

    ``weights`` say how often each molecule was drawn, shape (draws, molecules).
    """
    score = {"roc_auc": _roc_auc, "mae": _mae}[metric]
    columns = []
    for task in range(observed.shape[1]):
        there = ~np.isnan(observed[:, task])
        columns.append(score(observed[there, task], predicted[there, task], weights[:, there]))
    return np.stack(columns, axis=1)


def _mae(
    observed: NDArray[np.float64], predicted: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    return _ratio(weights @ np.abs(observed - predicted), weights.sum(axis=1))


def _roc_auc(
    observed: NDArray[np.float64], predicted: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Share of (active, inactive) pairs in order, ties as half; all draws share one sorting."""
    if not len(observed):
        return np.full(len(weights), np.nan)
    order = np.argsort(predicted, kind="stable")
    starts = np.flatnonzero(np.diff(predicted[order], prepend=np.nan) != 0)  # NaN != 0: the first starts one
    active = np.add.reduceat(weights[:, order] * (observed[order] == 1), starts, axis=1)
    inactive = np.add.reduceat(weights[:, order] * (observed[order] == 0), starts, axis=1)
    below = np.cumsum(inactive, axis=1) - inactive / 2
    return _ratio((active * below).sum(axis=1), active.sum(axis=1) * inactive.sum(axis=1))


def _ratio(over: NDArray[np.float64], under: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(over, under, out=np.full(len(over), np.nan), where=under > 0)
