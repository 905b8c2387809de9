"""What repeated cross-validation says, in sentences and tables that are counted from its rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from benchmarks.quality.repeated.differences import OURS, Grid, grids, mean_ranks
from benchmarks.quality.repeated.plan import MOST_REPEATS, SETS
from benchmarks.quality.tables import markdown, number

if TYPE_CHECKING:
    from benchmarks.quality.rows import Rows

__all__ = ["COMMAND", "headlines", "lines"]

COMMAND = """\
python -m benchmarks.default_backbone --only pretrain --form infoalign-long --variant blind
python -m benchmarks.quality.repeated --backbone default-backbone/infoalign-long-blind"""

_REPEATS = _FOLDS = 5
_LEAST_P = 0.001
_DONE = """\
## What was done

One split of a small set is a lottery: its test fold has some 150 molecules, and another split may turn the
order of the models. So each set is divided five times (broad6k three times) into five folds, and in turn each
fold is predicted by models that learnt from the other four: 25 folds a set, 15 of broad6k. All models see
the same folds. No fold divides a scaffold, or a molecule from its tautomers and stereoisomers: what is
predicted is always of a scaffold that was not learnt from. About an eighth of the rows that may be learnt
from is held back to stop training and to weigh members by; no label of a predicted fold reaches a model.
Settings are the defaults, the same for all sets. The last two repeats (of biogenadme the last three, in part)
were fitted a day after the others: of equally similar molecules, nearest neighbours count others since.

- **`cytomol`** is the whole recipe. Its members stand alone too: averaged perceptrons without and with the
  backbone's embedding (`mlp`, `mlp-embedding`), extremely randomised trees (`extra-trees`), `boosting`, a
  Gaussian process (`kernel`) and nearest `neighbours`. The random `forest` that stands alone has 500 trees,
  the recipe's 100, and on values (biogenadme) none.
- **Scores** are ROC-AUC in %, for biogenadme the mean absolute error times 100, mean over the tasks that can
  be scored. Differences are in the same points, above 0 where `cytomol` is better.
- **The test that decides** is the t-test over folds corrected for the molecules that folds share in training
  (Nadeau and Bengio 2003; the variance of the mean is that over folds times 1/folds + tested/learnt), with
  Holm's correction over the models of a set. "Significantly" means p < 0.05 in it. Its intervals hold
  together for all models of a set (95%, Bonferroni) and are a little wider than Holm's correction asks: some
  that hold 0 belong to a difference that is significant.
