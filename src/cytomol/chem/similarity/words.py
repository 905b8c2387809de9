"""Packed fingerprints as 64-bit words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cytomol.errors import InputError

__all__ = ["SortedFingerprints", "as_words", "bit_counts", "blocks", "count_bits", "sorted_by_bits"]

_BLOCK_ROWS = 256  # rows of one unit of work: small enough to balance, large enough to hide the dispatch


class SortedFingerprints(NamedTuple):
    """Fingerprints in the order in which they are compared.

    words: uint64, shape (n, words); counts: set bits of each, int64, shape (n,); identity: row before
    sorting, int64, shape (n,); bounds: for `exact.top_k` the first row of each bit count, for the others
    the end of each row's group, int64.
    """

    words: NDArray[np.uint64]
    counts: NDArray[np.int64]
    identity: NDArray[np.int64]
    bounds: NDArray[np.int64]


def as_words(packed: NDArray[np.uint8], what: str = "fingerprints") -> NDArray[np.uint64]:
    """View packed bits as 64-bit words, padded with zero bits."""
    packed = np.asarray(packed)
    if packed.ndim != 2 or packed.dtype != np.uint8:
        raise InputError(
            f"{what} have shape {packed.shape} and type {packed.dtype}",
            hint="expected packed bits: uint8, shape (molecules, bits / 8)",
        )
    n, width = packed.shape
    padded = np.zeros((n, max(-(-width // 8), 1) * 8), np.uint8)
    padded[:, :width] = packed
    return padded.view(np.uint64)


def count_bits(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the number of set bits of each row of words, shape (n,)."""
    counts: NDArray[np.int64] = np.bitwise_count(words).sum(axis=1, dtype=np.int64)
    return counts


def bit_counts(packed: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the number of set bits of each row of packed fingerprints, shape (molecules,)."""
    return count_bits(as_words(packed))


def blocks(n: int) -> Iterator[tuple[int, int]]:
    """Yield the first and the end of each unit of work of n rows."""
    for first in range(0, n, _BLOCK_ROWS):
        yield first, min(first + _BLOCK_ROWS, n)


def sorted_by_bits(words: NDArray[np.uint64]) -> SortedFingerprints:
    """Sort rows by set bits; the bounds say where each bit count begins."""
    counts = count_bits(words)
    order = np.argsort(counts, kind="stable")
    counts = counts[order]
    bounds = np.searchsorted(counts, np.arange(max(int(counts.max(initial=0)), 1) + 2))
    return SortedFingerprints(words[order], counts, order, bounds)
