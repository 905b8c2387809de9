"""The figures of one ranking, query by query, and what chance is worth on each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytomol.evaluate.matching.ranking import (
    average_precision,
    chance_average_precision,
    standing,
)

__all__ = ["FIGURES", "Ranked", "chance_of", "rank_queries"]

Values = NDArray[np.float64]
_FIRST = (1, 5, 10)
_SHARES = (0.01, 0.05)
_CELLS = 4_000_000  # scores held at a time

FIGURES = (
    *(f"recall at {first}" for first in _FIRST),
    *(f"recall at {share:.0%}" for share in _SHARES),
    "MRR",
    "median rank",
    "median rank, share",
    "mAP",
)
"""Names of the figures; of a rank less is better, of all others more."""


@dataclass(frozen=True)
class Ranked:
    """What each query is worth in each figure.

    Attributes
    ----------
    found
        By figure, shape (queries,); NaN in "mAP" for a query without a right answer. Of the ranks the
        figure is the median over queries, of all others the mean.
    chance
        What chance is worth, by figure, shape (queries,).
    candidates
        How many candidates each query had, shape (queries,).
    """

    found: Mapping[str, Values]
    chance: Mapping[str, Values]
    candidates: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.candidates)


def rank_queries(
    asking: NDArray[np.floating],
    answering: NDArray[np.floating],
    queries: NDArray[np.bool_] | None = None,
    labels: NDArray[np.str_] | None = None,
) -> Ranked:
    """Rank the candidates of each query by cosine; candidate i is the right answer to query i.

    Parameters
    ----------
    asking, answering
        Places of queries and of candidates, rows of length 1, no NaN, shape (n, width) each.
    queries
        Which rows ask, shape (n,); None for all. All are candidates.
    labels
        Label of each of the n, "" without one; "mAP" then counts every candidate of the query's label as
        right. None: the right answer alone.

    Notes
    -----
    Scores are rounded to ten decimals, so that equal places tie, and computed some queries at a time.

    Examples
    --------
    >>> ranked = rank_queries(np.eye(20), np.eye(20))
    >>> float(ranked.found["MRR"].mean()), float(ranked.chance["recall at 5%"][0])
    (1.0, 0.05)
    """
    n = len(answering)
    at = np.arange(n) if queries is None else np.flatnonzero(queries)
    candidates = answering.astype(np.float64).T
    parts, rows = [], max(1, _CELLS // max(n, 1))
    for start in range(0, len(at), rows):
        some = at[start : start + rows]
        scores = np.round(asking[some].astype(np.float64) @ candidates, 10)
        parts.append(_values(scores, some, labels))
    positives = np.ones(len(at), dtype=np.int64)
    if labels is not None:
        positives = np.array(
            [(labels == label).sum() if label else 0 for label in labels[at]], dtype=np.int64
        )
    names = parts[0] if parts else _values(np.zeros((0, n)), at, None)
    values = {name: np.concatenate([part[name] for part in parts or [names]]) for name in names}
    return Ranked(values, chance_of(n, positives), np.full(len(at), n))


def _values(
    scores: NDArray[np.float64], right: NDArray[np.int64], labels: NDArray[np.str_] | None
) -> dict[str, Values]:
    """Return the figures of some queries, given the column of the right candidate of each."""
    n = scores.shape[1]
    found = standing(scores, right)
    precision = found.reciprocal_rank
    if labels is not None:
        own = labels[right][:, None]
        precision = average_precision(scores, (labels[None, :] == own) & (own != ""))
    return {
        **{f"recall at {first}": found.within(first) for first in _FIRST},
        **{f"recall at {share:.0%}": found.within(share * n) for share in _SHARES},
        "MRR": found.reciprocal_rank,
        "median rank": found.rank,
        "median rank, share": found.rank / max(n, 1),
        "mAP": precision,
    }


def chance_of(candidates: int, positives: NDArray[np.int64]) -> dict[str, Values]:
    """Return what chance is worth for queries with so many right answers, by figure, shape (queries,)."""
    n, queries = max(candidates, 1), len(positives)

    def each(value: float) -> Values:
        return np.full(queries, value)

    return {
        **{f"recall at {first}": each(min(first / n, 1.0)) for first in _FIRST},
        **{f"recall at {share:.0%}": each(share) for share in _SHARES},
        "MRR": each(float((1 / np.arange(1, n + 1)).mean())),
        "median rank": each((n + 1) / 2),
        "median rank, share": each((n + 1) / 2 / n),
        "mAP": chance_average_precision(positives, n),
    }
