"""Scores of predictions: per task over the rows that are measured, then the mean over tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytomol.errors import ConfigError
from cytomol.registry import Registry

__all__ = [
    "CALIBRATION_BINS",
    "MAIN_METRIC",
    "Metric",
    "accuracy",
    "average_precision",
    "brier",
    "expected_calibration_error",
    "macro_f1",
    "macro_roc_auc",
    "matthews",
    "mean_absolute_error",
    "metrics",
    "metrics_of",
    "r2",
    "roc_auc",
    "root_mean_squared_error",
    "score_tasks",
    "spearman",
]

Vector = NDArray[np.float64]
Scorer = Callable[[Vector, NDArray[np.float64]], float]

CALIBRATION_BINS = 10
"""Bins of equal width in which stated probabilities are held against observed shares."""
_NAN = float("nan")


@dataclass(frozen=True)
class Metric:
    """A score of one task.

    Attributes
    ----------
    name
        Name under which it is registered and written to files.
    function
        ``function(observed, predicted) -> float`` over the measured rows; NaN where it is undefined or a
        prediction is missing.
    higher_is_better
        Direction of improvement.
    kind
        "classification" (classes 0 and 1, probability of 1), "multiclass" (places of classes, a probability
        for each, shape (n, classes)) or "regression".
    title
        How it is called in print.
    in_unit
        Whether it has the unit of the task, so that its digits follow the spread of the target.
    """

    name: str
    function: Scorer
    higher_is_better: bool
    kind: str
    title: str = ""
    in_unit: bool = False


metrics: Registry[Metric] = Registry("metric")

MAIN_METRIC = {"binary": "roc_auc", "multiclass": "macro_roc_auc", "regression": "mae"}
"""The metric that counts, for each kind of task."""


def roc_auc(observed: Vector, score: Vector) -> float:
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
        return _NAN
    ranks = _ranks(score)  # NaN among the scores makes every rank NaN
    u = ranks[positive].sum() - n_positive * (n_positive + 1) / 2
    return float(u / (n_positive * n_negative))


def average_precision(observed: Vector, score: Vector) -> float:
    """Precision averaged over recall, one step per distinct score; NaN unless both classes are there."""
    n_positive = int((observed == 1).sum())
    if n_positive in (0, len(observed)) or np.isnan(score).any():
        return _NAN
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(observed[order] == 1)
    # a threshold lies only where the score changes: tied rows enter together
    last_of_tie = np.append(np.diff(score[order]) != 0, True)
    found = hits[last_of_tie]
    precision = found / (np.flatnonzero(last_of_tie) + 1)
    return float(np.sum(np.diff(found, prepend=0) / n_positive * precision))


def matthews(observed: Vector, probability: Vector) -> float:
    """Matthews correlation of the labels with the classes at a probability of 0.5 or more.

    0 where all molecules are predicted to be of one class; NaN unless both classes were measured.
    """
    positive = observed == 1
    if positive.all() or not positive.any() or np.isnan(probability).any():
        return _NAN
    called = probability >= 0.5
    if called.all() or not called.any():
        return 0.0
    return float(np.corrcoef(positive, called)[0, 1])


def brier(observed: Vector, probability: Vector) -> float:
    """Mean squared difference of probability and label: 0 at best, 0.25 for saying 0.5 throughout."""
    return float(np.square(probability - observed).mean()) if len(observed) else _NAN


def expected_calibration_error(
    observed: Vector, probability: Vector, *, bins: int = CALIBRATION_BINS
) -> float:
    """Mean gap between stated probability and observed share, weighted by rows.

    Sum over bins of equal width of ``n_b / n * |mean(label) - mean(probability)|`` (Naeini et al., AAAI
    2015, 2901). A probability on an edge falls into the upper bin, 1 into the last.
    """
    if not len(observed) or np.isnan(probability).any():
        return _NAN
    place = np.clip((probability * bins).astype(np.int64), 0, bins - 1)
    gaps = np.bincount(place, weights=observed - probability, minlength=bins)
    return float(np.abs(gaps).sum() / len(observed))


def mean_absolute_error(observed: Vector, predicted: Vector) -> float:
    """Mean absolute error, in the unit of the task."""
    return float(np.abs(observed - predicted).mean()) if len(observed) else _NAN


def root_mean_squared_error(observed: Vector, predicted: Vector) -> float:
    """Root of the mean squared error, in the unit of the task."""
    if not len(observed):
        return _NAN
    error = np.abs(observed - predicted)
    largest = float(error.max())  # taken out, so that no square over- or underflows
    if not 0 < largest < np.inf:
        return largest
    return largest * float(np.sqrt(np.square(error / largest).mean()))


def r2(observed: Vector, predicted: Vector) -> float:
    """Coefficient of determination; NaN unless the observed values differ."""
    if not len(observed) or observed.max() == observed.min():  # a mean of equal values may be off by a bit
        return _NAN
    apart = observed - observed.mean()
    unit = float(np.abs(apart).max())
    left = np.square((observed - predicted) / unit).sum()
    return 1.0 - float(left / np.square(apart / unit).sum())


def spearman(observed: Vector, predicted: Vector) -> float:
    """Spearman's rank correlation, ties at their mean rank; NaN where either side does not vary."""
    if not len(observed) or np.isnan(predicted).any():
        return _NAN
    ours, theirs = _ranks(observed), _ranks(predicted)
    ours, theirs = ours - ours.mean(), theirs - theirs.mean()
    spread = float(np.sqrt(np.square(ours).sum() * np.square(theirs).sum()))
    return float((ours * theirs).sum() / spread) if spread > 0 else _NAN


