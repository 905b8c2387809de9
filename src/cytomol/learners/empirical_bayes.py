"""What is likely of each task, where few labels of its own speak and many of the others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["shared_posterior"]

_UNIFORM = 2.0  # tasks' worth of draw to equal odds of all hypotheses
_ROUNDS = 100


def shared_posterior(log_likelihood: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how likely each hypothesis is of each task, shape (tasks, hypotheses), rows of sum 1.

    The tasks together say how likely each hypothesis is beforehand, by expectation maximisation, and each
    task's own labels how likely it is there: a task with few labels gets what the tasks have in common.

    Parameters
    ----------
    log_likelihood
        Of each task's labels under each hypothesis, shape (tasks, hypotheses).

    References
    ----------
    Robbins, "An empirical Bayes approach to statistics", 1956.

    Examples
    --------
    >>> agreed = shared_posterior(np.array([[0.0, 5.0], [0.0, 5.0], [0.0, 0.0]]))
    >>> bool(agreed[2, 1] > 0.7)  # this task's labels say nothing
    True
    """
    tasks, hypotheses = log_likelihood.shape
    prior = np.full(hypotheses, 1 / max(hypotheses, 1))
    for _ in range(_ROUNDS):
        posterior = _normalised(log_likelihood + np.log(prior))
        prior = (posterior.sum(axis=0) + _UNIFORM / hypotheses) / (tasks + _UNIFORM)
    return _normalised(log_likelihood + np.log(prior))


def _normalised(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the shares of each row from their logarithms."""
    shares = np.exp(logs - logs.max(axis=1, keepdims=True))
    result: NDArray[np.float64] = shares / shares.sum(axis=1, keepdims=True)
    return result
