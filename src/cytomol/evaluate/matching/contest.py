"""All entrants on the same candidates, in every stratum and both directions: one table of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.counted import counted
from cytomol.errors import InputError
from cytomol.evaluate.matching.entrants import Entrant
from cytomol.evaluate.matching.figures import FIGURES, Ranked, rank_queries
from cytomol.evaluate.matching.query_intervals import difference, estimate, statistic_of
from cytomol.evaluate.matching.strata import Stratum

__all__ = ["DIRECTIONS", "Rankings", "rank_entrant", "rows_of"]

DIRECTIONS = ("molecule to profile", "profile to molecule")
Rankings = dict[tuple[str, str], Ranked]
"""What the queries of each stratum and direction are worth."""


def rank_entrant(
    entrant: Entrant, strata: Sequence[Stratum], labels: NDArray[np.str_] | None = None
) -> Rankings:
    """Rank the candidates of every stratum in both directions.

    Parameters
    ----------
    entrant
        Who places the candidates.
    strata
        Who asks and who is ranked.
    labels
        For mAP: see :func:`~cytomol.evaluate.matching.figures.rank_queries`.

    Raises
    ------
    InputError
        If the entrant cannot place a candidate.
    """
    molecules, profiles = entrant.places()
    for noun, places in (("molecule", molecules), ("profile", profiles)):
        if lost := int(np.isnan(places).any(axis=1).sum()):
            raise InputError(f"{entrant.name} cannot place {counted(lost, noun, comma=False)}")
    rankings: Rankings = {}
    for stratum in strata:
        at = np.flatnonzero(stratum.candidates)
        queries = stratum.queries[at]
        own = None if labels is None else labels[at]
        for direction, (asking, answering) in zip(
            DIRECTIONS, ((molecules, profiles), (profiles, molecules)), strict=True
        ):
            rankings[stratum.name, direction] = rank_queries(asking[at], answering[at], queries, own)
    return rankings


def rows_of(
    rankings: Mapping[str, Rankings],
    seen: Mapping[str, str],
    *,
    reference: str | None = None,
    draws: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return a row per entrant, stratum, direction and figure.

    Parameters
    ----------
    rankings
        By name of the entrant, all over the same queries.
    seen
        Whether each has seen the candidates.
    reference
        The entrant from which paired differences are taken; None for none.
    draws, seed
        Of the bootstrap over queries.

    Returns
    -------
    DataFrame
        ``model``, ``seen``, ``stratum``, ``direction``, ``figure``, ``value``, ``low``, ``high``, ``chance``,
        ``queries``, ``candidates`` (mean over queries), ``reference``, ``difference``, ``difference_low`` and
        ``difference_high`` (empty for the reference itself). Intervals hold 95% of the draws.
    """
    rows = []
    for name, ranking in rankings.items():
        for (stratum, direction), ranked in ranking.items():
            base = rankings[reference][stratum, direction] if reference not in (None, name) else None
            for figure in FIGURES:
                head = {"model": name, "seen": seen[name], "stratum": stratum, "direction": direction}
                row = head | _row(figure, ranked, draws=draws, seed=seed)
                row["reference"] = reference if base is not None else ""
                rows.append(row | _apart(figure, ranked, base, draws=draws, seed=seed))
    return pd.DataFrame(rows)


def _row(figure: str, ranked: Ranked, *, draws: int, seed: int) -> dict[str, object]:
    """Return the figure, its interval, and what chance is worth."""
    statistic, own = statistic_of(figure), ranked.found[figure]
    found = estimate(own, statistic, draws=draws, seed=seed)
    return {
        "figure": figure,
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "chance": estimate(ranked.chance[figure], statistic, draws=1).value,
        "queries": int((~np.isnan(own)).sum()),
        "candidates": float(ranked.candidates.mean()) if len(ranked) else 0.0,
    }


def _apart(figure: str, ranked: Ranked, base: Ranked | None, *, draws: int, seed: int) -> dict[str, object]:
    """Return the paired difference from the reference, NaN where there is none."""
    names = ("difference", "difference_low", "difference_high")
    if base is None:
        return dict.fromkeys(names, np.nan)
    first, second = ranked.found[figure], base.found[figure]
    apart = difference(first, second, statistic_of(figure), draws=draws, seed=seed)
    return dict(zip(names, (apart.value, apart.low, apart.high), strict=True))
