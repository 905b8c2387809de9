"""The page of results that a chemist reads first: what was measured, wins, losses, and how sure they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.quality.behind import BEHIND
from benchmarks.quality.contrasts import GROUPED
from benchmarks.quality.figures import figures
from benchmarks.quality.plan import SETS
from benchmarks.quality.published import LEFT_IN, PUBLISHED
from benchmarks.quality.repeated.page import headlines
from benchmarks.quality.rows import GPU, LEAKY, LONG, MINIMOL, OURS, TODAY, Rows, refitted
from benchmarks.quality.sections import contrasts_at_a_glance
from benchmarks.quality.tables import decided, markdown, named, number, spread

from cytomol.evaluate.published import PUBLISHED as DATA

__all__ = ["Standing", "front", "standings"]

_STATED = 0.9
_WORDS = ("better", "ahead, not clear", "behind, not clear", "worse")
_MEASURED = {
    "bace": "inhibitors of beta-secretase 1",
    "bbbp": "passage into the brain",
    "clintox": "approval, and failure in trials for toxicity",
    "sider": "side effects of marketed drugs, by organ",
    "chembl2k": "activity on protein targets, from ChEMBL",
    "biogenadme": "absorption and metabolism, in vitro (Biogen)",
    "broad6k": "assays of the Broad Institute",
    "toxcast": "toxicity assays, in vitro (EPA)",
    "hiv": "inhibition of HIV replication",
}

_INTRO = """\
# Benchmarks

