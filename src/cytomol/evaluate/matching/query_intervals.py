"""Figures with bootstrap intervals over queries, and paired differences between two models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

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
        raise InputError(f"{len(first)} and {len(second)} queries", hint="pair the same queries")
    known = ~(np.isnan(first) | np.isnan(second))
    return _interval([first[known], second[known]], statistic, draws, seed)


def _interval(columns: list[Values], statistic: Statistic, draws: int, seed: int) -> Estimate:
    n = len(columns[0])
    if not n:
        return Estimate(float("nan"), float("nan"), float("nan"))
    reduce = np.mean if statistic == "mean" else np.median

    def over(rows: NDArray[np.int64]) -> Values:
        sums = [np.asarray(reduce(column[rows], axis=-1)) for column in columns]
        return sums[0] if len(sums) == 1 else sums[0] - sums[1]

    value = float(over(np.arange(n)))
    if n < _FEWEST:
        return Estimate(value, float("nan"), float("nan"))
    drawn = np.concatenate([over(rows) for rows in _draws(n, draws, seed)])
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(value, float(low), float(high))


def _draws(n: int, draws: int, seed: int) -> Iterator[NDArray[np.int64]]:
    rng = np.random.default_rng((seed, n))
    for at in range(0, draws, _CHUNK):
        yield rng.integers(0, n, (min(_CHUNK, draws - at), n))
