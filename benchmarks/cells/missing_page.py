"""The section of missing profiles: tables and a figure from ``missing.csv``.

``python -m benchmarks.cells.missing_page`` draws the figure alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from benchmarks.cells.page import RESULTS, ROOT

__all__ = ["FIGURES", "curves", "draw", "section"]

ROWS = RESULTS / "missing.csv"
FIGURES = ROOT / "docs" / "figures"
COMMAND = "python -m benchmarks.cells.missing"
_FILLINGS = {
    "zero": ("zero", "#999999"),
    "mean": ("mean", "#56B4E9"),
    "neighbour": ("neighbour", "#009E73"),
    "propagation-paper": ("propagation (paper)", "#D55E00"),
    "propagation-held-out": ("propagation (held out)", "#0072B2"),
}
# corpus: title, and name of the figure
_CORPORA = {
    "planted": ("Missing on a planted corpus", "cells-missing.svg"),
    "real": ("Missing on a slice of the real corpus", "cells-missing-real.svg"),
}
_FROM_PROFILES = "planted, decoded from profiles"
_MEASURED = ("molecule to profile", "profile to molecule")
_STAND_INS = ("molecule to stand-in", "stand-in to molecule")
_IMPUTED = ("", "from stand-in")  # a profile decoded from itself is not imputed
# what is asked: title, and which rows; directions and modalities are averaged
_QUESTIONS: dict[str, dict[str, str | tuple[str, ...]]] = {
    "Matching measured profiles, MRR": {"measure": "matching", "metric": "mrr", "task": _MEASURED},
    "Matching stand-ins, MRR": {"measure": "matching", "metric": "mrr", "task": _STAND_INS},
    "Imputation, R²": {"measure": "imputation", "metric": "r2", "task": _IMPUTED},
    "Imputation, correlation by profile": {
        "measure": "imputation",
        "metric": "profile_r",
        "task": _IMPUTED,
    },
    "Response assays, ROC-AUC": {"measure": "downstream", "task": "response"},
    "Structure assays, ROC-AUC": {"measure": "downstream", "task": "structure"},
    "chembl2k, ROC-AUC": {"measure": "downstream", "task": "all"},
}
_HOW = {"random": "at random", "scaffold": "by scaffold", "plate": "by plate"}
_WHERE = {"pretraining": "in pretraining", "use": "in use"}


def curves(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each question, place, pattern, rate and filling: the mean score, and chance.

    Parameters
    ----------
    rows
        ``missing.csv``, of one corpus. Of the model that decodes from profiles alone only the imputation in
        use counts: the usual model imputes from the molecule, whatever profiles it is given.
    """
    own = rows["study"] == _FROM_PROFILES
    rows = rows[(rows["fold"] == "test") & (~own | (rows["measure"] == "imputation"))]
    found = []
    for question, where in _QUESTIONS.items():
        part = rows
        for name, value in where.items():
            part = part[part[name].isin(value if isinstance(value, tuple) else (value,))]
        keys = ["place", "pattern", "rate", "filling"]
        mean = (
            part.groupby(keys, sort=False)[["share", "score", "low", "high", "chance"]].mean().reset_index()
        )
        found.append(mean.assign(question=question))
    return pd.concat(found, ignore_index=True)


def section() -> str:
    """Return the section, and draw its figures."""
    empty = {name: [""] for name in ("score", "low", "high", "n", "chance", "share")}
    rows = pd.read_csv(ROWS, keep_default_na=False, na_values=empty)
    made = (
        f"`{COMMAND}`. The molecules asked about, a fifth of the scaffolds and the assays' valid and test "
        "folds, are never learnt from. Scores are means over both directions and over modalities; a linear "
        "model on the frozen embedding learns the assays. Of the real corpus nobody knows the plates, so "
        "hiding by plate is measured on the planted one alone. Intervals (95%) are over molecules. The data "
        "of the figures are [missing.csv](../../benchmarks/results/cells/missing.csv), the verb is "
        "described in [When profiles are missing](missing.md)."
    )
    text = [made]
    for kind, (title, figure) in _CORPORA.items():
        part = rows[rows["study"].str.split(",").str[0] == kind]
        if part.empty:
            continue
        table = curves(part)
        draw(table, FIGURES / figure)
        size, epochs = int(part["molecules"].max()), int(part["epochs"].max())
        text += [
            f"### {title}",
            (
                f"{size:,} molecules, CHMR on fingerprints, {epochs} epochs, {part['seed'].nunique()} seed. "
                "Points with a dash were not run."
            ),
            f"![{title}: scores against the share that is hidden](../figures/{figure})",
            *_verdicts(table),
            *_caution(table),
            *_tables(table),
        ]
    return "\n\n".join(text)


def _verdicts(table: pd.DataFrame) -> Iterator[str]:
    """Yield one sentence a question: the best and the worst filling with half and more hidden at random."""
    lines = []
    for place, question in table[["place", "question"]].drop_duplicates().itertuples(index=False):
        part = table[(table["place"] == place) & (table["question"] == question)]
        part = part[(part["pattern"] == "random") & part["rate"].isin((0.5, 0.9))]
        mean = part.groupby("filling")["score"].mean().sort_values(ascending=False)
        rates = " and ".join(f"{rate:.0%}" for rate in sorted(set(part["rate"])))
        rates = f"mean of {rates}" if " and " in rates else rates
        if len(mean) < 2:
            continue
        default = mean.get("propagation-held-out")
        place_of_ours = "" if default is None else f"; the default, held-out propagation, has {default:.3f}"
        lines.append(
            f"- {question}, hidden {_WHERE[place]} ({rates} at random): best "
            f"{_FILLINGS[mean.index[0]][0]} {mean.iloc[0]:.3f}, worst {_FILLINGS[mean.index[-1]][0]} "
            f"{mean.iloc[-1]:.3f}{place_of_ours}."
        )
    yield "\n".join(lines)


