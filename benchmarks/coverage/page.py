"""The tables of docs/uncertainty.md: ``python -m benchmarks.coverage.page`` prints them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

RESULTS = Path(__file__).parents[1] / "results" / "coverage.csv"


def tables(rows: pd.DataFrame) -> list[str]:
    """Return a line for each set and learner: covered shares and sizes of every way at a stated 0.9."""
    stated = rows[rows["stated"] == 0.9]
    header = (
        "| set, learner | valid fold | cross-fitted | by distance | both ways | class 0, class 1 "
        "| inside, edge, outside | error there |"
    )
    lines = [header, "|---" * 8 + "|"]
    for (name, learner), own in stated.groupby(["set", "learner"], sort=False):
        last = own.iloc[-1]
        ways = [_way(row) for _, row in own.iterrows()]
        ways += ["–"] * (4 - len(ways))
        classes = "–" if pd.isna(last["covered_0"]) else f"{last['covered_0']:.2f}, {last['covered_1']:.2f}"
        words = ", ".join(f"{last[word]:.2f}" for word in ("inside", "edge", "outside"))
        errors = ", ".join(_number(last[f"error_{word}"]) for word in ("inside", "edge", "outside"))
        cells = [f"{name}, {learner}", *ways, classes, words, errors]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _way(row: pd.Series) -> str:
    return f"{row['covered']:.3f} ({row['size']:.2f})"


def _number(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.3f}"


if __name__ == "__main__":
    print("\n".join(tables(pd.read_csv(RESULTS))))
