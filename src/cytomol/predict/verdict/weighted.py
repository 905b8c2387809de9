"""Every metric for many resamples at once: how often each row was drawn takes the place of drawn rows.

The score of a resample that holds row i ``w[i]`` times, with all resamples sharing one sorting. Each function
takes the counts ``w`` (float64, shape (n, draws)), the labels (n,) and the predictions, (n,) or (n, classes),
and returns one score for each draw, shape (draws,); NaN where the metric has none.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.metrics import CALIBRATION_BINS

__all__ = ["WEIGHTED"]

Array = NDArray[np.float64]


def _ratio(over: Array, under: Array) -> Array:
    result: Array = np.divide(over, under, out=np.full(over.shape, np.nan), where=under > 0)
    return result


def _mean(rows: Array, w: Array) -> Array:
    return _ratio(rows @ w, w.sum(axis=0))


def _sorted(values: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the order of the values, and where in it each distinct value starts."""
    order = np.argsort(values, kind="stable")
    return order, np.flatnonzero(np.append(True, np.diff(values[order]) != 0))


def _roc_auc(w: Array, observed: Array, score: Array) -> Array:
    """Share of (1, 0) pairs in order, ties as half."""
    order, starts = _sorted(score)
    drawn = w[order]
    active = drawn * (observed[order] == 1)[:, None]
    inactive = drawn - active
    if len(starts) < len(order):
        active, inactive = np.add.reduceat(active, starts), np.add.reduceat(inactive, starts)
    below = np.cumsum(inactive, axis=0)
    below -= inactive / 2
    pairs = np.einsum("nd,nd->d", active, below)
    return _ratio(pairs, active.sum(axis=0) * inactive.sum(axis=0))


def _average_precision(w: Array, observed: Array, score: Array) -> Array:
    order, starts = _sorted(-score)
    drawn = w[order]
    active = np.add.reduceat(drawn * (observed[order] == 1)[:, None], starts)
    rows = np.add.reduceat(drawn, starts)
    found, taken = np.cumsum(active, axis=0), np.cumsum(rows, axis=0)
    precision = np.divide(found, taken, out=np.zeros_like(found), where=taken > 0)
    result = _ratio(np.einsum("nd,nd->d", active, precision), found[-1])
    result[found[-1] == taken[-1]] = np.nan
    return result


def _matthews(w: Array, observed: Array, probability: Array) -> Array:
    true, called = observed == 1, probability >= 0.5
    tp, fp, fn, tn = (
        rows.astype(np.float64) @ w
        for rows in (true & called, ~true & called, true & ~called, ~true & ~called)
    )
    both = (tp + fp) * (tn + fn)
    result = _ratio(tp * tn - fp * fn, np.sqrt(both * (tp + fn) * (tn + fp)))
    measured = (tp + fn > 0) & (tn + fp > 0)
    result[measured & (both == 0)] = 0.0
    return result


def _brier(w: Array, observed: Array, probability: Array) -> Array:
    return _mean(np.square(observed - probability), w)


def _calibration_error(w: Array, observed: Array, probability: Array) -> Array:
    place = np.clip((probability * CALIBRATION_BINS).astype(np.int64), 0, CALIBRATION_BINS - 1)
    gaps = (place == np.arange(CALIBRATION_BINS)[:, None]) * (observed - probability)
    return _ratio(np.abs(gaps @ w).sum(axis=0), w.sum(axis=0))


def _mae(w: Array, observed: Array, predicted: Array) -> Array:
    return _mean(np.abs(observed - predicted), w)


def _rmse(w: Array, observed: Array, predicted: Array) -> Array:
    error = np.abs(observed - predicted)
    largest = float(error.max(initial=0.0)) or 1.0  # taken out, so that no square over- or underflows
    return np.asarray(largest * np.sqrt(_mean(np.square(error / largest), w)))


def _r2(w: Array, observed: Array, predicted: Array) -> Array:
    middle = observed.mean()  # near every resample's mean, so that the squares cancel little
    unit = float(np.abs(observed - middle).max(initial=0.0)) or 1.0
    apart, left = (observed - middle) / unit, (observed - predicted) / unit
    rows = w.sum(axis=0)
    spread = np.square(apart) @ w - rows * np.square(_ratio(apart @ w, rows))
    # equal values leave what rounding leaves
    return 1.0 - _ratio(np.square(left) @ w, np.where(spread > 1e-12 * rows, spread, 0.0))


def _ranks(w: Array, values: Array) -> Array:
    """Return the mean rank that each row has in each resample, less the mean of all ranks there."""
    order, starts = _sorted(values)
    drawn = np.add.reduceat(w[order], starts)
    rank = np.cumsum(drawn, axis=0) - drawn / 2
    rank -= w.sum(axis=0) / 2
    group = np.empty(len(values), dtype=np.int64)
    group[order] = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(values))))
    return rank[group]


def _spearman(w: Array, observed: Array, predicted: Array) -> Array:
    ours, theirs = _ranks(w, observed), _ranks(w, predicted)
    weighed = ours * w
    spread = np.einsum("nd,nd->d", weighed, ours) * np.einsum("nd,nd->d", theirs * w, theirs)
    return _ratio(np.einsum("nd,nd->d", weighed, theirs), np.sqrt(spread))


def _accuracy(w: Array, observed: Array, probability: Array) -> Array:
    return _mean((probability.argmax(axis=1) == observed).astype(np.float64), w)


def _macro_f1(w: Array, observed: Array, probability: Array) -> Array:
    classes = np.arange(probability.shape[1])[:, None]
    measured, called = observed == classes, probability.argmax(axis=1) == classes
    hits = (measured & called).astype(np.float64) @ w
    both = (measured.astype(np.float64) + called) @ w
    return _ratio(
        np.divide(2 * hits, both, out=np.zeros_like(hits), where=both > 0).sum(axis=0), (both > 0).sum(axis=0)
    )


def _macro_roc_auc(w: Array, observed: Array, probability: Array) -> Array:
    each = [_roc_auc(w, (observed == k).astype(np.float64), column) for k, column in enumerate(probability.T)]
    scores = np.array(each)
    there = ~np.isnan(scores)
    return _ratio(np.where(there, scores, 0.0).sum(axis=0), there.sum(axis=0).astype(np.float64))


WEIGHTED: dict[str, Callable[[Array, Array, Array], Array]] = {
    "roc_auc": _roc_auc,
    "average_precision": _average_precision,
    "mcc": _matthews,
    "brier": _brier,
    "calibration_error": _calibration_error,
    "mae": _mae,
    "rmse": _rmse,
    "r2": _r2,
    "spearman": _spearman,
    "macro_roc_auc": _macro_roc_auc,
    "accuracy": _accuracy,
    "macro_f1": _macro_f1,
}
"""The functions by the name of their metric; each scores as :data:`cytomol.assays.metrics.metrics` does."""
