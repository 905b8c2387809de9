"""Weights of an ensemble's members, by validation rows of all tasks together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

__all__ = ["stack", "weighted_mean"]

_SHARP = 0.01  # probabilities are cut there, so that one member's certainty does not outvote all others

_PRIOR = {"classification": 200.0, "regression": 3.0}
"""Weight of the draw to equal weights, over the number of measured values: a class says less than a value.

In halves of the valid folds (``benchmarks/quality/stacking.py``) 200 is within 0.002 of the best draw on
every set of classes; values (biogenadme) did best at 3.
"""

_STEEPEST = 3.0  # logarithm: a member weighs at most exp(6) times as much as another


def stack(
    members: NDArray[np.float64], labels: NDArray[np.float64], kind: str, *, ridge: float | None = None
) -> NDArray[np.float64]:
    """Return the weight of each member, positive and of sum 1.

    Classes: the mean cross entropy of a common scale and offset times the weighted mean logit. Values: the
    mean absolute error of the weighted mean, each task in units of its spread. Weights are shared by the
    tasks, since a task alone has too few validation rows, and are drawn to equal ones by ``ridge``, the less
    the more values are measured.

    Parameters
    ----------
    members
        Answers of the members to validation rows, shape (members, n, tasks).
    labels
        Measured values, NaN where not measured, shape (n, tasks).
    kind
        "classification" or "regression".
    ridge
        Weight of the squared distance from equal weights, per member; by default 200 for classes and 3
        for values, over the number of measured values.

    References
    ----------
    Wolpert, "Stacked generalization", Neural Networks 1992; Breiman, "Stacked regressions", 1996.
    """
    count = len(members)
    equal = np.full(count, 1 / count)
    usable = ~np.isnan(labels) & ~np.isnan(members).any(axis=0)
    if count == 1 or usable.sum() < 2:
        return equal
    y = labels[usable]
    if ridge is None:
        ridge = _PRIOR[kind] / len(y)
    if kind == "classification":
        X, scale = _logits(members[:, usable]), np.ones(len(y))
    else:
        spread = np.nanstd(labels, axis=0)
        scale = np.broadcast_to(np.where(spread > 0, spread, 1.0), labels.shape)[usable]
        X = members[:, usable]

    def loss(parameters: NDArray[np.float64]) -> float:
        weights = _softmax(parameters[:count])
        mean = weights @ X
        if kind == "classification":
            z = np.exp(parameters[count]) * mean + parameters[count + 1]
            fit = float(np.mean(np.logaddexp(0, z) - y * z))
        else:
            # Huber's loss: the absolute error with a slope at zero
            error = np.abs(mean - y) / scale
            fit = float(np.mean(np.where(error < 0.05, error**2 / 0.1, error - 0.025)))
        return fit + ridge * count * float(((weights - equal) ** 2).sum())

    start = np.zeros(count + 2)
    # where classes can be told apart without error the best scale is infinite
    bounds = [(-_STEEPEST, _STEEPEST)] * (count + 1) + [(None, None)]
    from scipy.optimize import minimize

    found = minimize(loss, start, method="L-BFGS-B", bounds=bounds)
    return _softmax(found.x[:count])


def weighted_mean(
    members: NDArray[np.float64], weights: NDArray[np.float64], kind: str
) -> NDArray[np.float64]:
    """Return the weighted mean of values, or of logits as probability, (members, n, tasks) -> (n, tasks).

    Where a member has no answer the others' weights count.
    """
    known = ~np.isnan(members)
    share = weights[:, None, None] * known
    total = share.sum(axis=0)
    values = _logits(members) if kind == "classification" else members
    mean = np.where(known, values * share, 0.0).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(total > 0, mean / total, np.nan)
    return expit(mean) if kind == "classification" else mean


def _logits(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    result: NDArray[np.float64] = logit(np.clip(probabilities, _SHARP, 1 - _SHARP))
    return result


def _softmax(x: NDArray[np.float64]) -> NDArray[np.float64]:
    e = np.exp(x - x.max())
    return np.asarray(e / e.sum())
