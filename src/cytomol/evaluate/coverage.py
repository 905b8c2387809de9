"""How well a model's stated uncertainty holds on the test rows of a benchmark, which chose nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.evaluate.rows import Job, RowFile, read_table_of

if TYPE_CHECKING:
    from cytomol.predict.uncertainty import UncertaintyAnswer

__all__ = ["COVERAGES", "COVERAGE_COLUMNS", "COVERAGE_TEXT", "coverage_file", "coverage_row", "read_coverage"]

COVERAGES = (0.9, 0.8)
"""Stated coverages that are measured."""

COVERAGE_COLUMNS = (
    "set",
    "model",
    "seed",
    "variant",
    "coverage",
    "kind",
    "tasks",
    "n",
    "covered",
    "covered_mean",
    "covered_low",
    "size",
    "singletons",
    "empty",
    "infinite",
    "brier_before",
    "brier_after",
    "ece_before",
    "ece_after",
    "in_domain",
    "covered_inside",
    "covered_outside",
    "error_inside",
    "error_outside",
    "spread_correlation",
    "version",
    "commit",
)
"""Columns of ``coverage.csv``; see :func:`coverage_row`."""

COVERAGE_TEXT = frozenset({"set", "model", "variant", "kind", "version", "commit"})
_FEWEST_CELLS = 10
_LOW_QUANTILE = 0.05
_CLASSES = ("singletons", "empty", "brier_before", "brier_after", "ece_before", "ece_after")


def coverage_file(path: Path) -> RowFile:
    """Return ``coverage.csv`` of a benchmark's folder, as safe as its rows."""
    return RowFile(path, COVERAGE_COLUMNS, COVERAGE_TEXT)


def read_coverage(path: Path) -> pd.DataFrame:
    """Read ``coverage.csv``; empty cells of text columns are "", of numbers NaN.

    Raises
    ------
    InputError
        If it is absent, is no such table, or holds a cell that is no number.
    """
    return read_table_of(path, COVERAGE_COLUMNS, COVERAGE_TEXT)


def coverage_row(
    job: Job,
    answer: UncertaintyAnswer,
    labels: NDArray[np.float64],
    spread: NDArray[np.float64],
) -> dict[str, Any]:
    """Compare what a model states of test rows with what was measured.

    Parameters
    ----------
    job
        Which.
    answer
        What the model says of the rows, n of them.
    labels
        Measured values of the same rows, NaN where not measured, shape (n, tasks).
    spread
        Standard deviation of each task's training labels, the unit of widths and errors in regression,
        shape (tasks,).

    Returns
    -------
    dict
        The columns of :data:`COVERAGE_COLUMNS` but version and commit: ``tasks`` with a measured cell,
        ``n`` cells, ``covered`` (share of all cells), ``covered_mean`` and ``covered_low`` (mean and 5%
        quantile over tasks of their shares), ``size`` (mean number of classes in a set, or mean width of
        finite intervals in spreads of the task), shares of ``singletons``, ``empty`` sets and ``infinite``
        intervals, Brier score and calibration error before and after calibration, ``in_domain`` (share of
        molecules), coverage and error (Brier score, or absolute error in spreads) inside and outside the
        domain, and ``spread_correlation``, Spearman's correlation of the members' spread with the absolute
        error, mean over tasks of ten cells or more. None where undefined.
    """
    from cytomol.predict.uncertainty import coverage_report

    answer, labels = _in_spreads(answer, labels, spread)
    report = coverage_report(answer, labels)
    overall: Mapping[str, Any] = report["overall"]
    shares = [task["coverage"] for task in report["tasks"].values() if task["rows"]]
    known = ~np.isnan(answer.similarity)
    row = dict.fromkeys(COVERAGE_COLUMNS)
    row |= {
        **asdict(job),
        "coverage": answer.coverage,
        "kind": answer.kind,
        "tasks": len(shares),
        "n": overall["rows"],
        "covered": overall["coverage"],
        "covered_mean": float(np.mean(shares)) if shares else None,
        "covered_low": float(np.quantile(shares, _LOW_QUANTILE)) if shares else None,
        "size": overall.get("mean_set_size", overall.get("mean_width")),
        "infinite": overall.get("infinite"),
        "in_domain": float(answer.in_domain[known].mean()) if known.any() else None,
        "covered_inside": overall["coverage_inside"],
        "covered_outside": overall["coverage_outside"],
        "error_inside": overall["error_inside"],
        "error_outside": overall["error_outside"],
        "spread_correlation": _spread_correlation(answer, labels),
    }
    return row | {name: overall.get(name) for name in _CLASSES}


def _in_spreads(
    answer: UncertaintyAnswer, labels: NDArray[np.float64], spread: NDArray[np.float64]
) -> tuple[UncertaintyAnswer, NDArray[np.float64]]:
    """Put the values of every task of a regression into units of its spread."""
    if answer.kind != "regression":
        return answer, labels
    unit = np.where(spread > 0, spread, 1.0)
    scaled = replace(
        answer,
        predicted=answer.predicted / unit,
        calibrated=answer.calibrated / unit,
        spread=answer.spread / unit,
        low=answer.low / unit,
        high=answer.high / unit,
    )
    return scaled, labels / unit


def _spread_correlation(answer: UncertaintyAnswer, labels: NDArray[np.float64]) -> float | None:
    """Return Spearman's correlation of spread and absolute error, mean over tasks; None without a spread."""
    from scipy.stats import spearmanr

    found: list[float] = []
    error = np.abs(answer.predicted - labels)
    for task in range(labels.shape[1]):
        rows = np.isfinite(error[:, task]) & np.isfinite(answer.spread[:, task])
        pair: Sequence[NDArray[np.float64]] = (answer.spread[rows, task], error[rows, task])
        if rows.sum() >= _FEWEST_CELLS and all(np.ptp(values) > 0 for values in pair):
            found.append(float(spearmanr(*pair).statistic))
    return float(np.mean(found)) if found else None
