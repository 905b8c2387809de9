"""Folds that divide no scaffold and no molecule, in which as many tasks as possible can be scored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from cytomol.assays.same_molecule import molecule_groups
from cytomol.assays.splits import kfold_of_blocks, splitters
from cytomol.assays.splits.base import Molecules

__all__ = ["blocks_of", "inner_valid", "outer_folds", "unscorable"]

_CANDIDATES = 25
_PARTS = 8  # one part in so many of the rows that may be learnt from is held back to choose by


def blocks_of(smiles: Sequence[str]) -> NDArray[np.int64]:
    """Return the number of the block of every molecule, shape (n,): no fold divides a block.

    Rows share a block if they share a scaffold (for molecules without a ring: a skeleton) or a connectivity,
    also by way of others.
    """
    count = len(smiles)
    scaffolds = splitters["scaffold"].blocks(Molecules(smiles, np.ones(count, np.int64)))
    molecules = molecule_groups(smiles)
    rows = np.arange(count)
    edges = []
    for groups in (scaffolds, molecules):
        numbers, first = np.unique(groups, return_index=True)
        edges.append(first[np.searchsorted(numbers, groups)])
    ends = np.concatenate(edges)
    graph = coo_matrix((np.ones(2 * count), (np.tile(rows, 2), ends)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def unscorable(labels: NDArray[np.float64], tested: NDArray[np.int64], kind: str) -> int:
    """Return how many pairs of fold and task cannot be scored.

    A class must stand in the fold and outside of it, and so must the other; a value must be measured in both.

    Parameters
    ----------
    labels
        NaN where not measured, shape (n, tasks).
    tested
        Fold of every row, from 0, shape (n,).
    kind
        "classification" or "regression".
    """
    wanted = [labels == 0, labels == 1] if kind == "classification" else [~np.isnan(labels)]
    missing = np.zeros((int(tested.max()) + 1, labels.shape[1]), dtype=bool)
    for of_class in wanted:
        inside = np.stack([of_class[tested == fold].sum(axis=0) for fold in range(len(missing))])
        missing |= (inside == 0) | (inside == inside.sum(axis=0))
    return int(missing.sum())


def outer_folds(
    blocks: NDArray[np.int64], labels: NDArray[np.float64], kind: str, *, folds: int, repeat: int
) -> NDArray[np.int64]:
    """Return the fold in which every row is tested, from 0, shape (n,).

    Of 25 random divisions into folds of near equal size it is the one with the fewest pairs of fold and task
    that cannot be scored; every repeat draws others.
    """
    return _best(blocks, labels, kind, folds, seed=2 * repeat)


def inner_valid(
    blocks: NDArray[np.int64],
    labels: NDArray[np.float64],
    kind: str,
    seen: NDArray[np.bool_],
    *,
    repeat: int,
    fold: int,
) -> NDArray[np.bool_]:
    """Return which rows, about an eighth of those ``seen``, are held back to choose by, shape (n,).

    Of 25 random divisions, and of their eight parts each, it is that with the fewest tasks that have no
    class or value in it or in the rest.
    """
    rows = np.flatnonzero(seen)
    divided = kfold_of_blocks(blocks[rows], folds=_PARTS, repeats=_CANDIDATES, seed=1_000 * repeat + fold)
    parts = [(each == part).astype(np.int64) for each in divided for part in range(_PARTS)]
    # parts of very unequal size come from a block that is larger than a part
    parts = [part for part in parts if part.mean() < 2 / _PARTS] or parts
    best = min(parts, key=lambda part: unscorable(labels[rows], part, kind))
    valid = np.zeros(len(seen), dtype=bool)
    valid[rows[best == 1]] = True
    return valid


def _best(
    blocks: NDArray[np.int64], labels: NDArray[np.float64], kind: str, folds: int, *, seed: int
) -> NDArray[np.int64]:
    divided = kfold_of_blocks(blocks, folds=folds, repeats=_CANDIDATES, seed=seed)
    chosen: NDArray[np.int64] = min(divided, key=lambda each: unscorable(labels, each, kind))
    return chosen
