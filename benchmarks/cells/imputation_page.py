"""The section of imputed profiles on the page of results."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

__all__ = ["section"]

ROWS = Path(__file__).parents[1] / "results" / "cells" / "imputation.csv"

_METRICS = {
    "r2": "R²",
    "profile_correlation": "r by profile",
    "feature_correlation": "r by feature",
    "discrimination": "discrimination",
    "coverage": "coverage",
}
_STRATA = ("all", "active", "inactive", "bioactive", "bioactive and active")

_INTRODUCTION = """\
`python -m benchmarks.cells.imputation --work WORK -o benchmarks/results/cells/imputation.csv`

Molecules of one fold of scaffolds, whose profiles were left out of pretraining; the valid half of the fold
calibrates and makes every choice, the test half is scored. One molecule a connectivity.

- R²: squared error against that of the training mean, feature by feature in units of the training
  spread, then the mean over features. r by profile: Pearson's correlation over features, mean over
  molecules; by feature: the other way round. Discrimination: the share of other molecules whose
  measured profile is less like the expected one than the right molecule's is (an area under the ROC
  curve; 0.5 is chance). Coverage: measured values within the 90% intervals. In brackets 95% bootstrap
  intervals over molecules.
- mean: the training mean. nearest: mean profile of the 1, 5, 20 or 50 nearest molecules by Tanimoto
  similarity. ridge: from Morgan bits; both learnt from the other molecules' profiles. calibrated: each
  feature with a slope towards its mean, fitted on the valid half. joint: decoder and ridge with a slope
  for each, which is what `impute --calibrate CORPUS --held-out FILE` gives.
- Gain: R² more than ridge, paired.
"""

_CEILING = """\
Active: treatments whose replicates agree beyond the null of their data set. Ceiling: with a correlation
r between single replicates, the mean of 4 has the reliability 4 r / (1 + 3 r) (Spearman-Brown), and its
root is the most that any expected profile can correlate with it; r is that of the replicate
correlations, whose features are not quite these, and the number of replicates is assumed. On the
planted corpus the ceiling is what the noiseless profile scores (above).
"""

_COLUMNS = (
    "backbone",
    "modality",
    "stratum",
    "molecules",
    "source",
    "R²",
    "r by profile",
    "ceiling",
    "share",
    "discrimination",
)


def section() -> str:
    """Return the section as Markdown."""
    rows = pd.read_csv(ROWS)
    parts = [_INTRODUCTION]
    for (backbone, modality, against), of in rows.groupby(["backbone", "modality", "against"], sort=False):
        parts.append(_table(backbone, modality, against, of))
    parts.append(_strata(rows))
    if (gate := _alone(rows)) is not None:
        parts.append(gate)
    return "\n".join(parts)


def _table(backbone: str, modality: str, against: str, rows: pd.DataFrame) -> str:
    """Return the table of all molecules of one backbone and modality."""
    rows = rows[(rows["stratum"] == "all") & rows["metric"].isin(_METRICS)]
    count = int(rows["molecules"].iloc[0])
    head = f"### {backbone}, {modality}: {count} molecules, against {against} profiles\n"
    shown = [name for name in _METRICS if name in set(rows["metric"])]
    lines = [
        "| source | " + " | ".join(_METRICS[name] for name in shown) + " | gain in R² |",
        "|---|" + "---|" * (len(shown) + 1),
    ]
    for source, of in rows.groupby("source", sort=False):
        cells = of.set_index("metric")
        texts = [
            _interval(cells.loc[name], "value", "low", "high") if name in cells.index else ""
            for name in shown
        ]
        gain = cells.loc["r2"]
        texts.append(
            "" if pd.isna(gain["gain"]) else _interval(gain, "gain", "gain_low", "gain_high", sign="+")
        )
        lines.append(f"| {source} | " + " | ".join(texts) + " |")
    return "\n".join([head, *lines, ""])


def _strata(rows: pd.DataFrame) -> str:
    """Return the table of the strata, with the share of the ceiling where it is known."""
    rows = rows[(rows["against"] == "measured") & rows["source"].isin(["ridge", "decoder", "joint"])]
    lines = [
        "### By stratum\n",
        _CEILING,
        "| " + " | ".join(_COLUMNS) + " |",
        "|---" * len(_COLUMNS) + "|",
    ]
    for (backbone, modality), of in rows.groupby(["backbone", "modality"], sort=False):
        for stratum in _STRATA:
            for source, some in of[of["stratum"] == stratum].groupby("source", sort=False):
                cells = some.set_index("metric")
                r, most = (
                    cells.loc["profile_correlation", "value"],
                    cells.loc["profile_correlation"].get("ceiling"),
                )
                known = most is not None and not pd.isna(most)
                lines.append(
                    f"| {backbone} | {modality} | {stratum} | {int(cells['molecules'].iloc[0])} | {source} |"
                    f" {_interval(cells.loc['r2'], 'value', 'low', 'high')} | {r:.3f} |"
                    + (f" {most:.2f} | {r / most:.0%} |" if known else "  |  |")
                    + f" {cells.loc['discrimination', 'value']:.3f} |"
                )
    return "\n".join([*lines, ""])


def _alone(rows: pd.DataFrame) -> str | None:
    """Say for how many features the mean is given."""
    rows = rows[
        (rows["metric"] == "mean_alone") & (rows["source"] == "joint") & (rows["against"] == "measured")
    ]
    if rows.empty:
        return None
    told = [f"{int(row.value)} of {row.modality} ({row.backbone})" for row in rows.itertuples()]
    return "Features that the joint answer leaves at their mean: " + ", ".join(told) + ".\n"


def _interval(row: pd.Series, value: str, low: str, high: str, sign: str = "") -> str:  # type: ignore[type-arg]
    if pd.isna(row[low]):
        return f"{row[value]:{sign}.3f}"
    return f"{row[value]:{sign}.3f} [{row[low]:{sign}.3f}, {row[high]:{sign}.3f}]"
