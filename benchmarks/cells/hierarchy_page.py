"""Section of the page of results on trees, from benchmarks/results/cells/hierarchy.csv."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from benchmarks.cells.hierarchy import LEVEL_OF

__all__ = ["ROWS", "section"]

ROWS = Path(__file__).parents[1] / "results" / "cells" / "hierarchy.csv"
TRUE = "k-means, true number"
_REACH, _SHARE, _DEAD = 0.6, 0.8, 0.2

_HEAD = """\
Rows: `python -m benchmarks.cells.hierarchy --work DIR -o benchmarks/results/cells/hierarchy.csv`
([rows](../../benchmarks/results/cells/hierarchy.csv)); the verbs are in [their guide](hierarchy.md).

Each tree divides the places of molecules (anchors) or of morphology profiles (projections). *Trained* is the
tree that the model learnt with, *fitted* one that `cytomol hierarchy --tree fitted` grows on the anchors
afterwards. Agreement is adjusted mutual information (AMI; 0 is chance, 1 is the same) of the nodes of a level
with known classes, on the molecules that have one. Trees and rivals divide the same places of all molecules;
agglomerative clustering (Ward) only those with a class. Intervals (95%) by delete-half jackknife."""

_PLANTED = """\
### Planted corpus

4,000 molecules; 4 families are planted at 2 steps from the root, 16 mechanisms at 4, 32 targets at 5. The
reach was an AMI of 0.6, or 80% of what k-means with the true number of classes makes of the same places, on
each of the three levels, and no level with more than 20% dead nodes (here: without a molecule, or without a
profile). Several seeds: their mean, and from the least to the most."""

_READING = """\
The published tree falls short. Each of its levels decides for itself, by two codes that a gradient moves:
what goes wrong near the root cannot be mended below, and most rows end in few nodes. The form that reaches
the bound for molecules decides at the leaves, which are k-means by moving averages, and pairs like leaves
upwards: `--quantizer leaves --quantized anchor --reverse-assignment none` in training, `--tree fitted`
afterwards for any method. On profiles, the models that keep profiles and
molecules apart miss the family, or leave nodes without a profile. Agglomerative clustering, which sees only
the molecules with a class, is often better than either. The published tree stays the default, and the
presets use it; what the other form does to property prediction was not measured."""

_REAL_READING = """\
No tree follows annotated mechanisms far. Fitted to the places of CHMR it follows them further than one of
fingerprints, to those of InfoAlign and the contrastive method less far; the tree that CHMR was trained with
is hardly beyond fingerprints, and uses one node of the first level most of the time. Profiles by themselves
hardly say the mechanism. CHMR's training had the annotated targets of these molecules among its relations
(not of those held out), which go with mechanisms: its lead need not come from profiles."""


def section(path: Path = ROWS) -> str:
    """Return the section as Markdown."""
    rows = pd.read_csv(path)
    rows["seed"] = rows["seed"].astype(str)
    planted, real = rows[rows["ground"] != "real"], rows[rows["ground"] == "real"]
    parts = [_HEAD, _PLANTED, _reach(planted), _READING, _rivals(planted), _distances(planted)]
    parts += [_stability(planted), _together(planted)]
    if len(real):
        parts += [_real(real)]
    return "\n\n".join(part for part in parts if part)


def _table(head: list[str], lines: list[list[str]]) -> str:
    rule = "|".join("---" for _ in head)
    return "\n".join(
        ["| " + " | ".join(head) + " |", f"|{rule}|", *("| " + " | ".join(x) + " |" for x in lines)]
    )


def _mean(part: pd.DataFrame) -> str:
    """Write a value: with its interval for one seed, with its range for several."""
    values = part.groupby("seed")["value"].mean()
    if not len(values):
        return ""
    if len(values) > 1:
        return f"{values.mean():.2f} ({values.min():.2f} to {values.max():.2f})"
    low, high = part["low"].iloc[0], part["high"].iloc[0]
    return f"{values.iloc[0]:.2f}" + ("" if pd.isna(low) else f" [{low:.2f}, {high:.2f}]")


def _at(rows: pd.DataFrame, **wanted: object) -> pd.DataFrame:
    for column, value in wanted.items():
        rows = rows[rows[column] == value]
    return rows


def _amis(rows: pd.DataFrame, kind: str, tree: str) -> pd.DataFrame:
    rows = _at(rows, classes=kind, score="ami", tree=tree)
    return rows if tree == TRUE else rows[rows["level"] == LEVEL_OF[kind]]


def _trees(rows: pd.DataFrame) -> list[tuple[str, str, str]]:
    trees = rows[rows["tree"].isin(["trained", "fitted"]) & (rows["score"] == "ami")]
    return list(dict.fromkeys(zip(trees["model"], trees["of"], trees["tree"], strict=True)))


def _reach(planted: pd.DataFrame) -> str:
    """Agreement at the planted levels, and whether it reaches what was asked."""
    rows, lines = _at(planted, who="all"), []
    for model, of, tree in _trees(rows):
        own = _at(rows, model=model, of=of)
        cells, reached = [], True
        for kind in LEVEL_OF:
            found, best = _amis(own, kind, tree), _amis(own, kind, TRUE)
            share = found.set_index("seed")["value"] / best.set_index("seed")["value"]
            reached &= bool(found["value"].mean() >= _REACH or share.mean() >= _SHARE)
            cells.append(f"{_mean(found)}, {share.mean():.0%}")
        dead = _at(planted, model=model, of=of, tree=tree, score="dead share")["value"].max()
        reached &= bool(dead <= _DEAD)
        cells.append("" if pd.isna(dead) else f"{dead:.0%}")
        lines.append([model, tree, of, *cells, "yes" if reached else "no"])
    head = ["model", "tree", "of", "family, level 2", "mechanism, level 4", "target, level 5"]
    note = "The share is that of k-means with the true number of classes.\n\n"
    return note + _table([*head, "dead, worst level", "reached"], lines)


def _rivals(planted: pd.DataFrame) -> str:
    """Return agreement of all trees and rivals with mechanisms, level by level."""
    rows = _at(planted, who="all", classes="mechanism", score="ami", of="molecules")
    lines = []
    for model in dict.fromkeys(rows["model"]):
        for tree in ("trained", "fitted", "k-means", "agglomerative", "random"):
            own = _at(rows, model=model, tree=tree)
            if len(own):
                values = own.groupby("level")["value"].mean()
                lines.append([model, tree, *(f"{values[level]:.2f}" for level in range(1, 7))])
    head = ["model", "divided by", *(f"level {level}" for level in range(1, 7))]
    return "AMI of every level with the planted mechanism (molecules):\n\n" + _table(head, lines)


def _distances(rows: pd.DataFrame) -> str:
    """Return how far apart molecules stand within a mechanism and between two."""
    lines = []
    for model, of, tree in [*_trees(_at(rows, classes="mechanism")), (None, "molecules", "random")]:
        own = _at(rows, classes="mechanism", of=of, tree=tree)
        own = own if model is None else own[own["model"] == model]
        told = [_mean(_at(own, who=who, score="nearer")) for who in ("all", "unseen")]
        ends = [f"{_at(own, who='all', score=score)['value'].mean():.2f}" for score in ("within", "between")]
        lines.append([model or "any", tree, of, *ends, *told])
    head = ["model", "tree", "of", "within", "between", "nearer", "nearer, unseen molecules"]
    lead = (
        "Levels on which two paths have parted, of two molecules of one mechanism and of two. *Nearer* is\n"
        "the chance that a pair of one mechanism is nearer than a pair of two (ties half; 95% by bootstrap\n"
        "over molecules). Unseen are those whose profiles were held out of pretraining.\n\n"
    )
    return lead + _table(head, lines)


def _stability(planted: pd.DataFrame) -> str:
    """Return how far the codes of two seeds agree."""
    rows, lines = _at(planted, score="stability"), []
    for (model, tree, of), own in rows.groupby(["model", "tree", "of"], sort=False):
        values = own.groupby("level")["value"].mean()
        pairs = own["seed"].nunique()
        lines.append([str(model), str(tree), str(of), str(pairs), *(f"{value:.2f}" for value in values)])
    if not lines:
        return ""
    head = ["model", "tree", "of", "pairs", *(f"level {level}" for level in range(1, 7))]
    lead = (
        "Stability: AMI between the codes of two seeds of training. Down the tree the form over leaves and\n"
        "a fitted tree find much the same groups each time; which of them share the first turns changes.\n\n"
    )
    return lead + _table(head, lines)


def _together(rows: pd.DataFrame) -> str:
    """Return how often a profile is in its molecule's node."""
    lines = []
    for (model, tree), own in _at(rows, of="both").groupby(["model", "tree"], sort=False):
        same, chance = (
            _at(own, score=score).groupby("level")["value"].mean()
            for score in ("same node", "same node by chance")
        )
        cells = [f"{same[level]:.2f} ({chance[level]:.2f})" for level in sorted(same.index)]
        lines.append([str(model), str(tree), *cells])
    if not lines:
        return ""
    head = ["model", "tree", *(f"level {level}" for level in range(1, 7))]
    return (
        "Share of morphology profiles in the node of their own molecule (by chance, for the same use of the "
        "nodes):\n\n" + _table(head, lines)
    )


