"""Scores of predictions: per task over the rows that are measured, then the mean over tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from cytomol.errors import ConfigError
from cytomol.registry import Registry

__all__ = [
    "Metric",
    "average_precision",
    "mean_absolute_error",
    "metrics",
    "r2",
    "roc_auc",
    "root_mean_squared_error",
    "score_tasks",
]

Scorer = Callable[[NDArray[np.float64], NDArray[np.float64]], float]


@dataclass(frozen=True)
class Metric:
    """A score of one task.

    Attributes
    ----------
    name
        Name under which it is registered and printed.
    function
        ``function(observed, predicted) -> float`` over the measured rows; NaN where it is undefined.
    higher_is_better
        Direction of improvement.
    kind
        "classification" or "regression".
    """

    name: str
    function: Scorer
    higher_is_better: bool
    kind: str


metrics: Registry[Metric] = Registry("metric")


def roc_auc(observed: NDArray[np.float64], score: NDArray[np.float64]) -> float:
    """Area under the ROC curve by ranks (Mann-Whitney U); ties count one half.

    Parameters
    ----------
    observed
        Labels, 0 or 1, shape (n,).
    score
        Higher means more likely 1, shape (n,).

    Returns
    -------
    float
        NaN unless both classes are there.
    """
    positive = observed == 1
    n_positive = int(positive.sum())
    n_negative = len(observed) - n_positive
    if n_positive == 0 or n_negative == 0:
        return float("nan")
    ranks = rankdata(score)
    u = ranks[positive].sum() - n_positive * (n_positive + 1) / 2
    return float(u / (n_positive * n_negative))


def average_precision(observed: NDArray[np.float64], score: NDArray[np.float64]) -> float:
    """Precision averaged over recall, one step per distinct score; NaN unless both classes are there."""
    n_positive = int((observed == 1).sum())
    if n_positive in (0, len(observed)):
        return float("nan")
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(observed[order] == 1)
    # a threshold lies only where the score changes: tied rows enter together
    last_of_tie = np.append(np.diff(score[order]) != 0, True)
    found = hits[last_of_tie]
    precision = found / (np.flatnonzero(last_of_tie) + 1)
    return float(np.sum(np.diff(found, prepend=0) / n_positive * precision))


def mean_absolute_error(observed: NDArray[np.float64], predicted: NDArray[np.float64]) -> float:
    """Mean absolute error, in the unit of the task."""
    return float(np.abs(observed - predicted).mean()) if len(observed) else float("nan")


def root_mean_squared_error(observed: NDArray[np.float64], predicted: NDArray[np.float64]) -> float:
    """Root of the mean squared error, in the unit of the task."""
    return float(np.sqrt(np.square(observed - predicted).mean())) if len(observed) else float("nan")


def r2(observed: NDArray[np.float64], predicted: NDArray[np.float64]) -> float:
    """Coefficient of determination; NaN unless the observed values differ."""
    spread = float(np.square(observed - observed.mean()).sum()) if len(observed) else 0.0
    if spread == 0:
        return float("nan")
    return 1.0 - float(np.square(observed - predicted).sum()) / spread


for _metric in (
    Metric("roc_auc", roc_auc, True, "classification"),
    Metric("average_precision", average_precision, True, "classification"),
    Metric("mae", mean_absolute_error, False, "regression"),
    Metric("rmse", root_mean_squared_error, False, "regression"),
    Metric("r2", r2, True, "regression"),
):
    metrics.register(_metric.name)(_metric)


def score_tasks(
    observed: NDArray[np.floating], predicted: NDArray[np.floating], metric: str
) -> tuple[float, NDArray[np.float64]]:
    """Score every task over its measured rows, and take the mean over the tasks that can be scored.

    Parameters
    ----------
    observed
        Labels, NaN where not measured, shape (n, tasks).
    predicted
        Probabilities, logits or values, shape (n, tasks).
    metric
        Name of a metric.

    Returns
    -------
    mean
        Mean over the tasks with a score (for ROC-AUC: tasks that have both classes); NaN if none.
    per_task
        Score of every task, NaN where undefined, shape (tasks,).
    """
    if observed.shape != predicted.shape:
        raise ConfigError(f"labels have shape {observed.shape}, predictions {predicted.shape}")
    function = metrics[metric].function
    scores = np.full(observed.shape[1], np.nan)
    for task in range(observed.shape[1]):
        rows = ~np.isnan(observed[:, task])
        if rows.any():
            scores[task] = function(
                observed[rows, task].astype(np.float64), predicted[rows, task].astype(np.float64)
            )
    usable = scores[~np.isnan(scores)]
    return (float(usable.mean()) if usable.size else float("nan")), scores
