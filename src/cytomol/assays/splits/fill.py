"""Folds filled with blocks of molecules that stay together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.splits.base import FOLDS

__all__ = ["cut_in_order", "fill_largest_first", "numbered"]


def numbered(keys: list[str]) -> NDArray[np.int64]:
    """Return the number of every key, from 0 by first appearance, shape (n,)."""
    numbers: dict[str, int] = {}
    return np.fromiter((numbers.setdefault(key, len(numbers)) for key in keys), np.int64, len(keys))


def cut_in_order(
    order: NDArray[np.int64], rows: NDArray[np.int64], fractions: tuple[float, float, float]
) -> NDArray[np.str_]:
    """Return folds that take molecules in an order until each has its share of the rows.

    Parameters
    ----------
    order
        Molecules, the first ones for training, int64, shape (n,).
    rows
        Rows of each molecule, int64, shape (n,).
    fractions
        Shares of train, valid and test.
    """
    total = int(rows.sum())
    ends = round(fractions[0] * total), round((fractions[0] + fractions[1]) * total)
    middle = np.cumsum(rows[order]) - rows[order] / 2
    train_end, valid_end = (int((middle < end).sum()) for end in ends)
    # few molecules: one each for valid and test, if any share is theirs and training keeps one
    if fractions[2] > 0:
        valid_end = max(min(valid_end, len(order) - 1), 1)
    if fractions[1] > 0:
        train_end = max(min(train_end, valid_end - 1), 1)
    folds = np.full(len(rows), FOLDS[2], dtype="<U5")
    folds[order[:valid_end]] = FOLDS[1]
    folds[order[:train_end]] = FOLDS[0]
    return folds


def fill_largest_first(
    blocks: NDArray[np.int64], rows: NDArray[np.int64], fractions: tuple[float, float, float]
) -> NDArray[np.str_]:
    """Return folds filled with whole blocks, the largest first: train, then valid, what is left is test.

    A block that fits into no fold, and is larger than the whole test fold should be, goes where most rows
    are missing instead, so that it does not become the test fold; but no fold stays empty for that.

    Parameters
    ----------
    blocks
        Block of every molecule, numbered from 0 without gaps, int64, shape (n,).
    rows
        Rows of each molecule, int64, shape (n,).
    fractions
        Shares of train, valid and test.
    """
    sizes = np.bincount(blocks, weights=rows).astype(np.int64)
    first = np.full(len(sizes), len(blocks), np.int64)
    np.minimum.at(first, blocks, np.arange(len(blocks)))
    total = int(rows.sum())
    wanted = [fractions[0] * total, fractions[1] * total, fractions[2] * total]
    held = [0, 0, 0]
    fold_of = np.empty(len(sizes), np.int64)
    # equal sizes: the block whose first molecule comes last goes first, as in OGB's sort
    for block in np.lexsort((-first, -sizes)):
        size = int(sizes[block])
        if held[0] + size <= wanted[0]:
            fold = 0
        elif held[0] + held[1] + size <= wanted[0] + wanted[1]:
            fold = 1
        elif size <= wanted[2] or (held[2] == 0 and held[0] > 0 and size <= wanted[0] / 2):
            fold = 2
        else:
            fold = int(np.argmax([want - have for want, have in zip(wanted, held, strict=True)]))
        fold_of[block] = fold
        held[fold] += size
    return np.array(FOLDS, dtype="<U5")[fold_of[blocks]]
