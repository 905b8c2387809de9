"""Tanimoto neighbours and pairs from the index.

What the index finds is scored exactly; what it misses is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.similarity.bits import common_bits, compiled, insert, threads
from cytomol.chem.similarity.nearest import nearest_rows
from cytomol.chem.similarity.pair_lists import distinct_pairs
from cytomol.chem.similarity.words import as_words, blocks, count_bits
from cytomol.errors import InputError

__all__ = ["INDEX_NEIGHBOURS", "indexed_pairs", "indexed_top_k", "tanimoto_row_histogram"]

INDEX_NEIGHBOURS = 64  # rows that the index is asked for, each row
_CHUNK = 1 << 16


class _Chunk(NamedTuple):
    """Rows whose neighbours are ranked.

    words: uint64, shape (n, words); counts: set bits, int64, shape (n,); start: first row of the chunk;
    nearest: rows found near the chunk's, int32, shape (size, asked); indices, similarity: the k best of
    them, to be filled, shape (size, k).
    """

    words: NDArray[np.uint64]
    counts: NDArray[np.int64]
    start: int
    nearest: NDArray[np.int32]
    indices: NDArray[np.int32]
    similarity: NDArray[np.float64]


@compiled
def _rank_block(chunk: _Chunk, block: tuple[int, int]) -> None:
    """Fill the neighbours of a block of the chunk's rows."""
    for at in range(block[0], block[1]):
        row = chunk.start + at
        for step in range(chunk.nearest.shape[1]):
            other = chunk.nearest[at, step]
            if other < 0:
                break
            common = common_bits(chunk.words, row, chunk.words, other)
            if common > 0:
                value = common / (chunk.counts[row] + chunk.counts[other] - common)
                insert(other, value, chunk.indices[at], chunk.similarity[at])


@compiled
def _histogram_rows(
    words: NDArray[np.uint64],
    counts: NDArray[np.int64],
    queries: NDArray[np.int64],
    edges: NDArray[np.float32],
    histogram: NDArray[np.int64],
) -> None:
    """Count all other rows by the largest edge that their similarity to a query reaches."""
    for row in queries:
        for other in range(len(counts)):
            common = common_bits(words, row, words, other)
            if common == 0 or other == row:
                continue
            value = np.float32(common / (counts[row] + counts[other] - common))
            if value >= edges[0]:
                histogram[np.searchsorted(edges, value, side="right") - 1] += 1


def _ranked(
    packed: NDArray[np.uint8], k: int, asked: int
) -> Iterator[tuple[int, NDArray[np.int32], NDArray[np.float32]]]:
    """Yield, chunk by chunk: the first row, the k best of the rows found and their similarities."""
    words = as_words(packed)
    counts = count_bits(words)
    nearest = nearest_rows(words.view(np.uint8), asked, "tanimoto")
    for start in range(0, len(words), _CHUNK):
        near = nearest[start : start + _CHUNK]
        indices, similarity = np.full((len(near), k), -1, np.int32), np.zeros((len(near), k))
        rows = _Chunk(words, counts, start, near, indices, similarity)
        with ThreadPoolExecutor(threads()) as pool:
            list(pool.map(partial(_rank_block, rows), blocks(len(near))))
        yield start, indices, similarity.astype(np.float32)


def indexed_top_k(packed: NDArray[np.uint8], k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return about the k most similar other rows of each row: `tanimoto_top_k` from the index.

    Similarities and their order are exact; a neighbour that the index did not find is missing, and a
    less similar one may stand in its place.

    Parameters
    ----------
    packed
        Packed fingerprints, uint8, shape (n, bits / 8).
    k
        Neighbours wanted.

    Returns
    -------
    indices
        int32, shape (n, k), by falling similarity, ties by lower row; -1 where none was found.
    similarity
        Tanimoto coefficients, float32, shape (n, k); 0 where the index is -1.
    """
    if k < 1:
        raise InputError(f"cannot search for {k} neighbours", hint="k must be at least 1")
    parts = [part[1:] for part in _ranked(packed, k, max(k, INDEX_NEIGHBOURS))]
    indices = np.concatenate([np.empty((0, k), np.int32), *(part[0] for part in parts)])
    return indices, np.concatenate([np.empty((0, k), np.float32), *(part[1] for part in parts)])


def indexed_pairs(
    packed: NDArray[np.uint8], minimum: float
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    """Return pairs whose similarity is at least ``minimum``: `tanimoto_pairs` from the index.

    A pair is found if either row is among the `INDEX_NEIGHBOURS` nearest of the other.

    Parameters
    ----------
    packed
        Packed fingerprints, uint8, shape (n, bits / 8).
    minimum
        Smallest similarity kept, in (0, 1].

    Returns
    -------
    i, j
        Rows of each pair, i < j, int32, sorted by (i, j).
    similarity
        Tanimoto coefficients, exact, float32.
    """
    if not 0 < minimum <= 1:
        raise InputError(f"minimum similarity {minimum} is out of range", hint="it must lie in (0, 1]")
    parts = []
    for start, indices, similarity in _ranked(packed, INDEX_NEIGHBOURS, INDEX_NEIGHBOURS):
        row, place = np.nonzero(similarity >= np.float32(minimum))
        parts.append(((start + row).astype(np.int32), indices[row, place], similarity[row, place]))
    return distinct_pairs(parts, len(packed), "first")


def tanimoto_row_histogram(
    packed: NDArray[np.uint8], queries: NDArray[np.int64], edges: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Count the other rows by their similarity to some rows, exactly.

    Parameters
    ----------
    packed
        Packed fingerprints, uint8, shape (n, bits / 8).
    queries
        Rows asked for, int64, shape (m,); the time is that of m x n comparisons.
    edges
        As in `tanimoto_histogram`.

    Returns
    -------
    NDArray
        Summed over the queries, int64, shape (bins,).
    """
    words = as_words(packed)
    counts = count_bits(words)
    edges = np.ascontiguousarray(edges, np.float32)

    def work(part: NDArray[np.int64]) -> NDArray[np.int64]:
        histogram = np.zeros(len(edges), np.int64)
        _histogram_rows(words, counts, part, edges, histogram)
        return histogram

    with ThreadPoolExecutor(threads()) as pool:
        parts = pool.map(work, np.array_split(np.asarray(queries, np.int64), 4 * threads()))
        return sum(parts, np.zeros(len(edges), np.int64))
