"""Targets of context walks, summed per molecule without a node-by-feature table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numba
import numpy as np
import torch
from numpy.typing import NDArray

from cytomol.nn.batch import TargetSums

F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["BitTarget", "DenseTarget", "Target"]


@dataclass(frozen=True)
class BitTarget:
    """Target space of packed bits, one row per node of its space.

    Attributes
    ----------
    first
        Node of row 0.
    packed
        Bits, little bit order, uint8, shape (rows, bytes).
    width
        Number of bits.
    train, known
        Rows that may serve as target in training, and in validation, bool, shape (rows,).
    count_stuck
        Count the entries of steps at which a walk is stuck, with weight 0.
    """

    first: int
    packed: NDArray[np.uint8]
    width: int
    train: NDArray[np.bool_]
    known: NDArray[np.bool_]
    count_stuck: bool = False

    @property
    def nbytes(self) -> int:
        """Bytes of the table."""
        return int(self.packed.nbytes)

    def places(self, nodes: int, *, validation: bool) -> NDArray[np.int32]:
        """Return the row that each of ``nodes`` nodes shows, ``len(self.train)`` for none, int32."""
        return _places(nodes, self.first, self.known if validation else self.train)

    def sums(self, nodes: NDArray[np.int64], weights: NDArray[np.float32], *, validation: bool) -> TargetSums:
        """Sum over the visited nodes of each walk, shapes (B, L + 1); see :class:`TargetSums`."""
        usable = self.known if validation else self.train
        local, weights, rows = _visits(nodes, weights, self.first, usable, count_stuck=self.count_stuck)
        value = np.zeros((len(rows), self.width), np.float32)
        weight = np.zeros((len(rows), 1), np.float32)
        visited = _sum_bits(local, weights, self.packed, value, weight)
        # A bit is its own square, so the squares need no second table.
        return _tensors(rows, weight, value, value, visited * self.width)


@dataclass(frozen=True)
class DenseTarget:
    """Target space of scaled profiles, one row per node of its space.

    Attributes
    ----------
    first
        Node of row 0.
    values
        Targets in [0, 1], NaN where not measured, float32, shape (rows, width).
    train, known
        Rows that may serve as target in training, and in validation, bool, shape (rows,).
    row_of
        Row of each node of the space, -1 for none, int64, shape (nodes,); None where both are the same.
    count_stuck
        Count the entries of steps at which a walk is stuck, with weight 0.
    row_weight
        How much each row counts, float32, shape (rows,); all alike when None.
    """

    first: int
    values: NDArray[np.float32]
    train: NDArray[np.bool_]
    known: NDArray[np.bool_]
    row_of: NDArray[np.int64] | None = None
    count_stuck: bool = False
    row_weight: NDArray[np.float32] | None = None

    @property
    def width(self) -> int:
        """Number of features."""
        return int(self.values.shape[1])

    @property
    def nbytes(self) -> int:
        """Bytes of the table."""
        return int(self.values.nbytes)

    def places(self, nodes: int, *, validation: bool) -> NDArray[np.int32]:
        """Return the row that each of ``nodes`` nodes shows, ``len(self.train)`` for none, int32."""
        return _places(nodes, self.first, self.known if validation else self.train, self.row_of)

    def sums(self, nodes: NDArray[np.int64], weights: NDArray[np.float32], *, validation: bool) -> TargetSums:
        """Sum over the visited nodes of each walk, shapes (B, L + 1); see :class:`TargetSums`."""
        usable = self.known if validation else self.train
        local, weights, rows = _visits(
            nodes, weights, self.first, usable, row_of=self.row_of, count_stuck=self.count_stuck
        )
        if self.row_weight is not None and len(self.row_weight):
            weights = weights * np.where(local >= 0, self.row_weight[local], np.float32(0))
        shape = (len(rows), self.width)
        value, weight, square = (np.zeros(shape, np.float32) for _ in range(3))
        entries = _sum_dense(local, weights, self.values, (value, weight, square))
        return _tensors(rows, weight, value, square, entries)


Target = BitTarget | DenseTarget


def _compiled(function: F) -> F:
    """Compile with Numba, free of the interpreter lock: batches are built beside the training step."""
    return cast("F", numba.njit(nogil=True, cache=True)(function))


def _places(
    nodes: int, first: int, usable: NDArray[np.bool_], row_of: NDArray[np.int64] | None = None
) -> NDArray[np.int32]:
    """Return the usable table row of each node, ``len(usable)`` for nodes without one."""
    row_of = np.arange(len(usable)) if row_of is None else row_of
    found = np.where(row_of >= 0, row_of, len(usable))
    found = np.where(np.append(usable, False)[found], found, len(usable))
    places = np.full(nodes, len(usable), np.int32)
    places[first : first + len(found)] = found
    return places


def _visits(
    nodes: NDArray[np.int64],
    weights: NDArray[np.float32],
    first: int,
    usable: NDArray[np.bool_],
    *,
    row_of: NDArray[np.int64] | None = None,
    count_stuck: bool = False,
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]:
    """Return table rows of the visits (-1 for none), their weights and the walks with at least one.

    A stuck walk repeats its node with weight 0: that is no visit, unless stuck steps are to be counted.
    """
    local = nodes - first
    span = len(usable) if row_of is None else len(row_of)
    inside = (local >= 0) & (local < span)
    if not count_stuck:
        inside &= weights > 0
    local = np.where(inside, local, 0)
    if row_of is not None and span:
        local = row_of[local]
        inside &= local >= 0
        local = np.where(inside, local, 0)
    inside &= usable[local] if len(usable) else False
    rows = np.flatnonzero(inside.any(axis=1))
    return np.where(inside, local, -1)[rows], weights[rows], rows


def _tensors(
    rows: NDArray[np.int64],
    weight: NDArray[np.float32],
    value: NDArray[np.float32],
    square: NDArray[np.float32],
    entries: int,
) -> TargetSums:
    return TargetSums(
        rows=torch.from_numpy(rows),
        weight=torch.from_numpy(weight),
        value=torch.from_numpy(value),
        square=torch.from_numpy(square),
        entries=torch.tensor(float(entries)),
    )


@_compiled
def _sum_bits(
    local: NDArray[np.int64],
    weights: NDArray[np.float32],
    packed: NDArray[np.uint8],
    value: NDArray[np.float32],
    weight: NDArray[np.float32],
) -> int:
    """Add the weight of every visit to the bits that its row has set; return the number of visits."""
    width = value.shape[1]
    visits = 0
    for i in range(local.shape[0]):
        for step in range(local.shape[1]):
            row = local[i, step]
            if row < 0:
                continue
            visits += 1
            w = weights[i, step]
            weight[i, 0] += w
            for byte in range(packed.shape[1]):
                bits = packed[row, byte]
                if bits == 0:
                    continue
                for bit in range(8):
                    j = 8 * byte + bit
                    if (bits >> bit) & 1 and j < width:
                        value[i, j] += w
    return visits


@_compiled
def _sum_dense(
    local: NDArray[np.int64],
    weights: NDArray[np.float32],
    values: NDArray[np.float32],
    sums: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]],
) -> int:
    """Add weight, weight x value and weight x value squared of every visit; return observed entries."""
    value, weight, square = sums
    entries = 0
    for i in range(local.shape[0]):
        for step in range(local.shape[1]):
            row = local[i, step]
            if row < 0:
                continue
            w = weights[i, step]
            for j in range(values.shape[1]):
                x = values[row, j]
                if not np.isnan(x):
                    entries += 1
                    weight[i, j] += w
                    value[i, j] += w * x
                    square[i, j] += w * x * x
    return entries