def _caution(table: pd.DataFrame) -> Iterator[str]:
    """Yield how much easier a stand-in is found than what was measured: it is made of the structure."""
    use = table[(table["place"] == "use") & (table["pattern"] == "random")]
    measured = use[(use["question"] == "Matching measured profiles, MRR") & (use["rate"] == 0)]
    stand_ins = use[(use["question"] == "Matching stand-ins, MRR") & (use["rate"] == 1)]
    if measured.empty:
        return
    own = measured.set_index("filling")["score"]
    theirs = stand_ins.set_index("filling")["score"] if len(stand_ins) else pd.Series(dtype=float)
    easier = [
        f"{_FILLINGS[name][0]} {theirs[name]:.3f} against {own[name]:.3f}"
        for name in _FILLINGS
        if name in own.index and name in theirs.index and theirs[name] > own[name]
    ]
    if not easier:
        return
    yield (
        "In use, scores of matching with stand-ins are no knowledge of the cell. A stand-in made of "
        "neighbours' profiles is made of the structure that it is matched with, and is found more easily "
        f"than what was measured (MRR, all hidden against none: {'; '.join(easier)}). That is why the two "
        "are scored apart, and why a figure of robustness that mixes them rises as profiles go missing. "
        "Those that are all alike (zero, mean) are put aside at a glance: measured profiles are found more "
        "easily among them, as among fewer candidates; not so among those of neighbours."
    )


def _tables(table: pd.DataFrame) -> Iterator[str]:
    """Yield a table for each question and place: fillings down, patterns and rates across."""
    for question, place in table[["question", "place"]].drop_duplicates().itertuples(index=False):
        part = table[(table["question"] == question) & (table["place"] == place)]
        points = part[["pattern", "rate"]].drop_duplicates()
        # nothing and everything hidden is the same however it is chosen
        points = points[(points["pattern"] == "random") | points["rate"].between(0, 1, inclusive="neither")]
        if part["score"].nunique() < 2:
            continue
        head = [f"{rate:.0%} {_HOW[pattern]}" for pattern, rate in points.itertuples(index=False)]
        lines = [
            f"| {question}, hidden {_WHERE[place]} | {' | '.join(head)} |",
            "|---" * (len(head) + 1) + "|",
        ]
        for filling, (name, _) in _FILLINGS.items():
            cells = []
            for pattern, rate in points.itertuples(index=False):
                chosen = (part["pattern"] == pattern) & (part["rate"] == rate) & (part["filling"] == filling)
                cells.append(_cell(part[chosen]))
            lines.append(f"| {name} | {' | '.join(cells)} |")
        yield "\n".join(lines)


def _cell(point: pd.DataFrame) -> str:
    """Return a score with its interval over molecules, where it has one."""
    if point.empty:
        return "–"
    score, low, high = (float(point[name].iloc[0]) for name in ("score", "low", "high"))
    interval = "" if pd.isna(low) else f" ({low:.3f} to {high:.3f})"
    return f"{score:.3f}{interval}"


def draw(table: pd.DataFrame, path: Path) -> None:
    """Write the figure: a panel for each question and way of hiding, a line for each filling.

    Parameters
    ----------
    table
        From :func:`curves`.
    path
        SVG file.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    ways = list(table[["place", "pattern"]].drop_duplicates().itertuples(index=False, name=None))
    questions = [question for question in _QUESTIONS if (table["question"] == question).any()]
    path.parent.mkdir(parents=True, exist_ok=True)
    # text stays text, and equal rows give equal files
    with mpl.rc_context({"svg.hashsalt": "missing", "svg.fonttype": "none", "font.size": 8}):
        figure = Figure(figsize=(2.1 * len(ways) + 0.8, 1.7 * len(questions) + 0.7), layout="constrained")
        panels = figure.subplots(len(questions), len(ways), sharex=True, sharey="row", squeeze=False)
        for row, question in enumerate(questions):
            panels[row][0].set_ylabel(question.replace(", ", "\n"))
            for column, (place, pattern) in enumerate(ways):
                axes = panels[row][column]
                if row == 0:
                    axes.set_title(f"{_WHERE[place]}\n{_HOW[pattern]}", fontsize=8)
                part = table[
                    (table["question"] == question)
                    & (table["place"] == place)
                    # nothing hidden is the same however it is chosen
                    & ((table["pattern"] == pattern) | (table["rate"] == 0))
                ]
                for filling, (name, colour) in _FILLINGS.items():
                    line = part[part["filling"] == filling].sort_values("rate")
                    axes.plot(100 * line["rate"], line["score"], "o-", color=colour, label=name, ms=3, lw=1.2)
                chance = part["chance"].mean()
                if pd.notna(chance):
                    axes.axhline(chance, color="#bbbbbb", lw=0.8, ls=":")
                axes.grid(color="#eeeeee")
                axes.spines[["top", "right"]].set_visible(False)
                if row == len(questions) - 1:
                    axes.set_xlabel("% hidden")
        handles, names = panels[0][0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside upper center", ncols=len(names), frameon=False, fontsize=8)
        figure.savefig(path, metadata={"Date": None})


def main() -> int:
    """Draw the figure; return the exit status."""
    section()
    return 0


if __name__ == "__main__":
    sys.exit(main())
