"""Centred kernel alignment of two descriptions of the same rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cytomol.counted import counted
from cytomol.errors import InputError

__all__ = ["linear_cka"]

_FEWEST = 4  # rows of which the debiased form can be told


def linear_cka(X: NDArray[np.floating], Y: NDArray[np.floating], *, debiased: bool = False) -> float:
    """Return how alike two descriptions of the same rows are, by linear CKA.

    CKA = HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L)) with K = X X^T and L = Y Y^T. Rotation, shift and scale of
    either side do not count. 1 is the same up to these. Descriptions that have nothing to do with each other
    come to 0 in the debiased form alone: the plain one rises with the number of columns.

    Parameters
    ----------
    X, Y
        Row i of one belongs to row i of the other, shapes (n, d) and (n, e), without NaN.
    debiased
        Estimate HSIC without bias; the result may fall below 0.

    Returns
    -------
    NaN for fewer than two rows (four where debiased), or where one side is constant.

    Raises
    ------
    InputError
        If the numbers of rows differ.

    References
    ----------
    Kornblith et al., "Similarity of Neural Network Representations Revisited", ICML 2019; Song et al.,
    "Feature Selection via Dependence Maximization", JMLR 13 (2012), for HSIC without bias.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(50, 3))
    >>> round(linear_cka(X, 2 * X[:, ::-1] + 1), 6)
    1.0
    """
    if len(X) != len(Y):
        rows = counted(len(X), "row", comma=False)
        raise InputError(f"{rows} beside {len(Y)}", hint="row i of one belongs to row i of the other")
    if len(X) < (_FEWEST if debiased else 2) or any((side == side[0]).all() for side in (X, Y)):
        return float("nan")
    left, right = (np.asarray(side, np.float64) for side in (X, Y))
    left, right = left - left.mean(axis=0), right - right.mean(axis=0)
    hsic = _unbiased if debiased else _plain
    both, first, second = hsic(left, right), hsic(left, left), hsic(right, right)
    if first <= 0 or second <= 0:
        return float("nan")
    return float(both / np.sqrt(first * second))


def _plain(X: NDArray[np.float64], Y: NDArray[np.float64]) -> float:
    """Return |X^T Y|^2 of centred sides: (n - 1)^2 times HSIC; from Gram matrices where these are smaller."""
    n = len(X)
    if n < max(X.shape[1], Y.shape[1]):
        return float(((X @ X.T) * (Y @ Y.T)).sum())
    return float(np.square(X.T @ Y).sum())


def _unbiased(X: NDArray[np.float64], Y: NDArray[np.float64]) -> float:
    """Return n (n - 3) times HSIC_1 of Song et al., Eq. 5: the diagonals of K and L are left out."""
    n = len(X)
    K, L = X @ X.T, Y @ Y.T
    np.fill_diagonal(K, 0)
    np.fill_diagonal(L, 0)
    rows, columns = K.sum(axis=0), L.sum(axis=0)
    middle = rows.sum() * columns.sum() / ((n - 1) * (n - 2))
    return float((K * L).sum() + middle - 2 / (n - 2) * (rows @ columns))
