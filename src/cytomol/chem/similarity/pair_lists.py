"""Pairs of rows, each once: dealt into the lists of their lower rows, which are sorted one by one.

To sort all pairs at once takes keys, an order and copies of 8 bytes each, several times what the pairs
themselves hold; of a million rows with their 64 nearest each that was more than all else together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.similarity.bits import compiled

__all__ = ["PairPart", "distinct_pairs"]

PairPart = tuple[NDArray[np.signedinteger[Any]], NDArray[np.signedinteger[Any]], NDArray[np.float32]]
"""Either row of each pair, in any order, and a value."""


def distinct_pairs(
    parts: Sequence[PairPart], n: int, keep: Literal["first", "largest"]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    """Return each pair once, sorted by lower, then higher row.

    Parameters
    ----------
    parts
        Pairs of rows and their values, shape (pairs,) each; a row may be paired with itself.
    n
        Number of rows, below 2**31.
    keep
        Of equal pairs, the value that came first, or the largest.

    Returns
    -------
    low, high
        Rows of each pair, low <= high, int32.
    value
        float32.

    Examples
    --------
    >>> left, right = np.array([2, 0, 1]), np.array([0, 2, 1])
    >>> [column.tolist() for column in distinct_pairs([(left, right, np.float32([1, 3, 2]))], 3, "largest")]
    [[0, 1], [2, 1], [3.0, 2.0]]
    """
    starts = np.zeros(n + 1, np.int64)
    for left, right, _ in parts:
        _count(_rows(left), _rows(right), starts)
    np.cumsum(starts, out=starts)
    high, value = np.empty(starts[-1], np.int32), np.empty(starts[-1], np.float32)
    place = starts[:-1].copy()
    for left, right, values in parts:
        _deal((_rows(left), _rows(right), np.ascontiguousarray(values, np.float32)), place, high, value)
    counts = np.zeros(n, np.int64)
    kept = _settle(starts, high, value, counts, keep == "largest")
    return np.repeat(np.arange(n, dtype=np.int32), counts), high[:kept].copy(), value[:kept].copy()


def _rows(rows: NDArray[np.signedinteger[Any]]) -> NDArray[np.int32]:
    return np.ascontiguousarray(rows, np.int32)


@compiled
def _count(left: NDArray[np.int32], right: NDArray[np.int32], starts: NDArray[np.int64]) -> None:
    """Count each pair at the place after its lower row."""
    for k in range(len(left)):
        starts[min(left[k], right[k]) + 1] += 1


@compiled
def _deal(
    pairs: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]],
    place: NDArray[np.int64],
    high: NDArray[np.int32],
    value: NDArray[np.float32],
) -> None:
    """Put each pair into the list of its lower row, in the order in which they come."""
    left, right, values = pairs
    for k in range(len(left)):
        low = min(left[k], right[k])
        high[place[low]] = max(left[k], right[k])
        value[place[low]] = values[k]
        place[low] += 1


@compiled
def _settle(
    starts: NDArray[np.int64],
    high: NDArray[np.int32],
    value: NDArray[np.float32],
    counts: NDArray[np.int64],
    largest: bool,
) -> int:
    """Sort each list and move what stays to the front of the arrays; return how many there are."""
    kept = np.int64(0)
    for row in range(len(counts)):
        first, end = starts[row], starts[row + 1]
        rising = True
        for k in range(first + 1, end):
            rising &= high[k] > high[k - 1]
        if not rising:
            order = np.argsort(high[first:end], kind="mergesort")  # stable: what came first stays first
            high[first:end] = high[first:end][order]
            value[first:end] = value[first:end][order]
        began = kept
        for k in range(first, end):
            if kept > began and high[kept - 1] == high[k]:
                if largest and value[k] > value[kept - 1]:
                    value[kept - 1] = value[k]
                continue
            high[kept] = high[k]
            value[kept] = value[k]
            kept += 1
        counts[row] = kept - began
    return kept  # type: ignore[return-value]
