"""The curves of a stress test: the mean over tasks and seeds at each rate, as a table and as text."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

__all__ = ["CURVE", "IN_FILE_ALONE", "summarize_stress", "summary_lines"]

CURVE = ("method", "place", "pattern", "hidden", "measure", "on", "fold", "task", "metric", "filling")
"""What tells curves apart."""

IN_FILE_ALONE = ("top5", "profile_r")
"""Metrics that are second figures of the same question; they stand in the table alone."""


def summarize_stress(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each point of each curve.

    Parameters
    ----------
    rows
        As :meth:`~cytomol.evaluate.missing.stress_rows.StressRows.frame` gives them.

    Returns
    -------
    Columns of :data:`CURVE`, ``rate``, the mean ``share`` that was hidden, ``seeds``, ``score`` and its
    standard deviation over seeds ``std`` (empty for one seed), the means of ``low``, ``high`` and ``chance``,
    and ``n``. Downstream tasks of a set are averaged; the others are directions, which stay apart.
    """
    rows = rows.copy()
    rows.loc[rows["measure"] == "downstream", "task"] = ""
    point = [*CURVE, "rate"]
    of_seed = rows.groupby([*point, "seed"], sort=False, dropna=False)[
        ["share", "score", "low", "high", "chance", "n"]
    ].mean()
    summary = of_seed.reset_index().groupby(point, sort=False, dropna=False)
    return summary.agg(
        share=("share", "mean"),
        seeds=("seed", "size"),
        score=("score", "mean"),
        std=("score", "std"),
        low=("low", "mean"),
        high=("high", "mean"),
        chance=("chance", "mean"),
        n=("n", "mean"),
    ).reset_index()


def summary_lines(summary: pd.DataFrame) -> Iterator[str]:
    """Yield the curves as text: a block for each question, a line for each filling, a column for each rate.

    Parameters
    ----------
    summary
        From :func:`summarize_stress`.
    """
    question = [name for name in CURVE if name != "filling"]
    shown = summary[(summary["fold"] != "valid") & ~summary["metric"].isin(IN_FILE_ALONE)]
    for key, part in shown.groupby(question, sort=False, dropna=False):
        method, place, pattern, hidden, measure, on, _, task, metric = map(str, key)
        how = "at random" if pattern == "random" else f"by {pattern}"
        asked = ", ".join(word for word in (f"{measure} of {on}", task, metric) if word)
        yield ""
        yield f"{method}, {hidden} hidden {how} in {place}: {asked}"
        rates = sorted(part["rate"].unique())
        width = max(len(str(name)) for name in part["filling"])
        yield " " * width + "".join(f"{rate:>9.0%}" for rate in rates)
        for filling, line in part.groupby("filling", sort=False):
            by_rate = line.set_index("rate")["score"]
            cells = [f"{by_rate[rate]:9.4f}" if rate in by_rate.index else " " * 9 for rate in rates]
            yield f"{filling:<{width}}" + "".join(cells)
        chance = part["chance"].mean()
        if pd.notna(chance):
            yield f"{'chance':<{width}}{chance:9.4f}"
