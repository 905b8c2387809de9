"""Tanimoto similarity of count fingerprints as sparse matrix products."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

__all__ = ["CountSimilarity", "KeptSimilarity", "counts_of"]

_HIGHEST = 16


def counts_of(block: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the counts of a block log(1 + count), uint8; counts above 255 are 255 there already."""
    return np.rint(np.expm1(block)).astype(np.uint8)


class CountSimilarity:
    """Compares molecules with reference molecules: sum of minima over sum of maxima of their counts.

    The minimum of two counts is the number of levels that both reach, so sums of minima are products of
    sparse 0/1 matrices of (column, level); counts above 16 are taken as 16.

    Parameters
    ----------
    counts
        Counts of the reference molecules, uint8, shape (m, width).

    References
    ----------
    Ralaivola et al., "Graph kernels for chemical informatics", Neural Networks 2005 (MinMax kernel).
    """

    def __init__(self, counts: NDArray[np.uint8]) -> None:
        levels = _levels(counts)
        self._reference: Any = levels.T.tocsr()
        self._size = _sizes(levels)

    def __call__(self, counts: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the similarity of molecules, (n, width) -> (n, m); 1 where both have no count."""
        levels = _levels(counts)
        result: NDArray[np.float32] = (levels @ self._reference).toarray()
        union = _sizes(levels)[:, None] + self._size[None, :] - result
        np.divide(result, union, out=result, where=union > 0)
        result[union <= 0] = 1.0
        return result


class KeptSimilarity:
    """Compares with reference molecules that stay the same, so that what is made of them is made once.

    Examples
    --------
    >>> counts = np.array([[1, 2], [0, 3]], dtype=np.uint8)
    >>> kept = KeptSimilarity()
    >>> kept.to(counts) is kept.to(counts)
    True
    """

    def __init__(self) -> None:
        self._made: tuple[NDArray[np.uint8], CountSimilarity] | None = None

    def to(self, counts: NDArray[np.uint8]) -> CountSimilarity:
        """Return what compares with these molecules; the same array is taken for unchanged."""
        if self._made is None or self._made[0] is not counts:
            self._made = (counts, CountSimilarity(counts))
        return self._made[1]


def _levels(counts: NDArray[np.uint8]) -> Any:
    """Return which levels each column reaches, sparse, shape (n, width * 16)."""
    rows, columns = np.nonzero(counts)
    height = np.minimum(counts[rows, columns], _HIGHEST).astype(np.int64)
    ends = np.cumsum(height)
    at = np.repeat(columns * _HIGHEST - (ends - height), height) + np.arange(ends[-1] if len(ends) else 0)
    # rows come in their order, so that the sparse form can be written down at once
    starts = np.concatenate(([0], ends))[np.searchsorted(rows, np.arange(len(counts) + 1))]
    ones = np.ones(len(at), dtype=np.float32)
    return sp.csr_matrix((ones, at, starts), shape=(len(counts), counts.shape[1] * _HIGHEST))


def _sizes(levels: Any) -> NDArray[np.float32]:
    """Return how many levels each row reaches."""
    size: NDArray[np.float32] = np.diff(levels.indptr).astype(np.float32)
    return size
