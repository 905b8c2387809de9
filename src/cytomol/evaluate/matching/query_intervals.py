"""Figures with bootstrap intervals over queries, and paired differences between two models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cytomol.counted import counted
from cytomol.errors import InputError
from cytomol.evaluate.matching.figures import Ranked

__all__ = ["Estimate", "difference", "estimate", "pooled", "statistic_of"]

Values = NDArray[np.float64]
Statistic = Literal["mean", "median"]
_CHUNK = 200  # draws at a time
_FEWEST = 5  # queries that an interval takes


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95% interval when queries are drawn again; NaN from fewer than five queries."""

    value: float
    low: float
    high: float


def statistic_of(figure: str) -> Statistic:
    """Return how a figure sums up its queries."""
    return "median" if figure.startswith("median") else "mean"


def pooled(parts: Sequence[Ranked]) -> Ranked:
    """Put the queries of several rankings one behind the other: folds, say, each with its own candidates."""
    return Ranked(
        {name: np.concatenate([part.found[name] for part in parts]) for name in parts[0].found},
        {name: np.concatenate([part.chance[name] for part in parts]) for name in parts[0].chance},
        np.concatenate([part.candidates for part in parts]),
    )


def estimate(values: Values, statistic: Statistic = "mean", *, draws: int = 2000, seed: int = 0) -> Estimate:
    """Return the mean or median over queries with its interval.

    Parameters
    ----------
    values
        One a query, NaN where there is none, shape (queries,).
    statistic
        "mean" or "median".
    draws, seed
        How often queries are drawn, with replacement, and the seed of the draws.

    Examples
    --------
    >>> import numpy as np
    >>> found = estimate(np.arange(100.0))
    >>> found.value, bool(found.low < 49.5 < found.high)
    (49.5, True)
    """
    return _interval([values[~np.isnan(values)]], statistic, draws, seed)


def difference(
    first: Values, second: Values, statistic: Statistic = "mean", *, draws: int = 2000, seed: int = 0
) -> Estimate:
    """Return by how much the first exceeds the second on the same queries, with its interval.

    Parameters
    ----------
    first, second
        One a query, in the same order, shape (queries,) each.
    statistic
        "mean": of the differences; "median": difference of the medians.
    draws, seed
        See :func:`estimate`.

    Raises
    ------
    InputError
        If the queries are not the same number.
    """
    if first.shape != second.shape:
        queries = counted(len(second), "query", plural="queries", comma=False)
        raise InputError(f"{len(first)} and {queries}", hint="pair the same queries")
    known = ~(np.isnan(first) | np.isnan(second))
    return _interval([first[known], second[known]], statistic, draws, seed)


def _interval(columns: list[Values], statistic: Statistic, draws: int, seed: int) -> Estimate:
    n = len(columns[0])
    if not n:
        return Estimate(float("nan"), float("nan"), float("nan"))
    value = _statistic(columns, statistic)
    if n < _FEWEST:
        return Estimate(value, float("nan"), float("nan"))
    if statistic == "mean":
        apart = columns[0] if len(columns) == 1 else columns[0] - columns[1]
        drawn = _counts(n, draws, seed) @ apart / n
    else:
        drawn = np.concatenate([_medians(columns, rows) for rows in _draws(n, draws, seed)])
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(value, float(low), float(high))


def _statistic(columns: list[Values], statistic: Statistic) -> float:
    found = [float(np.mean(one) if statistic == "mean" else np.median(one)) for one in columns]
    return found[0] if len(found) == 1 else found[0] - found[1]


def _medians(columns: list[Values], rows: NDArray[np.int64]) -> Values:
    """Return the median of each draw, or the difference of two, shape (draws,)."""
    found = [np.asarray(np.median(column[rows], axis=1)) for column in columns]
    return found[0] if len(found) == 1 else found[0] - found[1]


@lru_cache(maxsize=4)
def _counts(n: int, draws: int, seed: int) -> Values:
    """Return how often each query is drawn, shape (draws, n); figures of the same queries share it."""
    counts = [np.bincount(row, minlength=n) for rows in _draws(n, draws, seed) for row in rows]
    return np.array(counts, dtype=np.float64)


def _draws(n: int, draws: int, seed: int) -> Iterator[NDArray[np.int64]]:
    rng = np.random.default_rng((seed, n))
    for at in range(0, draws, _CHUNK):
        yield rng.integers(0, n, (min(_CHUNK, draws - at), n))
