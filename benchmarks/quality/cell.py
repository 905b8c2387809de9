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
from benchmarks.quality.kept import Kept
from benchmarks.quality.known import GROUPS, Known, known
from benchmarks.quality.plan import SETS
from numpy.typing import NDArray

from cytomol.errors import CytomolError
from cytomol.evaluate.rows import Job, read_rows
from cytomol.evaluate.sets import load_set
from cytomol.evaluate.significance import FEWEST_TASKS
from cytomol.files import atomic_file
from cytomol.predict.metrics import score_tasks

__all__ = ["COLUMNS", "main"]

_ROOT = Path(__file__).resolve().parents[2]
COLUMNS = (
    *("by", "set", "contrast", "group", "metric", "first", "second", "difference", "low", "high", "p"),
    *("test", "wins", "tasks", "seeds", "molecules"),
)
_FEWEST_OF_A_CLASS = 5
_FEWEST_VALUES = 10


def main(arguments: list[str] | None = None) -> int:
    """Write ``cell.csv``; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.cell", description=__doc__)
    parser.add_argument("--out", type=Path, default=_ROOT / "benchmarks" / "results" / "quality")
    parser.add_argument("--work", type=Path, default=_ROOT / "build" / "quality", help="folder outside git")
    options = parser.parse_args(arguments)
    try:
        rows = read_rows(options.out / "rows.csv")
        scores = rows[rows["fold"] == "test"]
        records = [*_overall(scores), *_by_coverage(scores, Kept(options.out), options.work)]
    except CytomolError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    table = pd.DataFrame(records, columns=list(COLUMNS))
    with atomic_file(options.out / "cell.csv", force=True) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n", float_format="%.6g")
    print(f"{len(table)} rows: {options.out / 'cell.csv'}")
    return 0


def _own(scores: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the sets that have rows, in their order."""
    for name in SETS:
        part = scores[scores["set"] == name]
        if len(part):
            yield name, part


def _overall(scores: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Compare on all tasks and test molecules of each set."""
    for _, part in _own(scores):
        metric, tasks, seeds = part["metric"].iloc[0], part["task"].unique(), sorted(part["seed"].unique())
        for contrast in CONTRASTS:
            grids = (grid(part, model, tasks, seeds) for model in contrast[1:])
            result = compared(*grids, metric)
            if result is not None:
                yield _record(part, contrast, result, by="all", group="all")


def _record(part: pd.DataFrame, contrast: Contrast, result: dict[str, Any], **words: Any) -> dict[str, Any]:
    """Return one row of the table: of which set and pair, what is compared by ``words``, and the result."""
    common = {"set": part["set"].iloc[0], "metric": part["metric"].iloc[0], "contrast": contrast.name}
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
            yield _record(part, contrast, result, by="tasks", group=spoken)


def _by_molecules(
    part: pd.DataFrame, contrast: Contrast, facts: Known, kept: Kept, seeds: list[int]
) -> Iterator[dict[str, Any]]:
    """Compare on the test molecules of each group."""
    name, metric = part["set"].iloc[0], part["metric"].iloc[0]
    for group in GROUPS:
        inside = facts.group(group)
        grids, counts = [], []
        for model in contrast[1:]:
            columns = []
            for seed in seeds:
                table = kept.read(Job(name, model[0], seed, model[1]), "test")
                column, molecules = _scores(table, inside, metric)
                columns.append(column)
                counts.append(molecules)
            grids.append(np.stack(columns, axis=1))
        result = compared(grids[0], grids[1], metric)
        if result is not None:
            yield _record(part, contrast, result, by="molecules", group=group, molecules=max(counts))


def _scores(
    table: dict[str, NDArray[Any]], inside: NDArray[np.bool_], metric: str
) -> tuple[NDArray[np.float64], int]:
    """Score the kept predictions of test molecules of a group, task by task; NaN where they are too few."""
    rows = inside[table["index"]]
    observed, predicted = table["observed"][rows].copy(), table["predicted"][rows]
    if metric == "mae":
        few = (~np.isnan(observed)).sum(axis=0) < _FEWEST_VALUES
    else:
        few = np.minimum((observed == 0).sum(axis=0), (observed == 1).sum(axis=0)) < _FEWEST_OF_A_CLASS
    observed[:, few] = np.nan
    if not len(observed):
        return np.full(observed.shape[1], np.nan), 0
    return score_tasks(observed, predicted, metric)[1], int(rows.sum())


if __name__ == "__main__":
    sys.exit(main())
