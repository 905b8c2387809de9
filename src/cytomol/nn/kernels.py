# ruff: noqa: PLR0917 - Numba binds arguments by position
"""Loops of the fast path on a CPU, compiled by Numba: each is one pass over memory.

Torch writes and reads a whole table for every elementary operation; at the widths of a molecular encoder
that costs as much as the matrix products. These loops do several operations while a row is in the cache.
They know tables of rows only; ``nn.fused`` gives them gradients and says what they compute.

Rows are float32 and contiguous, arguments positional, as Numba wants them. Every function works on a range
of rows (or of molecules), so that several threads can share it; sums over rows go to the caller's buffers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Layout",
    "add_rectified",
    "column_gradient_sums",
    "column_sums",
    "gather",
    "gather_gradient",
    "normalise",
    "normalise_gradient",
    "rectify",
]

F = TypeVar("F", bound=Callable[..., Any])
Rows = NDArray[np.float32]
Columns = NDArray[np.float32]
Sums = NDArray[np.float64]

_SUMMED = 64  # rows added in float32 before the sum goes into float64


def _compiled(function: F) -> F:
    """Compile, free of the interpreter lock. Not every licence of fast arithmetic: a NaN must survive."""
    options = {"nogil": True, "fastmath": {"contract", "reassoc", "nsz"}, "error_model": "numpy"}
    try:
        return cast("F", numba.njit(cache=True, **options)(function))
    except RuntimeError:  # no folder that Numba could keep compiled code in: compile in every process
        return cast("F", numba.njit(**options)(function))


class Layout(NamedTuple):
    """Molecules as consecutive atoms, atoms as consecutive incoming edges.

    atoms: first atom of each molecule, and their number, int64, shape (molecules + 1,); edges: first
    incoming edge of each atom, and their number, int64, shape (atoms + 1,); source: atom that each edge
    comes from, of the same molecule, int64, shape (edges,); bond: row of the bond table, int64, shape
    (edges,).
    """

    atoms: NDArray[np.int64]
    edges: NDArray[np.int64]
    source: NDArray[np.int64]
    bond: NDArray[np.int64]


@_compiled
def gather(
    h: Rows, v: Rows, table: Rows, factor: np.float32, layout: Layout, first: int, last: int, out: Any
) -> None:
    """Lift atoms by their molecule, mix in their neighbours, and add up molecules.

    out: lifted h_i + v_m, mixed factor (h_i + v_m) + sum over j -> i of relu(h_j + v_m + table_ji), pooled
    sum of the lifted; for molecules first to last.
    """
    lifted, mixed, pooled = out
    width = h.shape[1]
    for m in range(first, last):
        for j in range(width):
            pooled[m, j] = 0
        for i in range(layout.atoms[m], layout.atoms[m + 1]):
            for j in range(width):
                value = h[i, j] + v[m, j]
                lifted[i, j] = value
                mixed[i, j] = factor * value
                pooled[m, j] += value
        for i in range(layout.atoms[m], layout.atoms[m + 1]):
            for e in range(layout.edges[i], layout.edges[i + 1]):
                s, b = layout.source[e], layout.bond[e]
                for j in range(width):
                    value = lifted[s, j] + table[b, j]
                    mixed[i, j] += np.float32(0) if value < 0 else value


@_compiled
def gather_gradient(
    lifted: Rows,
    table: Rows,
    factor: np.float32,
    layout: Layout,
    gradients: Any,
    first: int,
    last: int,
    out: Any,
) -> float:
    """Undo ``gather``: gradients of (lifted, mixed, pooled) become those of h, v and the bond table.

    The gradient of the table is added to the caller's buffer; that of the factor is returned.
    """
    by_lifted, by_mixed, by_pooled = gradients
    by_h, by_v, by_table = out
    width = lifted.shape[1]
    by_factor = np.float64(0)
    for m in range(first, last):
        for i in range(layout.atoms[m], layout.atoms[m + 1]):
            dot = np.float32(0)
            for j in range(width):
                dot += by_mixed[i, j] * lifted[i, j]
                by_h[i, j] = factor * by_mixed[i, j] + by_lifted[i, j] + by_pooled[m, j]
            by_factor += dot
        for i in range(layout.atoms[m], layout.atoms[m + 1]):
            for e in range(layout.edges[i], layout.edges[i + 1]):
                s, b = layout.source[e], layout.bond[e]
                for j in range(width):
                    passed = by_mixed[i, j] if lifted[s, j] + table[b, j] > 0 else np.float32(0)
                    by_h[s, j] += passed
                    by_table[b, j] += passed
        for j in range(width):
            by_v[m, j] = 0
        for i in range(layout.atoms[m], layout.atoms[m + 1]):
            for j in range(width):
                by_v[m, j] += by_h[i, j]
    return by_factor


@_compiled
def column_sums(rows: Rows, shift: Columns, first: int, last: int, sums: Sums) -> None:
    """Add (x - shift) and its square over rows to ``sums``, shape (2, width)."""
    width = rows.shape[1]
    part = np.empty((2, width), np.float32)
    for start in range(first, last, _SUMMED):
        part[:] = 0
        for i in range(start, min(start + _SUMMED, last)):
            for j in range(width):
                value = rows[i, j] - shift[j]
                part[0, j] += value
                part[1, j] += value * value
        for j in range(width):
            sums[0, j] += part[0, j]
            sums[1, j] += part[1, j]


@_compiled
def rectify(
    rows: Rows,
    columns: tuple[Columns, Columns, Columns],
    first: int,
    last: int,
    out: tuple[Rows, NDArray[np.bool_]],
) -> None:
    """Return relu(scale (x - mean) + offset), and where a gradient passes."""
    mean, scale, offset = columns
    result, passes = out
    for i in range(first, last):
        for j in range(rows.shape[1]):
            value = scale[j] * (rows[i, j] - mean[j]) + offset[j]
            passes[i, j] = value > 0
            result[i, j] = np.float32(0) if value < 0 else value


@_compiled
def add_rectified(rows: Rows, base: Rows, rectified: bool, first: int, last: int) -> None:
    """Make rows base + relu(x), or base + x."""
    for i in range(first, last):
        if rectified:
            for j in range(rows.shape[1]):
                value = rows[i, j]
                rows[i, j] = base[i, j] + (np.float32(0) if value < 0 else value)
        else:
            for j in range(rows.shape[1]):
                rows[i, j] += base[i, j]


@_compiled
def normalise(
    rows: Rows,
    columns: tuple[Columns, Columns, Columns],
    base: Rows,
    rectified: bool,
    drop: tuple[NDArray[np.int16], int, np.float32],
    first: int,
    last: int,
    out: tuple[Rows, NDArray[np.bool_]],
) -> None:
    """Return base + dropout(relu(scale (x - mean) + offset)), and where a gradient passes.

    drop: random bits (no rows: no dropout), the smallest that keep, and the factor of what is kept.
    """
    mean, scale, offset = columns
    bits, threshold, factor = drop
    result, passes = out
    dropping = len(bits) > 0
    for i in range(first, last):
        for j in range(rows.shape[1]):
            value = scale[j] * (rows[i, j] - mean[j]) + offset[j]
            passes[i, j] = not (rectified and value < 0)
            result[i, j] = value
        if dropping:
            for j in range(rows.shape[1]):
                passes[i, j] = passes[i, j] and bits[i, j] >= threshold
        for j in range(rows.shape[1]):
            kept = factor * result[i, j] if passes[i, j] else np.float32(0)
            result[i, j] = base[i, j] + kept


@_compiled
def column_gradient_sums(
    gradient: Rows,
    passes: NDArray[np.bool_],
    rows: Rows,
    columns: tuple[Columns, Columns],
    first: int,
    last: int,
    sums: Sums,
) -> None:
    """Add g and g x̂ over rows to ``sums``, shape (2, width), with g the gradient where it passes.

    columns: mean and reciprocal deviation, so that x̂ = (x - mean) reciprocal.
    """
    mean, reciprocal = columns
    width = rows.shape[1]
    part = np.empty((2, width), np.float32)
    for start in range(first, last, _SUMMED):
        part[:] = 0
        for i in range(start, min(start + _SUMMED, last)):
            for j in range(width):
                g = gradient[i, j] if passes[i, j] else np.float32(0)
                part[0, j] += g
                part[1, j] += g * ((rows[i, j] - mean[j]) * reciprocal[j])
        for j in range(width):
            sums[0, j] += part[0, j]
            sums[1, j] += part[1, j]


@_compiled
def normalise_gradient(
    gradient: Rows,
    passes: NDArray[np.bool_],
    rows: Rows,
    columns: tuple[Columns, Columns, Columns, Columns],
    first: int,
    last: int,
    out: Rows,
) -> None:
    """Return scale g + slope (x - mean) + offset, with g the gradient where it passes, else 0.

    ``out`` may be ``gradient``.
    """
    mean, scale, slope, offset = columns
    row = np.empty(rows.shape[1], np.float32)  # loops that write where they read are not vectorised
    for i in range(first, last):
        for j in range(rows.shape[1]):
            row[j] = gradient[i, j] if passes[i, j] else np.float32(0)
        for j in range(rows.shape[1]):
            out[i, j] = scale[j] * row[j] + (slope[j] * (rows[i, j] - mean[j]) + offset[j])
