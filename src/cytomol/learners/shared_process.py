"""A Gaussian process over several tasks, which share a part of each kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["SharedKernel", "apply_kernels", "solve_kernels"]

_ROUNDS = 200
_CLOSE = 1e-3  # share of the right-hand side that may be left over

Matrix = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SharedKernel:
    """A term of the covariance of (i, t) and (j, u): r_t r_u K(i, j) (``shared`` + (1 - ``shared``) [t = u]).

    Attributes
    ----------
    matrix
        Likeness of molecules i with molecules j, float32, shape (m, n).
    root
        r: root of the variance of the term in each task, float32, shape (tasks,).
    shared
        Correlation of any two tasks t and u in it.
    """

    matrix: Matrix
    root: Matrix
    shared: float


def apply_kernels(kernels: Sequence[SharedKernel], weights: Matrix) -> Matrix:
    """Return the covariance times weights, (n, tasks) -> (m, tasks)."""
    result = np.zeros((len(kernels[0].matrix), weights.shape[1]), np.float32)
    for kernel in kernels:
        own = weights * kernel.root
        shared = np.float32(kernel.shared)
        together = own.sum(axis=1, keepdims=True)
        result += kernel.root * (kernel.matrix @ ((1 - shared) * own + shared * together))
    return result


def solve_kernels(
    kernels: Sequence[SharedKernel], labels: NDArray[np.float64], noise: Matrix
) -> NDArray[np.float32]:
    """Return the weights w of the posterior mean, (covariance + noise) w = labels, by conjugate gradients.

    Parameters
    ----------
    kernels
        Terms of the covariance of the training molecules, each matrix (n, n).
    labels
        Centred labels, NaN where nothing was measured, shape (n, tasks).
    noise
        Variance of the noise of a label of each task, float32, shape (tasks,).

    Returns
    -------
    Float32, shape (n, tasks), 0 where nothing was measured; the posterior mean of other molecules is
    :func:`apply_kernels` of their kernels.

    References
    ----------
    Rasmussen & Williams, "Gaussian Processes for Machine Learning", 2006, eq. 2.25; Bonilla et al.,
    "Multi-task Gaussian process prediction", NeurIPS 2007, eq. 2; Shewchuk, 1994, B3 (Jacobi preconditioner).

    Examples
    --------
    >>> like = np.array([[1.0, 0.5], [0.5, 1.0]], np.float32)
    >>> one = np.ones(1, np.float32)
    >>> solve_kernels([SharedKernel(like, one, 0.0)], np.array([[1.0], [np.nan]]), one).tolist()
    [[0.5], [0.0]]
    """
    known = ~np.isnan(labels)
    left = np.where(known, labels, 0.0).astype(np.float32)
    diagonal = np.tile(noise, (len(left), 1))
    for kernel in kernels:
        diagonal += np.diagonal(kernel.matrix)[:, None] * kernel.root**2
    turned = left / diagonal
    found, way = np.zeros_like(left), turned.copy()
    size, enough = _dot(left, turned), _CLOSE**2 * _dot(left, left)
    for _ in range(_ROUNDS):
        if _dot(left, left) <= enough:
            break
        along = np.where(known, apply_kernels(kernels, way) + noise * way, np.float32(0))
        step = np.float32(size / _dot(way, along))
        found += step * way
        left -= step * along
        turned = left / diagonal
        before, size = size, _dot(left, turned)
        way = turned + np.float32(size / before) * way
    return found


def _dot(a: Matrix, b: Matrix) -> float:
    return float(np.vdot(a.astype(np.float64), b))