How well does `cytomol` predict properties of molecules that it has not seen? One recipe, with one setting for
all, learns nine public sets and stands beside eight common models and the published figures. Every figure on
this page comes from rows in the repository, losses as well as wins.
"""
_SCORES = """\
The recipe averages perceptrons, trees, boosting and a Gaussian process, with weights that the valid fold
chooses; so it had five members when these rows were made. Today's `cytomol` has a random forest and nearest
neighbours too ([its rows so far](#the-recipe-of-today)). It reads fingerprints, descriptors and the embedding
of a backbone, which InfoAlign pretrained on molecules with cell data. The others read fingerprints and
descriptors: random forests (`forest`, `forest-bits`), extremely randomised trees (`extra-trees`), gradient
boosting (`boosting`), perceptrons (`mlp`, `mlp-one`), a Gaussian process (`kernel`) and nearest neighbours
(`neighbours`).

Scores are of the test fold: ROC-AUC in % (50 is guessing, 100 is perfect; higher is better), for biogenadme
the mean absolute error times 100 (lower is better); mean over the tasks of a set, ± the standard deviation
over seeds, in brackets the number of seeds. A difference above 0 says that the recipe is better.
"""
_TODAY = f"""\
With a random forest (on classes) and nearest neighbours, on the backbone that comes with cytomol; so
whoever has the package can have this model. `{LONG}` is the same on a backbone that InfoAlign pretrained
for 30 epochs on the whole corpus, `{GPU}` on one that saw its structures alone, for 75 epochs on [a
GPU](gpu.md); valid folds [had chosen it](FOLDER/levers.md) for one perceptron, and the recipe keeps little
of that on test. Why the members joined: [repeated cross-validation](FOLDER/repeated.md). Its folds hold the
test molecules of six of these sets, so on those the rows are [not
blind](FOLDER/campaign.md#what-was-known-when). Where a name says `refit`, members are fitted on the valid
molecules too. With `+minimol` one member more reads the vectors of [MiniMol](encoders.md), which others
pretrained on PubChem assays: only on the five sets whose labels are none of those assays ([how that was
judged](encoders.md#what-an-encoder-may-have-seen)).
"""
_SURE = """\
- **Seeds.** Each seed trains everything anew on the same split: five are planned (three on hiv). Some models
  have fewer, as the brackets say; [what is missing](FOLDER/campaign.md#missing).
- **Intervals** are 95%. They come from drawing tasks and seeds again; on sets of fewer than five tasks, from
  drawing test molecules and seeds. "Not clear" means that the interval holds 0: the rows cannot tell the two
  apart.
- **The best of the others** is picked by its test score, set by set. That favours it, and nobody could have
  picked it beforehand.
- **One split a set.** No interval here says what another split would give. Scaffold splits are hard on small
  sets: bace and bbbp have about 150 and 200 test molecules.MORE
- **Many comparisons.** With corrections for their number: [wins and losses](FOLDER/differences.md).
"""
_LABELS = """\
No model sees a label of a test molecule. What pretraining may see matters as much:

- The rows above leave out of pretraining every profile and every annotated target of a molecule that is in
  any valid or test fold. Structures stay in, without any label (hiv's are mostly not in the corpus).
- The authors of InfoAlign and CHMR leave nothing out: their published figures may know the cell data of test
  molecules, and annotated targets that bear the names of the tasks ([more](FOLDER/published.md)).
- So their fair counterpart is `LEAKY`, the same recipe with those data left in.
- In broad6k 643 of 1,642 test molecules have a stereoisomer in train: [scores without
  them](FOLDER/stereo.md).
- We had seen some test scores before the recipe was final: [what was known
  when](FOLDER/campaign.md#what-was-known-when).
"""
_CELLS = """\
The same recipe, and five perceptrons alone, on backbones pretrained with and
without cell data and on none. Differences in points, * where the interval leaves 0 out, in brackets the
number of seeds. By what is known of each molecule, and on corpora whose truth is known: [cell
data](FOLDER/cell_data.md).
"""
_WORTH = """\
A model that says "90%" should be right nine times in ten. Covered: share of measured test values within the
stated sets or intervals, at a stated 0.9. Minutes and memory are of one seed (features, fit and prediction)
on one of two cores.
"""
_AGAIN = """\
```sh
make benchmarks      # or a part: python -m benchmarks.quality --stage baselines --sets bace --seeds 1
python -m benchmarks.quality.page --check      # are these pages what the rows give?
```

It needs the data (`CYTOMOL_DATA`) and many hours on two cores, and goes on where it was cut. The nine sets
come with their splits (`cytomol data get`); the profiles for pretraining may not be passed on. The rows: [one
for each model, seed and task](../benchmarks/results/quality/rows.parquet), [what the uncertainty is
worth](../benchmarks/results/quality/coverage.parquet), and the tables beside them.
"""
_ALSO = """\
- [Does it matter?](fidelity.md): what each difference from the papers' code does
- [The first real run](first_real_run.md), [speed](speed.md), [growth](growth.md), [memory](memory.md)
"""


class Standing(NamedTuple):
    """How the recipe stands against the best of the others on a set.

    Attributes
    ----------
    name, best
        The set, and the other model.
    difference
        Text of what the recipe is better by, with its interval.
    word
        "better", "worse", or which way it leans.
    """

    name: str
    best: str
    difference: str
    word: str


def standings(rows: Rows) -> list[Standing]:
    """Return how the recipe stands on each set that has rows of it and of another model."""
    found = []
    for name in rows.sets:
        best = rows.best(name, rows.baselines())
        pair = None if best is None else rows.paired(name, OURS, best)
        if best is not None and pair is not None:
            column, text = decided(pair, rows.interval(name, best))
            difference = text.replace("; ", " (") + ")" * ("; " in text)
            found.append(Standing(name, best, difference, _WORDS[column]))
    return found


def front(rows: Rows, folder: str) -> str:
    """Return the page; what lies behind it is linked in the folder."""
    found = standings(rows)
    parts = [_INTRO, *_in_short(rows, found), "## What was measured\n", *_data(rows), _SCORES]
    parts += ["## Wins and losses\n", *_scores(rows, found)]
    if title := next((t for t in figures(rows) if t.startswith("Models")), ""):
        parts.append(f"![{title}](figures/{figures(rows)[title]})\n")
    parts += _today(rows)
    parts += [
        "## How sure\n",
        _SURE.replace("MORE", _more(rows)),
        "## What was known\n",
        _LABELS.replace("LEAKY", LEAKY),
        *_leaky(rows),
    ]
    parts += ["## What cell data add\n", _CELLS, *_cells(rows)]
    parts += [
        "## Uncertainty and cost\n",
        _WORTH,
        *_worth(rows),
        "## Again\n",
        _AGAIN,
        "## Behind this page\n",
    ]
    parts += [f"- [{page.title}](FOLDER/{page.file}): {page.about}" for page in BEHIND]
    return ("\n".join([*parts, _ALSO]).rstrip() + "\n").replace("FOLDER", folder)


def _in_short(rows: Rows, found: list[Standing]) -> Iterator[str]:
    """Yield the findings in sentences, each counted from the rows."""
    yield "In short:\n"
    for word in _WORDS:
        names = [f"{s.name} ({s.best})" for s in found if s.word == word]
        if names:
            yield f"- {_BEST[word]} **{len(names)}** of {len(found)} sets: {', '.join(names)}."
    by_figure = [(name, _ahead(rows, name)) for name in rows.sets]
    ahead = [name for name, value in by_figure if value is not None and value > 0]
    behind = [name for name, value in by_figure if value is not None and value <= 0]
    if ahead or behind:
        yield (
            f"- Against the best published mean: ahead on {_listed(ahead)}; not ahead on {_listed(behind)}. "
            "Those figures may [know more](#what-was-known)."
        )
    by = []
    for label in (OURS, TODAY, GPU, MINIMOL):
        if label == OURS or label in rows.labels:
            aims = ([n for n in rows.sets if _reached(rows, n, each)] for each in (label, refitted(label)))
            alone, again = map(_listed, aims)
            by.append(f"`{label}` {alone} (refitted on the valid molecules too: {again})")
    yield f"- We had set a target for each set. Reached: {'; '.join(by)}."
    yield ""


_BEST = {
    "better": "Better than the best of the others, clearly, on",
    "ahead, not clear": "Ahead of it, but not clearly, on",
    "behind, not clear": "Behind it, but not clearly, on",
    "worse": "Worse, clearly, on",
}


def _listed(names: list[str]) -> str:
    return ", ".join(names) if names else "none"


def _ahead(rows: Rows, name: str) -> float | None:
    """Return by what the recipe's mean is better than the best published one, rounded as both are shown."""
    cell, published = rows.cell_of(name, OURS), rows.published(name)
    return None if cell is None or published is None else rows.sign(name) * (round(cell.mean, 1) - published)


def _reached(rows: Rows, name: str, label: str) -> bool:
    cell, target = rows.cell_of(name, label), rows.target(name, label)
    return cell is not None and target is not None and rows.sign(name) * (cell.mean - target) >= 0


def _data(rows: Rows) -> Iterator[str]:
    lines = []
    for name in [name for name in SETS if name in rows.sets]:
        split = "OGB" if _is_ogb(name) else "InfoAlign"
        lines.append((name, _MEASURED[name], f"{DATA[name].molecules:,}", f"{DATA[name].tasks}", split))
    yield from markdown(("set", "what is predicted", "molecules", "tasks", "scaffold split of"), lines)


def _is_ogb(name: str) -> bool:
    """Say whether a set and its split are OGB's; the others are InfoAlign's."""
    return "ogb" in DATA[name].source


def _scores(rows: Rows, found: list[Standing]) -> Iterator[str]:
    by_set = {standing.name: standing for standing in found}
    header = ("set", f"`{OURS}`", "best of the others", "difference (95% interval)", "verdict")
    header += ("best published", "difference")
    lines = []
    for name in rows.sets:
        ours, standing, ahead = rows.cell_of(name, OURS), by_set.get(name), _ahead(rows, name)
        texts = ("–", "–", "–")
        if standing is not None:
            best = f"{standing.best} {spread(rows.cell_of(name, standing.best))}"
            texts = (best, standing.difference, f"**{standing.word}**")
        by = (number(rows.published(name)), number(ahead, "+.1f"))
        lines.append((named(rows, name), spread(ours), *texts, *by))
    yield from markdown(header, lines)


def _today(rows: Rows) -> Iterator[str]:
    """Yield the rows of today's recipe beside those of five members, with the refitted ones."""
    sets = [name for name in rows.sets if rows.cell_of(name, TODAY) is not None]
    if not sets:
        return
    yield "## The recipe of today\n"
    yield _TODAY
    alone = (OURS, LONG, TODAY, GPU, MINIMOL)
    labels = [label for label in (*alone, *map(refitted, alone)) if label in rows.labels]
    lines = [(label, *(spread(rows.cell_of(name, label)) for name in sets)) for label in labels]
    yield from markdown(("", *(named(rows, name) for name in sets)), lines)


def _more(rows: Rows) -> str:
    """Return what repeated cross-validation says of other splits, as a point of the list."""
    said = list(headlines(rows))
    if not said:
        return ""
    return f"\n- **Other splits.** [Repeated cross-validation](FOLDER/repeated.md): {' '.join(said)}"


def _leaky(rows: Rows) -> Iterator[str]:
    sets = [name for name in rows.sets if any(name in PUBLISHED[method] for method in LEFT_IN)]
    if not sets:
        return
    lines = [
        (f"{method}, published", *(number(PUBLISHED[method][name].mean) for name in sets))
        for method in sorted(LEFT_IN)
    ]
    lines += [(label, *(spread(rows.cell_of(name, label)) for name in sets)) for label in (LEAKY, OURS)]
    yield from markdown(("", *(named(rows, name) for name in sets)), lines)


def _cells(rows: Rows) -> Iterator[str]:
    if rows.cell.empty:
        yield "No rows yet.\n"
        return
    yield from contrasts_at_a_glance(rows.cell[rows.cell["by"] == "all"], GROUPED)


def _worth(rows: Rows) -> Iterator[str]:
    coverage = rows.coverage
    own = coverage[(coverage["label"] == OURS) & (coverage["coverage"] == _STATED)] if len(coverage) else None
    covered, minutes, memory = [f"covered at {_STATED:g}"], ["minutes"], ["peak memory, GB"]
    sets = [name for name in rows.sets if len(rows.jobs(name, OURS))]
    for name in sets:
        jobs = rows.jobs(name, OURS)
        share = None if own is None else float(own.loc[own["set"] == name, "covered"].mean())
        seconds = jobs["seconds_features"].max() + (jobs["seconds_fit"] + jobs["seconds_predict"]).mean()
        covered.append(number(share, ".2f"))
        minutes.append(number(seconds / 60))
        memory.append(number(jobs["peak_mb"].max() / 1000))
    yield from markdown((f"one seed of `{OURS}`", *sets), [covered, minutes, memory])
