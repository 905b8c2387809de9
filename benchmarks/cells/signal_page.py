"""The section of the page of results on weights and corrections of profiles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.cells.signal_corpora import FORMS

__all__ = ["comparisons", "section"]

_ROWS = Path(__file__).resolve().parents[1] / "results" / "cells" / "signal.csv"
_CORPORA = {"real": "The real corpus (CDRP, Cell Painting)", "planted-0": "A planted corpus"}
_STRATA = {"real": ("all", "bioactive", "bioactive and active"), "planted-0": ("all", "active")}
_FIGURES = {
    "top 5%, molecule to profile": ("molecule finds profile", 100),
    "top 5%, profile to molecule": ("profile finds molecule", 100),
    "R2 over the mean, measured": ("R², as measured", 100),
    "R2 over the mean, freed": ("R², freed of group", 100),
    "ROC-AUC of a linear learner": ("ROC-AUC, assays", 100),
}
_HEAD = """\
Rows: [signal.csv](../../benchmarks/results/cells/signal.csv), by
`python -m benchmarks.cells.signal --work WORK` (seed of a training: the number of its fold). The command was
cut when the rows below were there, and goes on from them when called again: more folds, forms, and InfoAlign.

Profiles of four scaffold folds are learnt from as they were measured, weighted by how far they can be
trusted (`profile_weights = reliability`, least weight 0.1), corrected by group (centered, standardised), or
both. On the real corpus the reliability is the correlation of replicates (mean 0.22; unknown for 21% of the
profiles) and the group the library: known drugs and tools, or the rest. On the planted corpus it is the
correlation with a second measurement of other noise, and the group is the plate. The molecules of the fifth
fold (test half, one candidate a connectivity) look for their profile and the other way round: the share that
has it in the top 5% (chance 5). R² is the imputed profile's, against the mean training profile, of the
profile as measured and of the profile freed of its group's offset; nobody is told the group at prediction.
The ROC-AUC is that of a linear learner on the embedding, over assays. Ridge learns from all profiles, the
methods with small budgets from the first of each connectivity, so their figures compare forms, not methods.

All figures times 100. In brackets the gain over "as measured" on the same molecules or assays and its 95%
bootstrap interval; **bold** where the interval leaves 0 out. With so many, some leave it out by chance.
"""


def section() -> str:
    """Return the section."""
    rows = pd.read_csv(_ROWS)
    parts = [_HEAD]
    for corpus, title in _CORPORA.items():
        part = rows[rows["corpus"] == corpus]
        for method in dict.fromkeys(part["method"]):
            own = part[part["method"] == method]
            folds = int(own["folds"].max())
            parts.append(f"### {title}: {method}, {folds} fold{'s' if folds > 1 else ''}\n")
            parts.append("\n".join(_table(own, _STRATA[corpus])) + "\n")
    return "\n".join([*parts, _summary(rows)])


def _table(rows: pd.DataFrame, strata: tuple[str, ...]) -> Iterator[str]:
    forms = [form for form in FORMS if form in set(rows["form"])]
    yield "| figure | molecules | " + " | ".join(forms) + " |"
    yield "|---|---|" + "---|" * len(forms)
    for figure, (name, factor) in _FIGURES.items():
        of_figure = rows[rows["figure"] == figure]
        for stratum in (*strata, "assays"):
            cells = of_figure[of_figure["stratum"] == stratum].set_index("form")
            if len(cells):
                n = int(cells["n"].iloc[0])
                shown = [_cell(cells.loc[form], factor) for form in forms]
                yield f"| {name} | {stratum} ({n:,}) | " + " | ".join(shown) + " |"


def _cell(row: pd.Series, factor: int) -> str:
    value = f"{factor * row['value']:.1f}"
    if pd.isna(row["gain"]):
        return f"{value} ({factor * row['low']:.1f} to {factor * row['high']:.1f})"
    gain = f"{factor * row['gain']:+.1f} [{factor * row['gain_low']:.1f}, {factor * row['gain_high']:.1f}]"
    sure = row["gain_low"] > 0 or row["gain_high"] < 0
    return f"{value} (**{gain}**)" if sure else f"{value} ({gain})"


def comparisons(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that the page shows with a gain."""
    shown = rows[rows["figure"].isin(_FIGURES) & rows["gain"].notna()]
    of_page = [
        stratum in (*_STRATA[corpus], "assays")
        for corpus, stratum in zip(shown["corpus"], shown["stratum"], strict=True)
    ]
    return shown[np.array(of_page, np.bool_)]


def _summary(rows: pd.DataFrame) -> str:
    """Count gains and losses whose interval leaves 0 out, form by form."""
    shown = comparisons(rows)
    lines = ["### In short\n", "| form | corpus | better | worse | cannot be told |", "|---|---|---|---|---|"]
    for form in [form for form in FORMS if form in set(shown["form"])]:
        for corpus in _CORPORA:
            own = shown[(shown["form"] == form) & (shown["corpus"] == corpus)]
            if len(own):
                better, worse = int((own["gain_low"] > 0).sum()), int((own["gain_high"] < 0).sum())
                lines.append(f"| {form} | {corpus} | {better} | {worse} | {len(own) - better - worse} |")
    return "\n".join(lines) + "\n"
