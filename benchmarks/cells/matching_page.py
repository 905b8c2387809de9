"""The section of matching on the page of results."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

__all__ = ["section"]

ROWS = Path(__file__).parents[1] / "results" / "cells" / "matching.csv"
_DIRECTIONS = {"molecule to profile": "finds the profile", "profile to molecule": "finds the molecule"}
_STRATA = {
    "all": "all",
    "bioactive=1": "known bioactives",
    "active=1 in bioactive=1": "active ones, among all known bioactives",
    "bioactive=1 & active=1": "active known bioactives, among themselves",
    "bioactive=0": "library compounds",
    "active=1": "active ones",
}

_INTRODUCTION = """\
`python -m benchmarks.cells.matching --work WORK --backbones DIR -o benchmarks/results/cells/matching.csv`

Molecules of a held-out scaffold have to find their profile, and profiles their molecule, among those of the
same fold's test half and stratum: one candidate a connectivity, ties by expectation, every entrant fitted on
the other four folds. In brackets 95% bootstrap intervals over queries; + and - mark a paired difference from
ridge whose interval leaves 0 out. Chance is 5% of the top 5%. How to read this, and what was tried:
[Matching](matching.md).

- neighbour: the profile of the nearest training molecule. ridge: from Morgan bits. cca: canonical correlation
  of fingerprint and profile. matcher: what `cytomol matcher` fits. "On bioactives": fitted on the known
  bioactives alone.
- oracle (planted): knows the target of each molecule ("target"), or its very noiseless profile ("response"),
  and the noise.
- contrastive, chmr, infoalign: backbones pretrained without the profiles of fold 0, compared on it alone.
  "Matcher with" one of them: `cytomol matcher --backbone`, its embedding one more kernel.
"""


def section() -> str:
    """Return the section as Markdown."""
    rows = pd.read_csv(ROWS, keep_default_na=False, na_values={name: [""] for name in _NUMBERS})
    parts = [_INTRODUCTION]
    for (ground, folds), of in rows.groupby(["ground", "folds"], sort=False):
        own = of[of["reference"].isin(["", "ridge"])].drop_duplicates(
            ["model", "stratum", "direction", "figure"]
        )
        figures = ("recall at 5%", "MRR")
        parts += [_table(own, f"{ground}, {folds}", figure) for figure in figures]
        if (share := _of_oracle(own)) is not None:
            parts.append(share)
    parts.append(_sufficiency(rows))
    return "\n".join(parts)


_NUMBERS = ("value", "low", "high", "chance", "difference", "difference_low", "difference_high")


def _table(rows: pd.DataFrame, where: str, figure: str) -> str:
    """Return a table with a row a model, and a column a stratum and direction."""
    rows = rows[rows["figure"] == figure]
    lines = []
    for direction, says in _DIRECTIONS.items():
        part = rows[rows["direction"] == direction]
        strata = list(dict.fromkeys(part["stratum"]))
        heads = [
            f"{_STRATA[one]} ({int(part.loc[part['stratum'] == one, 'queries'].iloc[0])})" for one in strata
        ]
        name = "top 5%" if figure.startswith("recall") else figure
        lines += [f"\n### {where}: {name}, {says}\n", "| | " + " | ".join(heads) + " |"]
        lines.append("|" + " --- |" * (len(strata) + 1))
        for model, own in part.groupby("model", sort=False):
            cells = [_cell(own[own["stratum"] == one].iloc[0], figure) for one in strata]
            lines.append(f"| {model} | " + " | ".join(cells) + " |")
        chance = [_number(part.loc[part["stratum"] == one, "chance"].iloc[0], figure) for one in strata]
        lines.append("| chance | " + " | ".join(chance) + " |")
    return "\n".join(lines) + "\n"


def _cell(row: pd.Series, figure: str) -> str:
    mark = ""
    if row["difference_low"] > 0 or row["difference_high"] < 0:
        mark = " +" if row["difference"] > 0 else " -"
    low, high = _number(row["low"], figure), _number(row["high"], figure)
    return f"{_number(row['value'], figure)} [{low}, {high}]{mark}"


def _number(value: float, figure: str) -> str:
    return f"{100 * value:.1f}" if figure.startswith("recall") else f"{value:.3f}"


def _of_oracle(rows: pd.DataFrame) -> str | None:
    """Say how much of the oracle's MRR each model reaches, mean of both directions."""
    rows = rows[rows["figure"] == "MRR"]
    means = rows.groupby(["stratum", "model"], sort=False)["value"].mean()
    if not (rows["model"] == "oracle: target").any():
        return None
    lines = ["\nShare of the MRR of the oracle that knows the target, mean of both directions:\n"]
    strata = list(dict.fromkeys(rows["stratum"]))
    lines += ["| | " + " | ".join(_STRATA[one] for one in strata) + " |", "|" + " --- |" * (len(strata) + 1)]
    for model in dict.fromkeys(rows["model"]):
        cells = [f"{means[one, model] / means[one, 'oracle: target']:.0%}" for one in strata]
        lines.append(f"| {model} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _sufficiency(rows: pd.DataFrame) -> str:
    """Say whether InfoAlign's objective beats contrastive alignment, on equal data."""
    rows = rows[(rows["reference"] == "infoalign") & rows["figure"].isin(["recall at 5%", "MRR"])]
    if not len(rows):
        return ""
    lines = [
        "\n### Does sufficiency beat contrast?\n",
        "Contrastive less InfoAlign on the same queries of fold 0, paired: above 0 the claim that the",
        "sufficiency objective matches better fails. Same corpus; the budgets differ (planted: 15 epochs",
        "against 40; real: 10 epochs on morphology against 8 on all modalities).\n",
        "| | stratum | direction | top 5%, points | MRR |",
        "|" + " --- |" * 5,
    ]
    for (ground, stratum, direction), of in rows.groupby(["ground", "stratum", "direction"], sort=False):
        cells = []
        for figure, scale in (("recall at 5%", 100), ("MRR", 1)):
            row = of[of["figure"] == figure].iloc[0]
            three = (scale * row[name] for name in ("difference", "difference_low", "difference_high"))
            digits = 1 if scale == 100 else 3
            value, low, high = (f"{number:.{digits}f}" for number in three)
            cells.append(f"{value} [{low}, {high}]")
        lines.append(f"| {ground} | {_STRATA[stratum]} | {direction} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
