"""Other fillings of unmeasured profiles: the authors' as coded, and the mean of measured neighbours.

Both are kept for comparison; `cytomol.context.propagation` has the form of the paper.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cytomol.context.propagation import Propagated

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["distance_matrix", "measured_mean", "propagate_as_coded"]

_BLOCK = 1024  # molecules compared with all others at a time


def distance_matrix(packed: NDArray[np.uint8], neighbours: int) -> csr_matrix:
    """Return W as the authors' code has it: 1 - squared distance of fingerprints, rows scaled to ``|W| = 1``.

    The squared Euclidean distance of two fingerprints is the number of bits that differ, so nearly all
    "similarities" are negative, and of the neighbours those farther away weigh more. Signs stay: every step
    of a propagation turns them.

    Parameters
    ----------
    packed
        Fingerprints, uint8, shape (n, bytes).
    neighbours
        Nearest molecules kept for each; of equally near ones those that come first.
    """
    from scipy.sparse import csr_matrix

    bits = np.unpackbits(packed, axis=1).astype(np.float32)
    count, n = bits.sum(axis=1), len(bits)
    kept = min(neighbours, n - 1)
    if kept < 1:
        return csr_matrix((n, n), dtype=np.float32)
    nearest = np.empty((n, kept), np.int64)
    weight = np.empty((n, kept), np.float32)
    for first in range(0, n, _BLOCK):
        rows = np.arange(first, min(first + _BLOCK, n))
        distance = count[rows, None] + count - 2 * (bits[rows] @ bits.T)
        distance[np.arange(len(rows)), rows] = np.inf
        # ties in the order of molecules: equal distances are told apart by less than a bit
        order = np.argpartition(distance + np.arange(n) / (2 * n), kept - 1, axis=1)[:, :kept]
        order = np.sort(order, axis=1)
        found = np.take_along_axis(distance, order, axis=1)
        place = np.argsort(found, axis=1, kind="stable")
        nearest[rows] = np.take_along_axis(order, place, axis=1)
        weight[rows] = 1 - np.take_along_axis(found, place, axis=1)
    size = np.abs(weight).sum(axis=1, keepdims=True)
    weight = np.divide(weight, size, out=np.zeros_like(weight), where=size > 0)
    indptr = np.arange(n + 1) * kept
    return csr_matrix((weight.ravel(), nearest.ravel(), indptr), shape=(n, n))


def propagate_as_coded(
    W: csr_matrix, values: NDArray[np.float32], rows: NDArray[np.int64], *, steps: int = 5
) -> Propagated:
    """Iterate X <- W X as the authors' code does: missing rows start at 0, measured rows do not stay.

    A molecule that nothing reached takes the row of its first neighbour, or the mean of the measured
    molecules' rows as they are then.

    Parameters
    ----------
    W
        From `distance_matrix`, shape (n, n).
    values, rows
        Measured profiles, shape (m, width), without NaN, and their molecules, shape (m,).
    steps
        Iterations.

    Returns
    -------
    Propagated
        All molecules.
    """
    everything = np.zeros((W.shape[0], values.shape[1]), np.float32)
    everything[rows] = values
    for _ in range(steps):
        everything = W @ everything
    measured = np.zeros(len(everything), np.bool_)
    measured[rows] = True
    mean = everything[rows].mean(axis=0) if len(rows) else np.zeros(values.shape[1], np.float32)
    for row in np.flatnonzero(~everything.any(axis=1) & ~measured):
        first = W.indices[W.indptr[row] : W.indptr[row + 1]][:1]
        everything[row] = everything[first[0]] if len(first) else mean
    return Propagated(np.arange(len(everything)), everything.astype(np.float32))


def measured_mean(W: csr_matrix, values: NDArray[np.float32], rows: NDArray[np.int64]) -> Propagated:
    """Return the plain mean of each molecule's measured neighbours, its own profile left out.

    Parameters
    ----------
    W
        Neighbour matrix, shape (n, n); which neighbours there are counts, not their weight.
    values, rows
        Measured profiles, shape (m, width), without NaN, and their molecules, shape (m,).

    Returns
    -------
    Propagated
        The molecules with a measured neighbour.
    """
    beside = (W[:, rows] != 0).astype(np.float32)
    count = np.asarray(beside.sum(axis=1)).ravel()
    found = np.flatnonzero(count > 0)
    return Propagated(found, ((beside[found] @ values) / count[found, None]).astype(np.float32))