def _real(real: pd.DataFrame) -> str:
    """Return the same on the real corpus, where mechanisms are annotations."""
    rows, lines = _at(real, classes="mechanism", score="ami"), []
    number = int(rows["number"].max())
    for model, of, tree in _trees(rows):
        own = _at(rows, model=model, of=of, who="all")
        values = _at(own, tree=tree).groupby("level")["value"].mean()
        best = _at(own, tree="k-means").groupby("level")["value"].mean()
        nearer = _at(real, model=model, of=of, tree=tree, who="all", score="nearer", classes="mechanism")
        cells = [f"{values[level]:.2f} ({best[level]:.2f})" for level in (2, 4, 5, 6)]
        lines.append([model, tree, of, *cells, _mean(nearer)])
    head = ["model", "tree", "of", "level 2", "level 4", "level 5", "level 6", "nearer"]
    lead = (
        f"### Real corpus\n\n{number:,} molecules with an annotated mechanism that five or more share, one\n"
        "a connectivity; in brackets k-means with as many nodes. *Fingerprints* is a tree fitted to Morgan\n"
        "bits, which knows no cell: only what a model's tree has beyond it is more than structure.\n\n"
    )
    table = "\n\n".join([_table(head, lines), _REAL_READING, _together(real)])
    return lead + table
