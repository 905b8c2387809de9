"""Profiles for unmeasured molecules: what their structural neighbours say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from cytomol.context.cosine import complete
from cytomol.counted import counted
from cytomol.errors import ConfigError, InputError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["Propagated", "held_out_propagate", "neighbour_matrix", "propagate"]

_COLUMNS = 128  # features propagated at a time: the working copies stay small beside the result


@dataclass(frozen=True)
class Propagated:
    """Profiles of the molecules that hold one after propagation.

    Attributes
    ----------
    rows
        Molecules, rising, int64, shape (r,).
    values
        Their profiles, float32, shape (r, width).
    """

    rows: NDArray[np.int64]
    values: NDArray[np.float32]


def neighbour_matrix(indices: NDArray[np.int32], similarity: NDArray[np.float32]) -> csr_matrix:
    """Return W: similarity to each molecule's nearest neighbours, rows scaled to sum 1 (CHMR, Eq. 1).

    Parameters
    ----------
    indices
        Neighbours, shape (n, k); -1 is none.
    similarity
        Their similarities, shape (n, k); 0 is none.

    Returns
    -------
    csr_matrix
        float32, shape (n, n); the row of a molecule without neighbours is empty.
    """
    from scipy.sparse import csr_matrix

    n = len(indices)
    some = (indices >= 0) & (similarity > 0)
    weight = np.where(some, similarity, 0).astype(np.float64)
    weight /= np.maximum(weight.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    indptr = np.concatenate([[0], np.cumsum(some.sum(axis=1))])
    return csr_matrix((weight[some].astype(np.float32), indices[some].astype(np.int32), indptr), shape=(n, n))


def propagate(
    W: csr_matrix,
    values: NDArray[np.float32],
    rows: NDArray[np.int64],
    *,
    steps: int = 5,
    restore: bool = True,
    fill: Literal["renormalise", "mean"] = "renormalise",
    wanted: NDArray[np.bool_] | None = None,
) -> Propagated:
    """Iterate x_i <- sum_j W_ij x_j from the observed profiles (CHMR, modality augmentation).

    What a molecule that holds no value yet contributes is a choice. ``fill="renormalise"``, the default,
    averages over the neighbours that hold a value, their weights scaled to sum 1, so that no placeholder
    leaks into a profile. ``fill="mean"``, the published code, lets every unobserved molecule start with
    the column mean of the observed ones, which then mixes in.

    Parameters
    ----------
    W
        Row-normalised neighbour matrix, shape (n, n).
    values
        Observed profiles, shape (n_obs, width); entries that are not finite count as their column's mean.
    rows
        Molecules that they belong to, each once, int64, shape (n_obs,).
    steps
        Iterations; a molecule further than that from any observed one is not reached.
    restore
        Observed rows keep their values at every step. False lets them be overwritten by their neighbours'
        average, as the authors' code does (a bug, kept selectable to reproduce it).
    fill
        What molecules without a value contribute.
    wanted
        Molecules whose profiles are returned, if they are reached, bool, shape (n,); all when None. Memory is
        taken for their profiles, and for a few features of all.

    Returns
    -------
    Propagated
        Observed and reached molecules, of those wanted; with ``restore`` the observed ones hold ``values``. A
        row whose neighbours hold nothing (with ``fill="mean"``: that has no neighbours) keeps what it has.

    Raises
    ------
    InputError
        If rows repeat, lie outside the matrix, or do not match the values.
    ConfigError
        If ``fill`` is unknown or ``steps`` negative.
    """
    values, rows = _checked(W, values, rows)
    values = complete(values)
    if fill not in ("renormalise", "mean") or steps < 0:
        raise ConfigError(
            f"cannot propagate with fill={fill!r} and {counted(steps, 'step', comma=False)}",
            hint="fill is renormalise or mean, steps at least 0",
        )
    if not len(rows):
        return Propagated(rows, values)
    wanted = np.ones(W.shape[0], bool) if wanted is None else wanted
    holders = _reach(W, rows, steps)
    reached = np.flatnonzero(holders[-1])
    observed = np.searchsorted(reached, rows)
    fixed = np.zeros(len(reached), bool)
    fixed[observed] = restore
    averages = _averages(W, holders, reached, fixed, fill)
    kept = np.flatnonzero(wanted[reached])
    result = _walk(averages, values, observed, len(reached), kept)
    if restore:
        own = wanted[rows]
        result[np.searchsorted(kept, observed[own])] = values[own]
    return Propagated(reached[kept], result)


def _averages(
    W: csr_matrix,
    holders: list[NDArray[np.bool_]],
    reached: NDArray[np.int64],
    fixed: NDArray[np.bool_],
    fill: Literal["renormalise", "mean"],
) -> list[tuple[NDArray[np.int64], csr_matrix]]:
    """Return for each step which of the reached rows change, and the matrix that averages their neighbours.

    Parameters
    ----------
    W
        Row-normalised neighbour matrix, shape (n, n).
    holders
        Before the first step and after each, which molecules hold a value, shape (n,) each.
    reached
        Molecules that hold one at the end, rising, shape (r,).
    fixed
        Which of them keep their value at every step, shape (r,).
    fill
        What molecules without a value contribute.
    """
    inner = W[reached][:, reached]
    if fill == "mean":
        changing = np.flatnonzero(~fixed & (np.diff(W.indptr)[reached] > 0))
        return [(changing, inner[changing])] * (len(holders) - 1)
    averages: list[tuple[NDArray[np.int64], csr_matrix]] = []
    for step, holding in enumerate(holders[:-1]):
        if step and np.array_equal(holding, holders[step - 1]):
            averages.append(averages[-1])  # nobody is reached any more: the same matrix, held once
        else:
            averages.append(_renormalised(inner, holding[reached], fixed))
    return averages


def _walk(
    averages: list[tuple[NDArray[np.int64], csr_matrix]],
    values: NDArray[np.float32],
    observed: NDArray[np.int64],
    reached: int,
    kept: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Return the profiles of the ``kept`` ones of all reached molecules, float32, shape (kept, width).

    Centred on the column mean, a placeholder is 0: molecules never reached need not take part.
    """
    mean = values.mean(axis=0, dtype=np.float64).astype(np.float32)
    result = np.empty((len(kept), values.shape[1]), np.float32)
    for first in range(0, values.shape[1], _COLUMNS):
        part = slice(first, first + _COLUMNS)
        state = np.zeros((reached, len(mean[part])), np.float32)
        state[observed] = values[:, part] - mean[part]
        for changing, matrix in averages:
            state[changing] = matrix @ state
        result[:, part] = state[kept] + mean[part]
    return result


