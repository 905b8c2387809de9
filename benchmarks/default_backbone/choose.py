"""Which form is shipped: each goes to the cheap learner across scaffold folds of train and valid rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.default_backbone.compare import Entrant, features_of, scores_file
from benchmarks.default_backbone.plan import FORMS
from benchmarks.fidelity.learner import blocks_side_by_side, score_linear
from numpy.typing import NDArray

from cytomol.assays.metrics import metrics
from cytomol.evaluate.sets import load_set
from cytomol.files import atomic_file
from cytomol.predict.crossfit import grouped_folds, scaffold_groups

__all__ = ["CHOICE_SETS", "best_form", "held_out_folds", "score_form", "write_choice"]

CHOICE_SETS = ("bace", "bbbp", "clintox", "chembl2k", "biogenadme", "sider", "broad6k")
"""The sets on which forms are compared: those that a linear learner takes seconds for."""

_FOLDS = 5


def held_out_folds(groups: NDArray[np.int64]) -> list[NDArray[np.str_]]:
    """Return, for each of five folds of whole groups, which rows it fits on, chooses by and is scored on.

    Examples
    --------
    >>> folds = held_out_folds(np.arange(10))
    >>> len(folds), sorted(folds[0].tolist()).count("train")
    (5, 6)
    """
    fold_of = grouped_folds(groups, _FOLDS)
    names = np.full(_FOLDS, "train", dtype="<U5")
    names[0], names[1] = "test", "valid"
    return [np.roll(names, fold)[fold_of] for fold in range(_FOLDS)]


def score_form(entrant: Entrant, name: str, work: Path) -> Path:
    """Score a form on held-out folds of a set's train and valid rows; return the file of its scores.

    The rows of the set's test fold are left out before anything is read of them.
    """
    out = scores_file(work / "choice", entrant, name)
    if out.exists():
        return out
    import torch

    torch.set_num_threads(1)
    data = load_set(name)
    rows = np.flatnonzero(np.isin(data.folds, ["train", "valid"]))
    smiles = [data.smiles[row] for row in rows]
    labels = data.labels.matrix[rows].astype(np.float64)
    groups = scaffold_groups(smiles)
    found: dict[str, list[float]] = {}
    for what, blocks, standardise in features_of(entrant, smiles):
        for folds in held_out_folds(groups):
            X = blocks_side_by_side(blocks, standardise, folds == "train")
            scored = score_linear(X, labels, folds, data.metric).by_fold["test"]
            found.setdefault(what, []).append(100 * float(np.nanmean(scored)))
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(out, force=True) as temporary:
        temporary.write_text(json.dumps({"metric": data.metric, "scores": found}) + "\n", encoding="utf-8")
    return out


def write_choice(entrants: Sequence[Entrant], work: Path, path: Path) -> pd.DataFrame:
    """Write a row for each set, kind of features and form that has scores: the mean over its folds."""
    rows = []
    for name in CHOICE_SETS:
        for entrant in entrants:
            file = scores_file(work / "choice", entrant, name)
            if not file.exists():
                continue
            result = json.loads(file.read_text(encoding="utf-8"))
            rows += [
                {
                    "set": name,
                    "metric": result["metric"],
                    "features": what,
                    "form": entrant.name,
                    "folds": len(values),
                    "value": float(np.mean(values)),
                }
                for what, values in result["scores"].items()
            ]
    table = pd.DataFrame(rows)
    with atomic_file(path, force=True) as temporary:
        table.round(3).to_csv(temporary, index=False, lineterminator="\n")
    return table


def best_form(table: pd.DataFrame) -> str:
    """Return the form with the best mean over sets and both kinds of features; MAE counts below 0.

    Others that were measured beside the forms, such as backbones that learnt from more, are not chosen.
    """
    own = table[table["form"].isin(list(FORMS))]
    signed = own["value"].where(own["metric"].map(lambda name: metrics[name].higher_is_better), -own["value"])
    return str(own.assign(signed=signed).groupby("form", sort=False)["signed"].mean().idxmax())
