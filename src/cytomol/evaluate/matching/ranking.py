"""Where the right answer stands among the candidates of each query, and what follows from that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Standing", "average_precision", "chance_average_precision", "standing"]

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Standing:
    """How many candidates stand before, and level with, the right one of each query.

    Attributes
    ----------
    before, level
        Wrong candidates with a higher score than the right one, and with the same, int64, shape (queries,).
    candidates
        How many there are, the right one among them.

    Notes
    -----
    Candidates of equal score stand in an order that chance decides, and every figure is its expectation
    over those orders: a model that scores all alike is worth exactly what chance is worth.

    Examples
    --------
    >>> import numpy as np
    >>> found = standing(np.array([[0.9, 0.1], [0.5, 0.5]]))
    >>> found.rank.tolist(), found.within(1).tolist()
    ([1.0, 1.5], [1.0, 0.5])
    """

    before: NDArray[np.int64]
    level: NDArray[np.int64]
    candidates: int

    @property
    def rank(self) -> Values:
        """Rank of the right candidate, from 1, the mean over ties, shape (queries,)."""
        return self.before + 1 + self.level / 2

    @property
    def reciprocal_rank(self) -> Values:
        """One over the rank, shape (queries,)."""
        sums = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, self.candidates + 1))])
        return np.asarray((sums[self.before + self.level + 1] - sums[self.before]) / (self.level + 1))

    def within(self, first: float) -> Values:
        """Return how often the right candidate is among the ``first`` ones, shape (queries,).

        ``first`` may be a fraction, for a share of the candidates: of the first 5.15, the sixth place counts
        0.15, so that 5% by chance are 5% whatever the number of candidates.
        """
        return np.asarray(np.clip((first - self.before) / (self.level + 1), 0, 1))


def standing(scores: NDArray[np.floating], right: NDArray[np.int64] | None = None) -> Standing:
    """Return how the right candidate of each query stands.

    Parameters
    ----------
    scores
        Higher is better, no NaN, shape (queries, candidates).
    right
        Column of the right candidate of each query, shape (queries,); None if it is the diagonal.
    """
    rows = np.arange(len(scores))
    own = scores[rows, rows if right is None else right][:, None]
    level = (scores == own).sum(axis=1) - 1
    return Standing((scores > own).sum(axis=1).astype(np.int64), level.astype(np.int64), scores.shape[1])


def average_precision(scores: NDArray[np.floating], positive: NDArray[np.bool_]) -> Values:
    """Return the average precision of each query as copairs defines it, expected over ties, shape (queries,).

    The precision among the first places down to each positive candidate, averaged over the positives; NaN
    for a query that has none. With one positive it is the reciprocal rank.

    Parameters
    ----------
    scores
        Higher is better, shape (queries, candidates).
    positive
        Which candidates are right, shape (queries, candidates).

    References
    ----------
    Kalinin et al., "A versatile information retrieval framework for evaluating profile strength and
    similarity", Nature Communications 2025.

    Examples
    --------
    >>> import numpy as np
    >>> average_precision(np.array([[0.9, 0.8, 0.1]]), np.array([[True, False, True]])).round(3).tolist()
    [0.833]
    """
    return np.array([_precision(*row) for row in zip(scores, positive, strict=True)], dtype=np.float64)


def _precision(scores: NDArray[np.floating], positive: NDArray[np.bool_]) -> float:
    if not positive.any():
        return float("nan")
    _, block = np.unique(-scores, return_inverse=True)
    size = np.bincount(block)
    hits = np.bincount(block, weights=positive)
    size_before, hits_before = np.cumsum(size) - size, np.cumsum(hits) - hits
    # place j of a block of equal scores holds a positive with probability hits / size; given that, the j - 1
    # places before it in the block hold (j - 1) (hits - 1) / (size - 1) of the other positives
    place = np.arange(1, len(scores) + 1) - size_before.repeat(size)
    others = (place - 1) * ((hits - 1) / np.maximum(size - 1, 1)).repeat(size)
    precision = (hits_before.repeat(size) + 1 + others) / np.arange(1, len(scores) + 1)
    return float(((hits / size).repeat(size) * precision).sum() / positive.sum())


def chance_average_precision(positives: NDArray[np.int64], candidates: int) -> Values:
    """Return the average precision that chance is worth, NaN without positives, shape (queries,).

    Parameters
    ----------
    positives
        Right candidates of each query, shape (queries,).
    candidates
        How many there are in all.

    Examples
    --------
    >>> import numpy as np
    >>> chance_average_precision(np.array([1]), 2).tolist()
    [0.75]
    """
    harmonic = float((1 / np.arange(1, candidates + 1)).sum())
    share = (positives - 1) / max(candidates - 1, 1)
    return np.where(positives > 0, (share * (candidates - harmonic) + harmonic) / candidates, np.nan)