- **As the guidelines ask** (Ash and others 2025, "Practically significant method comparison protocols for
  machine learning in small molecule drug discovery"), the analysis of variance over repeated measures and
  Tukey's honestly significant difference stand beside it. They take folds for independent, which they are
  not, and so are too sure: what they alone find is not called a difference here.
- **Effect size** is Cohen's d of the paired differences: their mean in standard deviations of themselves over
  folds, with a 95% interval that has the same correction. A model that wins by little on every fold has a
  large one; whether the points matter is for the chemist to say.
"""
_SEEN = """\
## What the backbone may have seen

Here every molecule of a set is predicted, those of its published train fold too. So these rows use a backbone
of their own: pretrained on the molecules of the one that comes with the package and with its options, but
for 30 epochs in the place of 100, and without any profile or annotated target of any molecule of the nine
sets, compared by connectivity. Structures of some of them it knows, without labels
([which](../default_backbone.md)). Its embedding is read by `mlp-embedding`, and so by the recipe; by none
of the other single models.
"""
_FOLLOWS = """\
Mean ± standard deviation over the folds that all models of the table have, in bold the best. Most of that
deviation is of the folds, which are easy or hard for all models alike; so it does not say whether two models
differ.
"""
_BEST = """\
The best single model is picked by the same folds that it is compared on, set by set. That favours it: nobody
could have picked it beforehand.
"""
_WAYS = {
    "recipe": """\
`cytomol-plain` is the recipe without the backbone, `cytomol-equal` weighs all members alike, and
`cytomol-five` is the recipe as it was before a forest and neighbours joined. They joined because of what they
added on the first two repeats of these folds (three of bace, bbbp, clintox and chembl2k): there it was seen
when they were chosen, in later repeats it was not.
""",
    "crossfit": """\
In the recipe an eighth of the rows chooses weights, and no member learns from them. `cytomol-crossfit` fits
members on all rows and learns weights from five more fits, each of which leaves out a fifth of them (six
times the cost). `cytomol-refit` fits members on all rows and takes the weights from the eighth.
""",
    "minimol": """\
`cytomol-minimol` has one member more, perceptrons that also read the vectors of
[MiniMol](../encoders.md) (`mlp-minimol` alone). It was pretrained on PubChem assays. Labels of bace, bbbp,
clintox, sider and biogenadme are no such assays as far as we know (not compared row by row); those of
chembl2k and broad6k may be, so nothing is claimed there.
""",
}


def lines(rows: Rows) -> Iterator[str]:
    """Yield the page."""
    scores, table = rows.repeated, rows.repeated_differences
    if table.empty:
        yield "No rows yet.\n"
        return
    single = grids(scores, "single")
    yield "In short:\n"
    yield from (f"- {text}" for text in (*headlines(rows), *_incomplete(single)))
    yield f"\n{_DONE}"
    yield from ("## Scores\n", _FOLLOWS, *_scores(single), *_places(single))
    yield from ("## Against the best single model\n", _BEST, *_against_best(table, single))
    yield from ("## Ways to put the members together\n", *_ways(scores, table))
    yield _SEEN
    yield "## Every difference\n"
    yield (
        "`cytomol` less the model of the row; in the [file](../../benchmarks/results/quality/"
        "repeated_differences.csv) all other pairs too, in the unit of the score.\n"
    )
    for grid in single:
        yield from _every(_of(table, "single", grid.set), grid)


def headlines(rows: Rows) -> Iterator[str]:
    """Yield what a chemist is told first; nothing without rows."""
    table = rows.repeated_differences
    if table.empty:
        return
    single = grids(rows.repeated, "single")
    yield from _place(single)
    own = table[(table["family"] == "single") & (table["first"] == OURS)]
    yield f"{_behind(own)}."
    tested = own[own["p"].notna()]
    counts = tested["verdict"].value_counts()
    ahead, behind, still = (int(counts.get(word, 0)) for word in ("ahead", "behind", "open"))
    sets = _count(tested["set"].nunique(), "set")
    yield (
        f"Of {_count(len(tested), 'comparison')} with single models on {sets} `cytomol` is "
        f"significantly ahead in {ahead} and behind in {behind}; {still} are open."
    )
    verdicts: dict[str, list[str]] = {"ahead": [], "behind": [], "open": []}
    for grid in single:
        if len(grid.scores) > 1:
            best = _best(grid)
            found = own[(own["set"] == grid.set) & (own["second"] == best)].iloc[0]
            verdicts[found["verdict"]].append(f"{grid.set} ({best}, {_points(found['difference'])})")
    told = {"ahead": "significantly ahead of it on", "behind": "significantly behind on", "open": "open on"}
    said = "; ".join(f"{told[word]} {', '.join(names)}" for word, names in verdicts.items() if names)
    if said:
        yield f"Against the best single model of each set: {said}."


def _place(single: list[Grid]) -> Iterator[str]:
    ranks = mean_ranks(single)
    if OURS not in ranks.ranks:
        return
    own = ranks.ranks[OURS]
    others = sorted((place, model) for model, place in ranks.ranks.items() if model != OURS)
    above = [f"{model} ({place:.1f})" for place, model in others if place < own]
    level = [model for place, model in others if place == own]
    over = f"over {_count(len(ranks.sets), 'set')}, of {len(ranks.ranks)} models"
    if above:
        yield f"`cytomol` has mean place {own:.1f} {over}; better have {', '.join(above)}."
    elif level:
        yield f"`cytomol` has the best mean place {over}, {own:.1f}, and shares it with {', '.join(level)}."
    else:
        place, model = others[0]
        yield f"`cytomol` has the best mean place {over}: {own:.1f}; next is {model} ({place:.1f})."


def _behind(own: pd.DataFrame) -> str:
    lost = own[own["verdict"] == "behind"]
    if lost.empty:
        return "No single model is significantly ahead of `cytomol` on any set"
    by_set = [
        f"{', '.join(f'{row.second} ({_points(-row.difference)})' for row in part.itertuples())} on {name}"
        for name, part in lost.groupby("set", sort=False)
    ]
    return f"Significantly ahead of `cytomol`: {'; '.join(by_set)}"


def _incomplete(single: list[Grid]) -> Iterator[str]:
    """Say what of the plan has no rows."""
    done = {grid.set: len(grid.scores) for grid in single}
    planned = {name: _FOLDS * MOST_REPEATS.get(name, _REPEATS) for name in SETS}
    gone = [
        f"{name} {done.get(name, 0)} of {folds}"
        for name, folds in planned.items()
        if done.get(name, 0) < folds
    ]
    if gone:
        yield f"Folds that are not done are missing: there are of {', '.join(gone)}."
    absent = [f"{', '.join(grid.absent)} on {grid.set}" for grid in single if grid.absent]
    if absent:
        yield f"Too few folds to be compared: {'; '.join(absent)}."


def _scores(single: list[Grid]) -> Iterator[str]:
    models = _models(single)
    ranks = mean_ranks(single).ranks
    rows = [("folds", *(str(len(grid.scores)) for grid in single), "")]
    for model in models:
        cells = [_spread(grid, model) for grid in single]
        rows.append((_name(model), *cells, number(ranks.get(model))))
    yield from markdown(("model", *(_named(grid) for grid in single), "mean place"), rows)


def _models(single: list[Grid]) -> list[str]:
    return [OURS, *sorted({model for grid in single for model in grid.models} - {OURS})]


def _spread(grid: Grid, model: str) -> str:
    if model not in grid.models:
        return "–"
    means = grid.gains.mean(axis=0)
    place = grid.models.index(model)
    own = 100 * grid.scores[:, place]
    text = f"{own.mean():.1f}" + (f" ± {own.std(ddof=1):.1f}" if len(own) > 1 else "")
    return f"**{text}**" if means[place] == means.max() else text


def _places(single: list[Grid]) -> Iterator[str]:
    found = mean_ranks(single)
    if np.isnan(found.critical):
        return
    ranks = found.ranks
    alike = [model for model in ranks if model != OURS and abs(ranks[model] - ranks[OURS]) < found.critical]
    yield (
        f"Mean places are over {', '.join(found.sets)}, each of which counts once (Friedman's test that "
        f"all models are alike: p {_equals(found.p)}). Places that lie closer than {found.critical:.1f} "
        f"cannot be told apart on {len(found.sets)} sets (Nemenyi); so close to `cytomol`: "
        f"{', '.join(alike) or 'none'}.\n"
    )


def _best(grid: Grid) -> str:
    """Return the best single model of a set, by its mean."""
    means = grid.gains.mean(axis=0)
    return grid.models[1 + int(means[1:].argmax())]


def _against_best(table: pd.DataFrame, single: list[Grid]) -> Iterator[str]:
    header = ("set", "best single model", "`cytomol` less it", "effect size d", "p (Holm)", "verdict")
    header += ("significantly ahead of", "open", "significantly behind")
    rows = []
    for grid in single:
        own, best = _of(table, "single", grid.set), _best(grid)
        found = own[own["second"] == best].iloc[0]
        groups = [own[(own["verdict"] == word) & own["p"].notna()] for word in ("ahead", "open", "behind")]
        listed = (", ".join(part["second"]) or "–" for part in groups)
        gap = _points(found["difference"]) + _interval(found["low"], found["high"])
        rows.append((_named(grid), best, gap, _effect(found), _p(found["p_holm"]), _verdict(found), *listed))
    yield from markdown(header, rows)


def _ways(scores: pd.DataFrame, table: pd.DataFrame) -> Iterator[str]:
    for family, about in _WAYS.items():
        found = grids(scores, family)
        others = [model for model in _models(found) if model != OURS]
        if not others:
            continue
        yield about
        header = ("set", "folds", *(f"`cytomol` less {model}" for model in others))
        rows = []
        for grid in found:
            own = _of(table, family, grid.set).set_index("second")
            cells = (_cell(own.loc[model]) if model in own.index else "–" for model in others)
            rows.append((_named(grid), str(len(grid.scores)), *cells))
        yield from markdown(header, rows)
    own = table[(table["family"] != "single") & (table["first"] == OURS)]
    clear = own[own["verdict"].isin(["ahead", "behind"])]
    if own.empty:
        yield "No rows yet.\n"
    elif clear.empty:
        yield "None of these differences is significant.\n"
    else:
        words = {"ahead": "ahead of", "behind": "behind"}
        texts = (f"{row.set} ({words[row.verdict]} {row.second})" for row in clear.itertuples())
        yield f"Significant: `cytomol` on {', '.join(texts)}.\n"


def _every(own: pd.DataFrame, grid: Grid) -> Iterator[str]:
    row = own.iloc[0]
    yield f"### {grid.set}\n"
    if len(grid.scores) < 2:
        yield "One fold, so no test.\n"
    elif np.isnan(row["p_anova"]):
        yield f"{len(grid.scores)} folds of {_count(grid.repeats, 'repeat')}.\n"
    else:
        yield (
            f"{len(grid.scores)} folds of {_count(grid.repeats, 'repeat')}. Analysis of variance of "
            f"{len(grid.models)} models: F = {row['f']:.1f}, p {_equals(row['p_anova'])}.\n"
        )
    header = ("against", "difference", "corrected interval", "p (Holm)", "verdict", "effect size d")
    header += ("Tukey's interval", "p (Tukey)")
    rows = []
    for _, found in own.iterrows():
        corrected = _interval(found["low"], found["high"]).strip(" ()") or "–"
        loose = _interval(found["tukey_low"], found["tukey_high"]).strip(" ()") or "–"
        cells = (_points(found["difference"]), corrected, _p(found["p_holm"]), _verdict(found))
        rows.append((found["second"], *cells, _effect(found), loose, _p(found["p_tukey"])))
    yield from markdown(header, rows)


def _of(table: pd.DataFrame, family: str, name: str) -> pd.DataFrame:
    """Return the rows of ours against the others of a family on a set."""
    return table[(table["family"] == family) & (table["set"] == name) & (table["first"] == OURS)]


def _named(grid: Grid) -> str:
    return f"{grid.set} (MAE)" if grid.metric == "mae" else grid.set


def _name(model: str) -> str:
    return f"`{model}`" if model == OURS else model


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + "s" * (number != 1)


def _points(value: float) -> str:
    return f"{round(100 * value, 1) + 0.0:+.1f}"  # no -0.0


def _interval(low: float, high: float) -> str:
    return "" if np.isnan(low) else f" ({_points(low)} to {_points(high)})"


def _effect(row: pd.Series) -> str:
    if np.isnan(row["d"]):
        return "–"
    return f"{row['d']:+.1f} ({row['d_low']:+.1f} to {row['d_high']:+.1f})"


def _p(value: float) -> str:
    if np.isnan(value):
        return "–"
    return f"< {_LEAST_P}" if value < _LEAST_P else f"{value:.3f}"


def _equals(p: float) -> str:
    """Return p as it stands after its letter in a sentence."""
    return _p(p) if p < _LEAST_P else f"= {_p(p)}"


def _verdict(row: pd.Series) -> str:
    if np.isnan(row["p"]):
        return "–"
    return row["verdict"] if row["verdict"] == "open" else f"**{row['verdict']}**"


def _cell(row: pd.Series) -> str:
    star = "" if np.isnan(row["p"]) or row["verdict"] == "open" else "*"
    return f"{_points(row['difference'])}{star}{_interval(row['low'], row['high'])}"
