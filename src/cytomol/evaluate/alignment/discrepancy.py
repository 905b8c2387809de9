"""Maximum mean discrepancy of two samples: whether they could come from one distribution."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, pdist

from cytomol.counted import counted
from cytomol.errors import InputError

__all__ = ["median_bandwidth", "squared_mmd"]


def squared_mmd(X: NDArray[np.floating], Y: NDArray[np.floating], *, bandwidth: float | None = None) -> float:
    """Return the squared maximum mean discrepancy of two samples with an RBF kernel, without bias.

    MMD^2 = mean_{i != j} k(x_i, x_j) + mean_{i != j} k(y_i, y_j) - 2 mean_{i, j} k(x_i, y_j) with
    k(a, b) = exp(-|a - b|^2 / (2 s^2)). For samples of one distribution it is 0 on average, and may fall
    below.

    Parameters
    ----------
    X, Y
        Shapes (n, d) and (m, d), without NaN.
    bandwidth
        s; by default the median distance of the rows of both (:func:`median_bandwidth`).

    Returns
    -------
    NaN for samples of fewer than two rows.

    Raises
    ------
    InputError
        If the widths differ.

    References
    ----------
    Gretton et al., "A Kernel Two-Sample Test", JMLR 13 (2012), Eq. 3.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> abs(squared_mmd(X[:100], X[100:])) < 0.01 < squared_mmd(X[:100], X[100:] + 2)
    True
    """
    if X.shape[1] != Y.shape[1]:
        columns = counted(Y.shape[1], "column", comma=False)
        raise InputError(f"samples of {X.shape[1]} and {columns} cannot be compared")
    if min(len(X), len(Y)) < 2:
        return float("nan")
    s = median_bandwidth(X, Y) if bandwidth is None else bandwidth
    n, m = len(X), len(Y)
    own_x, own_y = _kernel(X, X, s).sum() - n, _kernel(Y, Y, s).sum() - m
    return float(own_x / (n * (n - 1)) + own_y / (m * (m - 1)) - 2 * _kernel(X, Y, s).mean())


def median_bandwidth(X: NDArray[np.floating], Y: NDArray[np.floating]) -> float:
    """Return the median distance between different rows of two samples taken together; 1 if that is 0."""
    return float(np.median(pdist(np.concatenate([X, Y])))) or 1.0


def _kernel(X: NDArray[np.floating], Y: NDArray[np.floating], s: float) -> NDArray[np.float64]:
    return np.asarray(np.exp(-cdist(X, Y, "sqeuclidean") / (2 * s * s)))
