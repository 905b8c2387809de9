"""Scores of expected profiles as rows, with intervals and with what each source gains over another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.evaluate.imputation.beside import ExpectedBy
from cytomol.evaluate.imputation.scores import METRICS, ProfileScores

__all__ = ["score_rows"]

_DRAWS = 400

_Weights = list[NDArray[np.float64]]


def score_rows(
    truth: NDArray[np.float64],
    by: ExpectedBy,
    strata: Mapping[str, NDArray[np.bool_]],
    *,
    against: str = "ridge",
    draws: int = _DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Return one row for each source, stratum and metric, with 95% bootstrap intervals over molecules.

    Parameters
    ----------
    truth
        Standardised measured profiles, shape (n, width); NaN where not measured.
    by
        What is expected.
    strata
        Which molecules count, by the name of the stratum; discrimination is always among all of them.
    against
        Source with which the others are compared: ``gain`` is what they score more, with the interval of the
        paired difference.
    draws, seed
        Bootstrap samples.
    """
    rows: list[dict[str, Any]] = []
    scores = {name: ProfileScores.of(truth, np.nan_to_num(told)) for name, told in by.expected.items()}
    for stratum, chosen in strata.items():
        count = int(chosen.sum())
        if count < 2:
            continue
        rng = np.random.default_rng(seed)
        weights = [rng.multinomial(count, np.full(count, 1 / count)).astype(float) for _ in range(draws)]
        rows += [
            {**row, "stratum": stratum, "molecules": count}
            for row in [*_metrics(scores, chosen, weights, against), *_coverages(by, chosen, weights)]
        ]
    for name, number in by.mean_alone.items():
        alone = {"source": name, "stratum": "all", "metric": "mean_alone", "value": float(number)}
        rows.append({**alone, "molecules": len(truth)})
    first = [
        "source",
        "stratum",
        "metric",
        "value",
        "low",
        "high",
        "gain",
        "gain_low",
        "gain_high",
        "molecules",
    ]
    return pd.DataFrame(rows).reindex(columns=first)


def _metrics(
    scores: Mapping[str, ProfileScores], chosen: NDArray[np.bool_], weights: _Weights, against: str
) -> list[dict[str, Any]]:
    """Return value, interval and gain of each source and metric."""
    drawn = {
        name: pd.DataFrame([one.values(chosen, weight) for weight in weights]) for name, one in scores.items()
    }
    base, rows = scores[against].values(chosen), []
    for name, one in scores.items():
        value = one.values(chosen)
        for metric in METRICS:
            low, high = _quantiles(drawn[name][metric])
            row = {"source": name, "metric": metric, "value": value[metric], "low": low, "high": high}
            if name != against:
                low, high = _quantiles(drawn[name][metric] - drawn[against][metric])
                row |= {"gain": value[metric] - base[metric], "gain_low": low, "gain_high": high}
            rows.append(row)
    return rows


def _coverages(by: ExpectedBy, chosen: NDArray[np.bool_], weights: _Weights) -> list[dict[str, Any]]:
    """Return the share of measured values that lie in their intervals."""
    rows = []
    for name, inside in by.coverage.items():
        known = ~np.isnan(inside[chosen])
        held, count = np.nan_to_num(inside[chosen]).sum(axis=1), known.sum(axis=1)
        low, high = _quantiles(pd.Series([(weight @ held) / max(weight @ count, 1) for weight in weights]))
        value = float(held.sum() / max(count.sum(), 1))
        rows.append({"source": name, "metric": "coverage", "value": value, "low": low, "high": high})
    return rows


def _quantiles(values: pd.Series[float]) -> tuple[float, float]:
    low, high = np.nanquantile(values.to_numpy(float), [0.025, 0.975])
    return float(low), float(high)
