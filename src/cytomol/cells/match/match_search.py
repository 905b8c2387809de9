"""The exact search: the candidates that lie nearest to each query, over all pairs, block by block."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.similarity.bits import compiled, insert, threads
from cytomol.errors import InputError

__all__ = ["Block", "Nearest", "best_of", "exact_nearest"]

Block = tuple[int, NDArray[np.float32]]
"""Row of its first candidate, and the places of a block of candidates, float32, shape (n, width)."""

_QUERIES = 512  # queries compared with a block at a time, so that the products stay small
_ROUNDING = 2.0**-23  # for each of the width's products of two rows of length 1


@dataclass(frozen=True)
class Nearest:
    """The nearest candidates of each query, the nearest first, equally near ones in their order.

    Attributes
    ----------
    rows
        Rows of the candidates, int64, shape (queries, k); -1 where there are no more.
    similarity
        Cosine, float32, shape (queries, k); NaN where there are no more.
    """

    rows: NDArray[np.int64]
    similarity: NDArray[np.float32]


def exact_nearest(queries: NDArray[np.float32], candidates: Iterable[Block], k: int) -> Nearest:
    """Return the k nearest candidates of each query, exactly.

    A fast product finds who may be among the nearest; these are compared again in double precision. So the
    answer does not depend on the blocks, and equal candidates are equally near.

    Parameters
    ----------
    queries
        Rows of length 1 (or 0), float32, shape (m, width); a row with NaN has no neighbours.
    candidates
        Blocks of rows of length 1 (or 0); a row with NaN is nobody's neighbour.
    k
        How many.

    Raises
    ------
    InputError
        If k is not positive or the widths differ.

    Examples
    --------
    >>> places = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32)
    >>> found = exact_nearest(places[:1], [(0, places)], 2)
    >>> found.rows.tolist(), found.similarity.round(2).tolist()
    ([[0, 2]], [[1.0, 0.6...]])
    """
    if k < 1:
        raise InputError(f"cannot search for {k} candidates", hint="ask for at least 1")
    queries = np.ascontiguousarray(queries, np.float32)
    rows = np.full((len(queries), k), -1, np.int64)
    similarity = np.full((len(queries), k), -np.inf)
    margin = queries.shape[1] * _ROUNDING

    def search(first: int, block: NDArray[np.float32], start: int) -> None:
        part = slice(first, first + _QUERIES)
        with np.errstate(invalid="ignore"):
            rough = queries[part] @ block.T
        _take(queries[part], block, rough, (start, margin), (rows[part], similarity[part]))

    with ThreadPoolExecutor(threads()) as pool:
        for start, places in candidates:
            block = np.ascontiguousarray(places, np.float32)
            if block.shape[1] != queries.shape[1]:
                raise InputError(
                    f"queries have width {queries.shape[1]}, candidates {block.shape[1]}",
                    hint="are they of one space?",
                )
            work = partial(search, block=block, start=start)
            list(pool.map(work, range(0, len(queries), _QUERIES)))
    return Nearest(rows, np.where(rows >= 0, similarity, np.nan).astype(np.float32))


def best_of(
    queries: NDArray[np.float32], rows: NDArray[np.int64], places: NDArray[np.float32], k: int
) -> Nearest:
    """Return the k nearest of the candidates that an index proposes, compared as `exact_nearest` compares.

    Parameters
    ----------
    queries
        Shape (m, width).
    rows
        Rows of the proposed candidates, int64, shape (m, n); -1 for none, and each at most once.
    places
        Their places, float32, shape (m, n, width).
    """
    best = np.full((len(queries), k), -1, np.int64)
    similarity = np.full((len(queries), k), -np.inf)
    _choose(
        np.ascontiguousarray(queries, np.float32),
        np.ascontiguousarray(places, np.float32),
        rows,
        best,
        similarity,
    )
    return Nearest(best, np.where(best >= 0, similarity, np.nan).astype(np.float32))


@compiled
def _cosine(query: NDArray[np.float32], candidate: NDArray[np.float32]) -> float:
    """Return the product of two rows, summed in double precision and rounded once."""
    total = 0.0
    for column in range(len(query)):
        total += np.float64(query[column]) * np.float64(candidate[column])
    return np.float64(np.float32(total))


@compiled
def _take(
    queries: NDArray[np.float32],
    block: NDArray[np.float32],
    rough: NDArray[np.float32],
    place: tuple[int, float],
    best: tuple[NDArray[np.int64], NDArray[np.float64]],
) -> None:
    """Put the candidates of a block that belong there among the nearest of each query."""
    start, margin = place
    rows, similarity = best
    last = rows.shape[1] - 1
    for query in range(len(queries)):
        least = similarity[query, last] - margin
        for candidate in range(len(block)):
            if rough[query, candidate] >= least:  # never so for NaN
                value = _cosine(queries[query], block[candidate])
                insert(start + candidate, value, rows[query], similarity[query])
                least = similarity[query, last] - margin


@compiled
def _choose(
    queries: NDArray[np.float32],
    places: NDArray[np.float32],
    proposed: NDArray[np.int64],
    rows: NDArray[np.int64],
    similarity: NDArray[np.float64],
) -> None:
    for query in range(len(queries)):
        for number in range(proposed.shape[1]):
            row = proposed[query, number]
            if row >= 0:
                value = _cosine(queries[query], places[query, number])
                if not np.isnan(value):
                    insert(row, value, rows[query], similarity[query])