def _checked(
    W: csr_matrix, values: NDArray[np.float32], rows: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return values and rows sorted by row."""
    rows = np.asarray(rows, np.int64)
    if values.ndim != 2 or len(values) != len(rows):
        given = counted(len(rows), "row", comma=False)
        raise InputError(f"{given} for observed profiles of shape {values.shape}")
    order = np.argsort(rows, kind="stable")
    rows = rows[order]
    if len(rows) and not (rows[0] >= 0 and rows[-1] < W.shape[0]):
        molecules = counted(W.shape[0], "molecule", comma=False)
        raise InputError(f"observed rows {rows[0]} to {rows[-1]} for {molecules}")
    if np.any(rows[1:] == rows[:-1]):
        raise InputError("a molecule has several observed profiles", hint="average them first")
    return np.asarray(values, np.float32)[order], rows


def _reach(W: csr_matrix, rows: NDArray[np.int64], steps: int) -> list[NDArray[np.bool_]]:
    """Return, before the first step and after each, which molecules hold a value; shape (n,) each."""
    held = np.zeros(W.shape[0], bool)
    held[rows] = True
    masks = [held]
    for _ in range(steps):
        masks.append(masks[-1] | (W @ masks[-1].astype(np.float32) > 0))
    return masks


def _renormalised(
    W: csr_matrix, held: NDArray[np.bool_], fixed: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], csr_matrix]:
    """Return the rows that change in a step, and the matrix that averages their neighbours with values."""
    from scipy.sparse import diags

    weight = W @ held.astype(np.float32)
    changing = np.flatnonzero(~fixed & (weight > 0))
    return changing, (diags(1 / weight[changing]) @ W[changing]).tocsr().astype(np.float32)


def held_out_propagate(
    W: csr_matrix,
    values: NDArray[np.float32],
    rows: NDArray[np.int64],
    *,
    steps: int = 5,
    folds: int = 5,
    seed: int = 0,
    fill: Literal["renormalise", "mean"] = "renormalise",
) -> Propagated:
    """Return what the neighbours say of each observed molecule, its own value held out.

    The observed molecules are dealt into folds at random; each fold is treated as unobserved and receives
    its profiles from the others.

    Parameters
    ----------
    W, values, rows, steps, fill
        As in `propagate`.
    folds
        Number of folds; at most one per observed molecule.
    seed
        Decides who shares a fold.

    Returns
    -------
    Propagated
        The observed molecules that the others reach.
    """
    if folds < 2:
        few = counted(folds, "fold", comma=False)
        raise ConfigError(f"cannot hold out with {few}", hint="holding out needs at least 2")
    values, rows = _checked(W, values, rows)
    fold = np.random.default_rng(seed).permutation(len(rows)) % min(folds, max(len(rows), 1))
    found, estimates = [rows[:0]], [values[:0]]
    for number in range(fold.max(initial=-1) + 1):
        out = fold == number
        if out.all():
            continue
        wanted = np.zeros(W.shape[0], bool)
        wanted[rows[out]] = True
        told = propagate(W, values[~out], rows[~out], steps=steps, fill=fill, wanted=wanted)
        found.append(told.rows)
        estimates.append(told.values)
    reached = np.concatenate(found)
    order = np.argsort(reached)
    return Propagated(reached[order], np.concatenate(estimates)[order])
