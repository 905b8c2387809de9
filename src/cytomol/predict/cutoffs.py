"""Cut-offs: the probability from which a molecule is said to be of the second class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["best_cutoff", "cutoffs_of"]

_FEWEST, _OF_A_CLASS = 30, 10  # below, a cut-off would follow a handful of molecules
HALF = 0.5


def cutoffs_of(
    predicted: NDArray[np.float64], labels: NDArray[np.float64], kinds: NDArray[np.str_]
) -> NDArray[np.float64]:
    """Return the cut-off of every column, one half for values and where too few molecules were held out.

    Parameters
    ----------
    predicted, labels
        Probabilities of class 1 and labels of held-out molecules, NaN where there is none, (n, columns).
    kinds
        "classification" or "regression" of each column.
    """
    cutoffs = np.full(len(kinds), HALF)
    for column in np.flatnonzero(kinds == "classification"):
        known = ~np.isnan(predicted[:, column]) & ~np.isnan(labels[:, column])
        cutoffs[column] = best_cutoff(predicted[known, column], labels[known, column])
    return cutoffs


def best_cutoff(probability: NDArray[np.float64], label: NDArray[np.float64]) -> float:
    """Return the cut-off with the largest Matthews correlation, between two probabilities that occur.

    One half with fewer than 30 molecules or 10 of a class, and where no cut-off is better than chance.

    Parameters
    ----------
    probability, label
        Of class 1, and 0 or 1, shape (n,).
    """
    positives = int((label == 1).sum())
    if len(label) < _FEWEST or min(positives, len(label) - positives) < _OF_A_CLASS:
        return HALF
    order = np.argsort(-probability, kind="stable")
    ranked = probability[order]
    last = np.append(np.diff(ranked) != 0, False)  # below the lowest all are of class 1, which tells nothing
    if not last.any():
        return HALF
    hits = np.cumsum(label[order] == 1)[last].astype(np.float64)
    called = np.flatnonzero(last) + 1.0
    n, p = float(len(label)), float(positives)
    # phi = (n hits - called p) / sqrt(called (n - called) p (n - p)), Matthews 1975
    phi = (n * hits - called * p) / np.sqrt(called * (n - called) * p * (n - p))
    best = int(np.argmax(phi))
    if phi[best] <= 0:
        return HALF
    at = np.flatnonzero(last)[best]
    return float((ranked[at] + ranked[at + 1]) / 2)
