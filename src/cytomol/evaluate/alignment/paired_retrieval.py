"""How often a row of one table finds its own row of another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytomol.errors import InputError
from cytomol.evaluate.matching.ranking import standing

__all__ = ["Retrieval", "retrieve_pairs"]

_TOP = 0.05


@dataclass(frozen=True)
class Retrieval:
    """Of rows that look for their own counterpart among all.

    Attributes
    ----------
    first
        Share of which it is the nearest.
    top
        Share of which it is in the nearest 5%.
    reciprocal
        Mean of 1 / rank.
    """

    first: float
    top: float
    reciprocal: float


def retrieve_pairs(X: NDArray[np.floating], Y: NDArray[np.floating]) -> tuple[Retrieval, Retrieval]:
    """Return how rows of X find theirs in Y by cosine, and rows of Y theirs in X; ties count as half.

    Parameters
    ----------
    X, Y
        Row i of one belongs to row i of the other, shape (n, d), without NaN.

    Raises
    ------
    InputError
        If the shapes differ.

    Examples
    --------
    >>> X = np.eye(4)
    >>> retrieve_pairs(X, X)[0]
    Retrieval(first=1.0, top=1.0, reciprocal=1.0)
    """
    if X.shape != Y.shape:
        raise InputError(f"rows of shapes {X.shape} and {Y.shape} cannot find each other")
    if not len(X):
        nothing = Retrieval(float("nan"), float("nan"), float("nan"))
        return nothing, nothing
    similarity = _unit(X) @ _unit(Y).T
    return _retrieval(similarity), _retrieval(similarity.T)


def _retrieval(similarity: NDArray[np.float64]) -> Retrieval:
    rank = standing(similarity).rank
    few = max(1, round(_TOP * len(similarity)))
    return Retrieval(
        first=float((rank < 2).mean()),
        top=float((rank < few + 1).mean()),
        reciprocal=float((1 / rank).mean()),
    )


def _unit(rows: NDArray[np.floating]) -> NDArray[np.float64]:
    rows = np.asarray(rows, np.float64)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))
