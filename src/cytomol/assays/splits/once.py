"""Rows that hold one molecule are split as one: every rule sees each molecule once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.splits.base import Molecules

__all__ = ["each_once"]


def each_once(
    smiles: Sequence[str], groups: NDArray[np.int64], dates: NDArray[np.datetime64] | None = None
) -> tuple[Molecules, NDArray[np.int64]]:
    """Return the molecules of a table, each once, and where every row's molecule is among them.

    Parameters
    ----------
    smiles
        SMILES of every row.
    groups
        Molecule of every row, -1 for one that is told from no other, int64, shape (rows,).
    dates
        Date of every row; a molecule has the earliest of its own.

    Returns
    -------
    molecules
        By first appearance, each as it is written first.
    places
        Place of every row's molecule, int64, shape (rows,).
    """
    alone = np.where(groups < 0, -1 - np.arange(len(groups)), groups)
    _, first, inverse, counts = np.unique(alone, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(first)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    places = rank[inverse]
    earliest = None
    if dates is not None:
        earliest = np.full(len(order), np.datetime64("NaT"), dates.dtype)
        np.fmin.at(earliest, places, dates)
    chosen = [smiles[row] for row in first[order]]
    return Molecules(chosen, counts[order].astype(np.int64), earliest), places
