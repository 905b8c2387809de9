"""The folds of a table and the scores on them: what all ways to train a property model share."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.encoding import Encoding
from cytomol.assays.labels import Labels
from cytomol.assays.metrics import metrics, score_tasks
from cytomol.assays.options import AssayOptions
from cytomol.assays.same_molecule import molecule_groups
from cytomol.assays.splits import FOLDS, divided_molecules, split
from cytomol.chem.featurize import FeatureOptions
from cytomol.chem.standardize import kept_whole
from cytomol.chem.store import MoleculeStore
from cytomol.counted import agreeing, counted
from cytomol.errors import InputError, note

__all__ = ["check_folds", "check_molecules", "fold_texts", "score_folds", "valid_folds"]


COUNTS = {"classification": "roc_auc", "regression": "mae"}
"""Metric that counts, by kind of columns."""


def check_molecules(
    errors: Sequence[str], valid: NDArray[np.bool_], where: str, say: Callable[[str], None]
) -> None:
    """Say how many molecules are invalid and left out.

    Raises
    ------
    InputError
        If all are.
    """
    invalid = np.flatnonzero(~valid)
    if not invalid.size:
        return
    first = f"row {invalid[0] + 1}: {errors[invalid[0]]}"
    if not valid.any():
        raise InputError(
            f"no valid molecule among {counted(len(valid), 'row', comma=False)}; {first}",
            where=where,
            hint="is --smiles-col right?",
        )
    invalid_are = agreeing(invalid.size, "molecule", "is", "are", of=len(valid), comma=False)
    say(f"{invalid_are} invalid and left out; {first}")


def say_kept_whole(options: FeatureOptions, store: MoleculeStore, say: Callable[[str], None]) -> None:
    """Say how many salts and mixtures are read whole, if there are any."""
    if options.standardize == "keep" and (
        line := kept_whole(store.smiles[row] for row in np.flatnonzero(store.valid))
    ):
        say(line)


def valid_folds(
    smiles: Sequence[str],
    valid: NDArray[np.bool_],
    folds: NDArray[np.str_] | None,
    config: AssayOptions,
    *,
    dates: NDArray[np.datetime64] | None = None,
) -> NDArray[np.str_]:
    """Return the fold of every row, as given or as the options split; "" for invalid molecules.

    Folds that are given stay as they are; molecules that stand in two of them are noted.
    """
    result = np.full(len(valid), "", dtype="<U5")
    if folds is None:
        kept = [text for text, ok in zip(smiles, valid, strict=True) if ok]
        result[valid] = split(
            kept,
            config.split_type,
            fractions=config.split_fractions,
            seed=config.split_seed,
            dates=None if dates is None else dates[valid],
        )
    else:
        result[valid] = folds[valid]
        if left := int((result[valid] == "").sum()):
            note(
                f"{agreeing(left, 'molecule', 'is', 'are')} in no fold: neither learnt from nor scored",
                where="split given",
            )
        if divided := divided_molecules(result, molecule_groups(smiles)):
            note(
                f"{divided:,} molecule(s) stand in two folds, which makes scores too good",
                where="split given",
            )
    return result


def check_folds(folds: NDArray[np.str_], labels: Labels, *, why: str) -> None:
    """Check that the train and valid folds have labels; ``why`` says what the valid fold is for.

    Raises
    ------
    InputError
        If one has none.
    """
    for fold in FOLDS[:2]:
        rows = folds == fold
        if not (rows[:, None] & ~np.isnan(labels.matrix)).any():
            in_it = counted(int(rows.sum()), "molecule", comma=False)
            raise InputError(
                f"the {fold} fold has no labelled, valid molecule ({in_it} in it)",
                where=labels.where,
                hint=f"{why}: give one, or use another --split-type",
            )


def score_folds(
    labels: Labels, columns: NDArray[np.float64], encoding: Encoding, folds: NDArray[np.str_]
) -> dict[str, dict[str, Any]]:
    """Score the valid and test rows: every task by the metric that counts for it, and means.

    Parameters
    ----------
    labels
        What was measured; where only a bound was, the row is not scored.
    columns
        Probabilities and values in the unit of the table, shape (n, columns).
    encoding
        Which columns belong to which task; one of three classes and more is scored by the mean over its
        classes, each against the others.
    folds
        Fold of every row, shape (n,).

    Returns
    -------
    dict
        By fold: rows, scored_tasks, tasks (a score each), mean over tasks of the metric that counts (of
        classes, and of values), other_metrics. A score that cannot be computed is None.
    """
    result: dict[str, dict[str, Any]] = {}
    encoded, bounds = encoding.encode(labels)
    observed = encoding.decode(encoded if bounds is None else np.where(bounds == 0, encoded, np.nan))
    observed[np.isnan(columns)] = np.nan
    for fold in FOLDS[1:]:
        rows = folds == fold
        if not rows.any():
            continue
        scores = {name: _task_scores(observed[rows], columns[rows], encoding, name) for name in metrics}
        main = {kind: metric for kind, metric in COUNTS.items() if (encoding.kinds == kind).any()}
        tasks = [
            scores[COUNTS["regression" if task.kind == "regression" else "classification"]][at]
            for at, task in enumerate(labels.tasks)
        ]
        means = {metric: _finite(_mean(scores[metric])) for metric in main.values()}
        result[fold] = {
            "rows": int(rows.sum()),
            "scored_tasks": int((~np.isnan(tasks)).sum()),
            "mean": next(iter(means.values())) if len(means) == 1 else None,
            **({"means": means} if len(means) > 1 else {}),
            "tasks": {task.name: _finite(score) for task, score in zip(labels.tasks, tasks, strict=True)},
            "other_metrics": {
                name: _finite(_mean(scores[name]))
                for name in metrics
                if metrics[name].kind in main and name not in main.values()
            },
        }
    return result


def _task_scores(
    observed: NDArray[np.float64], columns: NDArray[np.float64], encoding: Encoding, metric: str
) -> NDArray[np.float64]:
    """Return the score of every task by a metric, NaN where it is not one of its kind, shape (tasks,)."""
    result = np.full(len(encoding.tasks), np.nan)
    for at, place in enumerate(encoding.places()):
        if encoding.kinds[place.start] == metrics[metric].kind:
            result[at] = score_tasks(observed[:, place], columns[:, place], metric)[0]
    return result


def _mean(scores: NDArray[np.float64]) -> float:
    return float(np.nanmean(scores)) if not np.isnan(scores).all() else math.nan


def fold_texts(scores: dict[str, Any], folds: NDArray[np.str_]) -> dict[str, str]:
    """Return the files of a model directory that hold its scores and its folds, by name."""
    rows = "".join(f"{row},{fold}\n" for row, fold in enumerate(folds) if fold)
    return {"scores.json": json.dumps(scores, indent=2) + "\n", "split.csv": "index,fold\n" + rows}


def _finite(value: float) -> float | None:
    return None if math.isnan(value) else float(f"{value:.6g}")
