"""Compiled loops over packed fingerprints: popcounts, ranked neighbours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba.core import types
from numba.extending import intrinsic
from numpy.typing import NDArray

__all__ = ["common_bits", "compiled", "insert", "threads"]

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile with Numba; the kernels free the interpreter lock, so plain threads run them side by side.

    Numba's own parallel loops are avoided: their OpenMP layer kills processes that are forked after
    its first use, which data loaders do.
    """
    try:
        return cast("F", numba.njit(nogil=True, cache=True)(function))
    except RuntimeError:  # no folder that Numba could keep compiled code in: compile in every process
        return cast("F", numba.njit(nogil=True)(function))


@intrinsic  # type: ignore[untyped-decorator]
def _popcount(_typing: Any, _word: Any) -> Any:
    """Count the set bits of a 64-bit word by the processor's own instruction."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


@compiled
def common_bits(left: NDArray[np.uint64], i: int, right: NDArray[np.uint64], j: int) -> int:
    """Count the bits that a row of either table has in common."""
    common = np.uint64(0)
    for w in range(left.shape[1]):
        common += _popcount(left[i, w] & right[j, w])
    return np.int64(common)  # type: ignore[return-value]


@compiled
def insert(row: int, value: float, indices: NDArray[np.int32], similarity: NDArray[np.float64]) -> None:
    """Put a neighbour at its place: falling similarity, ties by lower row; the last one falls out."""
    place = len(indices) - 1
    if value < similarity[place] or (value == similarity[place] and row > indices[place] >= 0):
        return
    while place > 0 and (
        value > similarity[place - 1] or (value == similarity[place - 1] and row < indices[place - 1])
    ):
        similarity[place] = similarity[place - 1]
        indices[place] = indices[place - 1]
        place -= 1
    similarity[place] = value
    indices[place] = row


def threads() -> int:
    """Threads to use: as many as the process may use processors (NUMBA_NUM_THREADS changes it)."""
    return max(int(numba.config.NUMBA_NUM_THREADS), 1)
