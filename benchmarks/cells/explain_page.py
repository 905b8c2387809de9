"""Attribution: the section of the page of results."""

from __future__ import annotations

import pandas as pd
from benchmarks.cells.page import RESULTS

__all__ = ["section"]

WAYS = ("occlusion", "occlusion of pieces", "occlusion of both", "gradients")
KNOWING_NOTHING = ("random", "degree", "heteroatom")

_TEXT = """\
`cytomol explain` says what each atom adds to an answer. Here the answer is known: labels that follow from a
group of atoms by rule, and planted responses that follow from the group that binds. A molecule's score is the
ROC-AUC of its atoms, those of the group against all others (ties as half), averaged over test molecules that
have the group, with a 95% bootstrap interval over molecules; 0.5 is chance. *Model AUC* says how well the
model knows the rule on test molecules: what it does not know, no attribution can find in it. Three columns
know nothing of a model: chance, the number of heavy neighbours, and being no carbon.

Made by `python -m benchmarks.cells.explain --work DIR -o benchmarks/results/cells/explain.csv` (seed 0,
scaffold split; planted groups are acid, amide donor, base and electrophile, each in five forms beside
look-alikes that do not bind).
"""


def section() -> str:
    """Return the section in Markdown."""
    rows = pd.read_csv(RESULTS / "explain.csv")
    learners = rows[rows["model_auc"].notna()]
    cells = rows[rows["model_auc"].isna()]
    parts = [_TEXT]
    if len(learners):
        parts += ["### Predictions of rules", "", *_table(learners, with_model=True), "", _mean(learners), ""]
    if len(cells):
        parts += ["### Imputed profiles and matches", "", _CELLS, *_table(cells, with_model=False), ""]
    return "\n".join(parts)


_CELLS = """\
Held-out planted molecules that bind; the group that binds against all other atoms, among which the core takes
part in the response too, so 1 cannot be reached; and *core apart*: against decoration alone. *direction*: of
the imputed morphology; *feature*: its best imputed one (chosen on the valid half), by absolute value;
*match*: to the molecule's own measured profile.
"""


def _table(rows: pd.DataFrame, *, with_model: bool) -> list[str]:
    ways = [way for way in (*WAYS, *KNOWING_NOTHING) if way in set(rows["way"])]
    head = ["corpus", "model", "answer", "molecules", *(["model AUC"] if with_model else []), *ways]
    lines = [f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    for (ground, subject, target), group in rows.groupby(["ground", "subject", "target"], sort=False):
        of_way = group.set_index("way")
        known = [way for way in WAYS if way in of_way.index]
        if not known or of_way.loc[known[0], "molecules"] == 0:
            continue
        best = of_way.loc[[way for way in ways if way in of_way.index], "auc"].max()
        cells = [_cell(of_way, way, best) for way in ways]
        model = [f"{group['model_auc'].iloc[0]:.3f}"] if with_model else []
        molecules = str(int(of_way.loc[known[0], "molecules"]))
        lines.append(f"| {' | '.join([ground, subject, target, molecules, *model, *cells])} |")
    return lines


def _cell(of_way: pd.DataFrame, way: str, best: float) -> str:
    if way not in of_way.index:
        return "–"
    row = of_way.loc[way]
    text = f"{row['auc']:.3f}"
    text = f"**{text}**" if row["auc"] == best else text
    return f"{text} ({row['low']:.2f}–{row['high']:.2f})"


def _mean(rows: pd.DataFrame) -> str:
    """Say the mean over rules of each learner's best known way beside what knows nothing."""
    sentences = []
    for (ground, subject), group in rows.groupby(["ground", "subject"], sort=False):
        mean = group.groupby("way")["auc"].mean()
        said = ", ".join(f"{way} {mean[way]:.3f}" for way in (*WAYS, *KNOWING_NOTHING) if way in mean.index)
        sentences.append(f"- {ground}, {subject}, mean over rules: {said}")
    return "\n".join(sentences)
