"""Folds of held-out rows that keep groups, such as scaffolds, in one piece."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["FOLDS", "folds_of"]

FOLDS = 5


def folds_of(
    n: int,
    groups: NDArray[np.int64] | None = None,
    *,
    classes: NDArray[np.float64] | None = None,
    seed: int = 0,
) -> NDArray[np.int64]:
    """Return the number of a fold for each of n rows, shape (n,).

    Parameters
    ----------
    n
        Rows.
    groups
        Number of the group of each row, shape (n,); rows of a group share a fold. None divides freely.
    classes
        Labels 0 and 1, shape (n,), to be spread evenly: exactly without groups, as far as whole groups
        allow with them.
    seed
        Seed of the division.
    """
    rng = np.random.default_rng(seed)
    folds = np.empty(n, dtype=np.int64)
    if not n:
        return folds
    if groups is None:
        kinds = np.zeros(n) if classes is None else classes
        for kind in np.unique(kinds):
            rows = np.flatnonzero(kinds == kind)
            folds[rng.permutation(rows)] = np.arange(len(rows)) % FOLDS
        return folds
    _, group = np.unique(groups, return_inverse=True)
    kinds = np.zeros(n) if classes is None else classes
    # the largest group first, each to the fold that is emptiest of the group's own classes
    weights = np.stack(
        [np.bincount(group, kinds == kind) / (kinds == kind).sum() for kind in np.unique(kinds)]
    )
    filled = np.zeros((FOLDS, len(weights)))
    place = np.empty(weights.shape[1], dtype=np.int64)
    order = rng.permutation(weights.shape[1])
    for one in order[np.argsort(-weights[:, order].max(axis=0), kind="stable")]:
        place[one] = np.argmin(((filled + weights[:, one]) ** 2 - filled**2).sum(axis=1))
        filled[place[one]] += weights[:, one]
    return place[group]