def _ranks(values: Vector) -> Vector:
    from scipy.stats import rankdata  # half a second to load, which a prediction need not wait for

    ranks: Vector = rankdata(values)
    return ranks


def accuracy(observed: Vector, probability: NDArray[np.float64]) -> float:
    """Share of rows whose likeliest class is the measured one."""
    if not len(observed) or np.isnan(probability).any():
        return _NAN
    return float((probability.argmax(axis=1) == observed).mean())


def macro_f1(observed: Vector, probability: NDArray[np.float64]) -> float:
    """F1 of each class that was measured or predicted, the likeliest class taken, and their mean."""
    if not len(observed) or np.isnan(probability).any():
        return _NAN
    classes = np.arange(probability.shape[1])
    measured, called = observed[:, None] == classes, probability.argmax(axis=1)[:, None] == classes
    there = (measured | called).any(axis=0)
    both = measured.sum(axis=0) + called.sum(axis=0)
    return float((2 * (measured & called).sum(axis=0)[there] / both[there]).mean())


def macro_roc_auc(observed: Vector, probability: NDArray[np.float64]) -> float:
    """ROC-AUC of each class against all others, and their mean over the classes that were measured."""
    classes = range(probability.shape[1])
    each = [roc_auc((observed == k).astype(np.float64), probability[:, k]) for k in classes]
    known = [score for k, score in enumerate(each) if 0 < (observed == k).sum() < len(observed)]
    return float(np.mean(known)) if known else _NAN


for _metric in (
    Metric("roc_auc", roc_auc, True, "classification", "ROC-AUC"),
    Metric("average_precision", average_precision, True, "classification", "average precision"),
    Metric("mcc", matthews, True, "classification", "MCC"),
    Metric("brier", brier, False, "classification", "Brier score"),
    Metric("calibration_error", expected_calibration_error, False, "classification", "calibration error"),
    Metric("mae", mean_absolute_error, False, "regression", "MAE", in_unit=True),
    Metric("rmse", root_mean_squared_error, False, "regression", "RMSE", in_unit=True),
    Metric("r2", r2, True, "regression", "R²"),
    Metric("spearman", spearman, True, "regression", "Spearman"),
    Metric("macro_roc_auc", macro_roc_auc, True, "multiclass", "ROC-AUC (mean of classes)"),
    Metric("accuracy", accuracy, True, "multiclass", "accuracy"),
    Metric("macro_f1", macro_f1, True, "multiclass", "F1 (mean of classes)"),
):
    metrics.register(_metric.name)(_metric)


def metrics_of(kind: str) -> tuple[Metric, ...]:
    """Return the metrics of a kind of task ("binary", "multiclass" or "regression"), the main one first."""
    kind, main = ("classification" if kind == "binary" else kind), MAIN_METRIC.get(kind)
    found = [metrics[name] for name in metrics if metrics[name].kind == kind]
    return tuple(sorted(found, key=lambda metric: metric.name != main))


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
