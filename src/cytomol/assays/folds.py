"""The folds of a table and the scores on them: what all ways to train a property model share."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.labels import Labels
from cytomol.assays.metrics import metrics, score_tasks
from cytomol.assays.options import AssayOptions
from cytomol.assays.splits import FOLDS, split
from cytomol.chem.featurize import FeatureOptions
from cytomol.chem.standardize import kept_whole
from cytomol.chem.store import MoleculeStore
from cytomol.errors import InputError

__all__ = ["check_folds", "check_molecules", "fold_texts", "score_folds", "valid_folds"]


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
            f"no valid molecule among {len(valid)} rows; {first}", where=where, hint="is --smiles-col right?"
        )
    say(f"{invalid.size} of {len(valid)} molecules are invalid and left out; {first}")


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
) -> NDArray[np.str_]:
    """Return the fold of every row, as given or as the options split; "" for invalid molecules."""
    result = np.full(len(valid), "", dtype="<U5")
    if folds is None:
        kept = [text for text, ok in zip(smiles, valid, strict=True) if ok]
        result[valid] = split(
            kept, config.split_type, fractions=config.split_fractions, seed=config.split_seed
        )
    else:
        result[valid] = folds[valid]
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
            raise InputError(
                f"the {fold} fold has no labelled, valid molecule ({int(rows.sum())} molecules in it)",
                where=labels.where,
                hint=f"{why}: give one, or use another --split-type",
            )


def score_folds(
    labels: Labels, predicted: NDArray[np.float64], folds: NDArray[np.str_]
) -> dict[str, dict[str, Any]]:
    """Score the valid and test rows: mean and tasks by the metric that counts, means of the others.

    A score that cannot be computed (one class only, nothing measured) is None.
    """
    result: dict[str, dict[str, Any]] = {}
    for fold in FOLDS[1:]:
        rows = folds == fold
        if not rows.any():
            continue
        observed = np.where(np.isnan(predicted[rows]), np.nan, labels.matrix[rows])
        mean, tasks = score_tasks(observed, predicted[rows], labels.metric)
        others = [name for name in metrics if metrics[name].kind == labels.kind and name != labels.metric]
        result[fold] = {
            "rows": int(rows.sum()),
            "scored_tasks": int((~np.isnan(tasks)).sum()),
            "mean": _finite(mean),
            "tasks": {name: _finite(score) for name, score in zip(labels.names, tasks, strict=True)},
            "other_metrics": {
                name: _finite(score_tasks(observed, predicted[rows], name)[0]) for name in others
            },
        }
    return result


def fold_texts(scores: dict[str, Any], folds: NDArray[np.str_]) -> dict[str, str]:
    """Return the files of a model directory that hold its scores and its folds, by name."""
    rows = "".join(f"{row},{fold}\n" for row, fold in enumerate(folds) if fold)
    return {"scores.json": json.dumps(scores, indent=2) + "\n", "split.csv": "index,fold\n" + rows}


def _finite(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), 6)
