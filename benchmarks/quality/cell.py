"""What the cell data add: ``python -m benchmarks.quality.cell`` writes paired differences with intervals."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.quality.contrasts import CONTRASTS, Contrast, compared, grid
from benchmarks.quality.derived import derive
from benchmarks.quality.kept import Kept, Table
from benchmarks.quality.known import GROUPS, Known, known
from benchmarks.quality.plan import SETS
from benchmarks.quality.resampled import molecule_interval
from benchmarks.raw_rows import read_rows
from numpy.typing import NDArray

from cytomol.assays.metrics import score_tasks
from cytomol.evaluate.sets import load_set
from cytomol.evaluate.significance import FEWEST_DRAWN, FEWEST_TASKS

__all__ = ["COLUMNS", "main"]

COLUMNS = (
    *("by", "set", "contrast", "group", "metric", "first", "second", "difference", "low", "high", "p"),
    *("test", "wins", "tasks", "seeds", "molecules", "drawn"),
)
_FEWEST_OF_A_CLASS = 5
_FEWEST_VALUES = 10


def main(arguments: list[str] | None = None) -> int:
    """Write ``cell.csv``; return the exit status."""
    return derive("cell", __doc__, COLUMNS, _records, arguments)


def _records(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    rows, kept = read_rows(options.out), Kept(options.out)
    scores = rows[rows["fold"] == "test"]
    yield from _overall(scores, kept)
    yield from _by_coverage(scores, kept, options.work)


def _own(scores: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the sets that have rows, in their order."""
    for name in SETS:
        part = scores[scores["set"] == name]
        if len(part):
            yield name, part


def _overall(scores: pd.DataFrame, kept: Kept) -> Iterator[dict[str, Any]]:
    """Compare on all tasks and test molecules of each set."""
    for name, part in _own(scores):
        metric, tasks, seeds = part["metric"].iloc[0], part["task"].unique(), sorted(part["seed"].unique())
        for contrast in CONTRASTS:
            grids = (grid(part, model, tasks, seeds) for model in contrast[1:])
            result = compared(*grids, metric)
            if result is None:
                continue
            predictions = []
            if result["tasks"] < FEWEST_DRAWN:
                shared = kept.seeds(name, *contrast[1:])
                predictions = [kept.tables(name, model, shared) for model in contrast[1:] if shared]
            yield _record(part, contrast, result, predictions, by="all", group="all")


def _record(
    part: pd.DataFrame,
    contrast: Contrast,
    result: dict[str, Any],
    predictions: list[list[Table]],
    **words: Any,
) -> dict[str, Any]:
    """Return one row of the table: of which set and pair, what is compared by ``words``, and the result.

    Too few tasks to draw from have an interval over molecules instead, from both models' predictions of each
    seed; none without those, since draws of seeds alone would say nothing of other molecules.
    """
    metric = part["metric"].iloc[0]
    common = {"set": part["set"].iloc[0], "metric": metric, "contrast": contrast.name, "drawn": "tasks"}
    if result["tasks"] < FEWEST_DRAWN:
        low, high, drawn = float("nan"), float("nan"), ""
        if predictions:
            sides = ([table["predicted"] for table in side] for side in predictions)
            low, high = molecule_interval(predictions[0][0]["observed"], *sides, metric)
            drawn = "molecules"
        result = {**result, "low": low, "high": high, "drawn": drawn}
    return {**common, **result, **words}


def _by_coverage(scores: pd.DataFrame, kept: Kept, work: Path) -> Iterator[dict[str, Any]]:
    """Compare on groups of test molecules, and on tasks with few and with many profiles."""
    for name, part in _own(scores):
        facts = None
        for contrast in CONTRASTS:
            seeds = kept.seeds(name, *contrast[1:])
            pairs = part.set_index(["model", "variant"]).index
            if not set(contrast[1:]) <= set(pairs):
                continue
            facts = facts or known(name, work)
            yield from _by_tasks(part, contrast, facts)
            if seeds:
                yield from _by_molecules(part, contrast, facts, kept, seeds)
            else:
                print(f"{name}, {contrast.name}: no predictions were kept", file=sys.stderr)


def _by_tasks(part: pd.DataFrame, contrast: Contrast, facts: Known) -> Iterator[dict[str, Any]]:
    """Compare on the tasks below and above the median share of measured molecules with profiles."""
    name, metric = part["set"].iloc[0], part["metric"].iloc[0]
    labels = load_set(name).labels
    if len(labels.names) < 2 * FEWEST_TASKS:
        return
    measured = ~np.isnan(labels.matrix)
    share = (measured & facts.own[:, None]).sum(axis=0) / np.maximum(measured.sum(axis=0), 1)
    seeds, many = sorted(part["seed"].unique()), share > np.median(share)
    for words, chosen in (("fewer profiles", ~many), ("more profiles", many)):
        tasks = [task for task, keep in zip(labels.names, chosen, strict=True) if keep]
        result = compared(*(grid(part, model, tasks, seeds) for model in contrast[1:]), metric)
        if result is not None:
            spoken = f"{words} ({share[chosen].min():.0%} to {share[chosen].max():.0%})"
            yield _record(part, contrast, result, [], by="tasks", group=spoken)


def _by_molecules(
    part: pd.DataFrame, contrast: Contrast, facts: Known, kept: Kept, seeds: list[int]
) -> Iterator[dict[str, Any]]:
    """Compare on the test molecules of each group."""
    name, metric = part["set"].iloc[0], part["metric"].iloc[0]
    whole = [kept.tables(name, model, seeds) for model in contrast[1:]]
    for group in GROUPS:
        inside = facts.group(group)
        sides = [[_within(table, inside, metric) for table in side] for side in whole]
        grids = [np.stack([_scores(table, metric) for table in side], axis=1) for side in sides]
        result = compared(grids[0], grids[1], metric)
        if result is not None:
            molecules = max(len(table["observed"]) for side in sides for table in side)
            yield _record(part, contrast, result, sides, by="molecules", group=group, molecules=molecules)


def _within(table: Table, inside: NDArray[np.bool_], metric: str) -> Table:
    """Return the kept predictions of a group, without the labels of tasks that it has too few of."""
    rows = inside[table["index"]]
    observed = table["observed"][rows].copy()
    if metric == "mae":
        few = (~np.isnan(observed)).sum(axis=0) < _FEWEST_VALUES
    else:
        few = np.minimum((observed == 0).sum(axis=0), (observed == 1).sum(axis=0)) < _FEWEST_OF_A_CLASS
    observed[:, few] = np.nan
    return {"observed": observed, "predicted": table["predicted"][rows]}


def _scores(table: Table, metric: str) -> NDArray[np.float64]:
    """Score task by task; NaN where there is nothing to score."""
    if not len(table["observed"]):
        return np.full(table["observed"].shape[1], np.nan)
    return score_tasks(table["observed"], table["predicted"], metric)[1]


if __name__ == "__main__":
    sys.exit(main())
