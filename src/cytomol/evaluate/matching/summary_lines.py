"""What a matching evaluation found, as lines for a terminal."""

from __future__ import annotations

import pandas as pd

from cytomol.counted import counted

__all__ = ["summary_lines"]

_SHOWN = ("recall at 1", "recall at 5%", "MRR", "mAP", "median rank, share")


def summary_lines(rows: pd.DataFrame, *, shown: tuple[str, ...] = _SHOWN) -> list[str]:
    """Return a small table for each stratum and direction; the rows hold everything.

    Parameters
    ----------
    rows
        See :func:`~cytomol.evaluate.matching.contest.rows_of`.
    shown
        Figures to print.

    Examples
    --------
    >>> row = {"model": "ridge", "seen": "no", "stratum": "all", "direction": "molecule to profile"}
    >>> row |= {"figure": "MRR", "value": 0.1, "low": 0.05, "high": 0.2, "chance": 0.02, "queries": 9}
    >>> row |= {"candidates": 9.0, "reference": "", "difference": 0.0, "difference_low": 0.0}
    >>> for line in summary_lines(pd.DataFrame([row | {"difference_high": 0.0}]), shown=("MRR",)):
    ...     print(line)
    all, molecule to profile: 9 queries among 9 candidates
      model  MRR
      chance 0.020
      ridge  0.100 [0.050, 0.200]
    """
    lines: list[str] = []
    for (stratum, direction), part in rows.groupby(["stratum", "direction"], sort=False):
        first = part.iloc[0]
        queries = counted(first["queries"], "query", plural="queries")
        lines.append(f"{stratum}, {direction}: {queries} among {first['candidates']:,.0f} candidates")
        figures = [figure for figure in shown if (part["figure"] == figure).any()]
        chance = [_number(figure, part.loc[part["figure"] == figure, "chance"].iloc[0]) for figure in figures]
        table = [["model", *figures], ["chance", *chance]]
        for model, own in part.groupby("model", sort=False):
            table.append([str(model), *(_cell(own, figure) for figure in figures)])
        widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
        lines += [
            "  " + " ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in table
        ]
    return lines


def _cell(rows: pd.DataFrame, figure: str) -> str:
    row = rows.loc[rows["figure"] == figure].iloc[0]
    text = f"{_number(figure, row['value'])} [{_number(figure, row['low'])}, {_number(figure, row['high'])}]"
    low, high = row["difference_low"], row["difference_high"]
    if pd.isna(low) or not (low > 0 or high < 0):
        return text
    better = (low > 0) != figure.startswith("median rank")
    return text + ("+" if better else "-")


def _number(figure: str, value: float) -> str:
    """Return shares as per cent, all else as it is."""
    return f"{100 * value:.1f}%" if "recall" in figure or "share" in figure else f"{value:.3f}"
