"""Weights of several sources, task by task, drawn to what the tasks have in common."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from cytomol.learners.empirical_bayes import shared_posterior

__all__ = ["fuse", "fusion_weights"]

_SHARP = 0.01  # probabilities are cut there, so that one source's certainty does not outvote all others
_STEPS = 5  # weights are fifths
_SLOPES = (0.5, 0.75, 1.0, 1.5, 2.0)  # of logits; the spread of the errors of values likewise

Values = NDArray[np.float64]


def fusion_weights(sources: Values, labels: Values, kind: str) -> Values:
    """Return the weight of each source in each task, not negative and of sum 1, shape (sources, tasks).

    Every mixture in steps of a fifth is a hypothesis, and the weights are the means over hypotheses as likely
    as :func:`~cytomol.learners.empirical_bayes.shared_posterior` has them: a task with few labels gets what
    the tasks have in common, one with many its own.

    Parameters
    ----------
    sources
        Answers to held-out rows, shape (sources, n, tasks): probabilities, or values in units of the spread.
    labels
        What was measured, NaN where nothing was, shape (n, tasks).
    kind
        "classification" or "regression".

    Examples
    --------
    >>> labels = np.tile([[0.0], [1.0]], (20, 1))
    >>> right, useless = np.where(labels == 1, 0.8, 0.2), np.full((40, 1), 0.5)
    >>> fusion_weights(np.stack([right, useless]), labels, "classification")[0, 0] > 0.7
    np.True_
    """
    mixtures = _mixtures(len(sources))
    likely = np.stack(
        [
            _log_likelihood(sources[:, :, task], labels[:, task], mixtures, kind)
            for task in range(labels.shape[1])
        ]
    )
    posterior = shared_posterior(likely.reshape(len(likely), -1)).reshape(likely.shape)
    of_mixture = posterior.sum(axis=2)
    weights: Values = (of_mixture @ mixtures).T
    return weights


def fuse(sources: Values, weights: Values, kind: str) -> Values:
    """Return the weighted mean of values, or of logits as a probability, (sources, n, tasks) -> (n, tasks).

    Where a source has no answer the others' weights count; NaN where none has one.
    """
    known = ~np.isnan(sources)
    share = weights[:, None, :] * known
    total = share.sum(axis=0)
    # sources that alone have an answer may have no weight: they count alike then
    share = np.where(total > 1e-9, share, known)
    total = share.sum(axis=0)
    mean = np.where(known, share * _axis(sources, kind), 0.0).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(total > 0, mean / total, np.nan)
    return np.asarray(1 / (1 + np.exp(-mean))) if kind == "classification" else mean


def _mixtures(count: int) -> Values:
    """Return all weights of so many sources in steps of a fifth, shape (mixtures, sources)."""
    steps = [each for each in product(range(_STEPS + 1), repeat=count) if sum(each) == _STEPS]
    return np.array(steps, dtype=np.float64) / _STEPS


def _axis(values: Values, kind: str) -> Values:
    if kind != "classification":
        return values
    cut: Values = logit(np.clip(values, _SHARP, 1 - _SHARP))
    return cut


def _log_likelihood(sources: Values, labels: Values, mixtures: Values, kind: str) -> Values:
    """Return the log-likelihood of one task's labels by mixture and slope, shape (mixtures, slopes)."""
    rows = ~np.isnan(labels) & ~np.isnan(sources).any(axis=0)
    y, mixed = labels[rows], mixtures @ _axis(sources[:, rows], kind)
    found = np.zeros((len(mixtures), len(_SLOPES)))
    for place, slope in enumerate(_SLOPES):
        if kind == "classification":
            z = slope * mixed
            found[:, place] = (y * z - np.logaddexp(0, z)).sum(axis=1)
        else:
            found[:, place] = -(0.5 * ((y - mixed) / slope) ** 2 + np.log(slope)).sum(axis=1)
    return found
