"""The rows of benchmarks/results/recipe.csv: one for each set and seed."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.assays.metrics import metrics, score_tasks
from cytomol.errors import CytomolError
from cytomol.files import atomic_file

__all__ = ["COLUMNS", "RESULTS", "TOLERANCE", "Fit", "add", "fallen", "has", "read", "row_of", "table"]

RESULTS = Path(__file__).resolve().parents[1] / "results" / "recipe.csv"
TOLERANCE = 0.3
"""Points by which a mean may fall."""
_BOTH = ("seconds", "covered", "covered_class", "size", "commit")
COLUMNS = (
    *("set", "seed", "molecules", "metric", "before", "now", "difference"),
    *(f"{name}_{which}" for name in _BOTH for which in ("before", "now")),
)


@dataclass(frozen=True)
class Fit:
    """What one process answered, and what it said of that.

    Attributes
    ----------
    predicted, observed
        Of the test fold; probabilities or values, and labels, NaN where there is none, shape (n, tasks).
    said
        Metric, number of molecules in all, seconds of the fit, coverage, commit.
    """

    predicted: NDArray[np.float64]
    observed: NDArray[np.float64]
    said: Mapping[str, Any]

    @property
    def score(self) -> float:
        """Mean over the tasks that can be scored."""
        observed = np.where(np.isnan(self.predicted), np.nan, self.observed)
        return score_tasks(observed, self.predicted, self.said["metric"])[0]


def row_of(name: str, seed: int, before: Fit, now: Fit) -> dict[str, Any]:
    """Set the two beside each other; ``difference`` is in points, above 0 where the code now is better.

    Raises
    ------
    CytomolError
        If they were not asked the same.
    """
    if not np.array_equal(before.observed, now.observed, equal_nan=True):
        raise CytomolError(
            "the two tested other molecules or labels", where=name, hint="do both read one set?"
        )
    metric = str(now.said["metric"])
    sign = 100 if metrics[metric].higher_is_better else -100
    difference = sign * (now.score - before.score)
    row = {"set": name, "seed": seed, "molecules": now.said["molecules"], "metric": metric}
    row |= {"before": before.score, "now": now.score, "difference": difference}
    for which, fit in (("before", before), ("now", now)):
        row |= {f"{key}_{which}": fit.said[key] for key in _BOTH}
    return row


def read(path: Path) -> pd.DataFrame:
    """Return the rows; none where there is no file."""
    if not path.is_file():
        return pd.DataFrame(columns=list(COLUMNS))
    return pd.read_csv(path, dtype={"commit_before": str, "commit_now": str})


def has(path: Path, name: str, seed: int) -> bool:
    """Say whether there is a row of a set and seed."""
    rows = read(path)
    return bool(((rows["set"] == name) & (rows["seed"] == seed)).any())


def add(path: Path, row: Mapping[str, Any]) -> None:
    """Write a row behind those that are there; the file is whole at any time."""
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        atomic_file(path, force=True) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        file.write(before)
        if not before:
            writer.writeheader()
        writer.writerow({key: f"{v:.5g}" if isinstance(v, float) else v for key, v in row.items()})


def fallen(rows: pd.DataFrame) -> list[str]:
    """Return the sets whose mean over seeds fell by more than is tolerated."""
    means = rows.groupby("set", sort=False)["difference"].mean()
    return [str(name) for name, mean in means.items() if mean < -TOLERANCE]


def table(rows: pd.DataFrame) -> list[str]:
    """Return a Markdown table, a line for each set and seed; scores in points."""
    header = (
        "| set | metric | before | now | difference | minutes before, now | covered before, now "
        "| of the class held least | size |"
    )
    lines = [header, "|---" + "|---:" * 8 + "|"]
    seeds = set(rows["seed"])
    for row in rows.to_dict("records"):
        name = row["set"] if len(seeds) == 1 else f"{row['set']}, seed {row['seed']}"
        scores = [f"{100 * row['before']:.1f}", f"{100 * row['now']:.1f}", f"{row['difference']:+.1f}"]
        minutes = ", ".join(f"{row[f'seconds_{which}'] / 60:.1f}" for which in ("before", "now"))
        shares = [_pair(row, key) for key in ("covered", "covered_class", "size")]
        lines.append(f"| {' | '.join([name, row['metric'], *scores, minutes, *shares])} |")
    return lines


def _pair(row: Mapping[str, Any], key: str) -> str:
    values = [row[f"{key}_{which}"] for which in ("before", "now")]
    return ", ".join("–" if pd.isna(value) else f"{value:.2f}" for value in values)
