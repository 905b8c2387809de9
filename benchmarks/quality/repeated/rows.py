"""Scores of all models on a fold, from what the members said of its rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.quality.repeated.answers import Answers
from benchmarks.quality.repeated.plan import Unit
from numpy.typing import NDArray

from cytomol.assays.metrics import score_tasks
from cytomol.files import atomic_file
from cytomol.learners.stack_weights import stack, weighted_mean

__all__ = ["COLUMNS", "TABLE", "fold_scores", "read_scores", "reweighted", "without_rows", "write_scores"]

TABLE = "repeated.csv"

COLUMNS = (
    *("set", "repeat", "fold", "model", "metric", "value", "tasks", "n_train", "n_valid", "n_test"),
    *("seconds", "weights"),
)
_KEY = ["set", "repeat", "fold", "model"]
_WITH_EMBEDDING = ("mlp-embedding",)
_JOINED = ("forest", "neighbours")  # after the campaign had shown what the other five do
_SMALLER = "forest"  # the recipe's has fewer trees than the forest that stands for itself
_TOLD_BY = {"recipe": "cytomol", "minimol": "mlp-minimol", "crossfit": "cytomol-crossfit"}


def reweighted(answers: Answers, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Return what the members say of the test rows together, shape (n, tasks).

    Parameters
    ----------
    answers
        Of members.
    weights
        One a member, of sum 1; None learns them on the held-out rows.
    """
    if weights is None:
        weights = stack(answers.held, answers.held_labels, answers.kind)
    return weighted_mean(answers.test, weights, answers.kind)


def fold_scores(unit: Unit, found: dict[str, Answers]) -> list[dict[str, Any]]:
    """Return a row for each model of a fold, from the answers of its parts.

    Tasks of which the training rows teach nothing are left out, for every model alike.
    """
    rows = []
    for part, answers in found.items():
        if part == "crossfit":
            rows += _crossfit(answers, found.get("recipe"))
            continue
        if part == "minimol":
            rows += _with_encoder(answers, found.get("recipe"))
            continue
        if part == "recipe":
            rows += _recipe(answers)
        for place, name in enumerate(answers.models):
            if part == "recipe" and name == _SMALLER:
                continue
            rows.append(_row(answers, str(name), answers.test[place], float(answers.seconds[place])))
    keys = {"set": unit.set, "repeat": unit.repeat, "fold": unit.fold}
    return [{**keys, **row} for row in rows]


def _recipe(answers: Answers) -> list[dict[str, Any]]:
    count = len(answers.models)
    equal = np.full(count, 1 / count)
    plain = _without(answers, _WITH_EMBEDDING)
    five = _without(answers, _JOINED)
    return [
        _mixed(answers, "cytomol", stack(answers.held, answers.held_labels, answers.kind)),
        _mixed(plain, "cytomol-plain", stack(plain.held, plain.held_labels, plain.kind)),
        _mixed(answers, "cytomol-equal", equal),
        _mixed(five, "cytomol-five", stack(five.held, five.held_labels, five.kind)),
    ]


def _with_encoder(answers: Answers, recipe: Answers | None) -> list[dict[str, Any]]:
    """Return the rows of the member that reads MiniMol's vectors, and of the recipe with it."""
    rows = [_row(answers, str(answers.models[0]), answers.test[0], float(answers.seconds[0]))]
    if recipe is not None:
        both = {name: getattr(recipe, name) for name in Answers.__dataclass_fields__}
        for name in ("models", "seconds", "held", "test"):
            both[name] = np.concatenate([both[name], getattr(answers, name)])
        more = Answers(**both)
        rows.append(_mixed(more, "cytomol-minimol", stack(more.held, more.held_labels, more.kind)))
    return rows


def _crossfit(answers: Answers, recipe: Answers | None) -> list[dict[str, Any]]:
    """Return the rows of members fitted on all rows: weights of all of them, and of the valid rows.

    No row is held back from their last fit, so that ``n_valid`` is 0.
    """
    learnt = stack(answers.held, answers.held_labels, answers.kind)
    rows = [_mixed(answers, "cytomol-crossfit", learnt)]
    if recipe is not None:
        before = stack(recipe.held, recipe.held_labels, recipe.kind)
        rows.append(_mixed(answers, "cytomol-refit", before))
    return [{**row, "n_valid": 0} for row in rows]


def _without(answers: Answers, models: Sequence[str]) -> Answers:
    kept = np.setdiff1d(np.arange(len(answers.models)), answers.of(models))
    values = {name: getattr(answers, name) for name in Answers.__dataclass_fields__}
    chosen = {name: values[name][kept] for name in ("models", "seconds", "held", "test")}
    return Answers(**{**values, **chosen})


def _mixed(answers: Answers, name: str, weights: NDArray[np.float64]) -> dict[str, Any]:
    text = " ".join(f"{model}:{weight:.3f}" for model, weight in zip(answers.models, weights, strict=True))
    row = _row(answers, name, reweighted(answers, weights), float(answers.seconds.sum()))
    return {**row, "weights": text}


def _row(answers: Answers, name: str, predicted: NDArray[np.float64], seconds: float) -> dict[str, Any]:
    observed = np.where(answers.learnable, answers.test_labels, np.nan)
    value, by_task = score_tasks(observed, predicted, answers.metric)
    train, valid, test = answers.rows.tolist()
    return {
        "model": name,
        "metric": answers.metric,
        "value": round(value, 6),
        "tasks": int((~np.isnan(by_task)).sum()),
        "n_train": train,
        "n_valid": valid,
        "n_test": test,
        "seconds": round(seconds, 2),
        "weights": "",
    }


def read_scores(path: Path) -> pd.DataFrame:
    """Read the rows, none if there is no file; where nothing was scored the value is NaN."""
    if not path.exists():
        return pd.DataFrame(columns=list(COLUMNS))
    return pd.read_csv(path, dtype={"weights": str}).fillna({"weights": ""})


def without_rows(planned: Iterable[Unit], table: pd.DataFrame) -> list[Unit]:
    """Return the units that have no row yet; those fitted elsewhere need not be fitted here again."""
    known = set(table[_KEY].itertuples(index=False, name=None))
    return [
        unit
        for unit in planned
        if (unit.set, unit.repeat, unit.fold, _TOLD_BY.get(unit.part, unit.part)) not in known
    ]


def write_scores(path: Path, folder: Path, planned: Iterable[Unit]) -> pd.DataFrame:
    """Score what is in the folder of a backbone; rows of folds that are not there stay as they are."""
    by_fold: dict[tuple[str, int, int], dict[str, Unit]] = {}
    for unit in planned:
        if unit.path(folder).exists():
            by_fold.setdefault((unit.set, unit.repeat, unit.fold), {})[unit.part] = unit
    rows = []
    for parts in by_fold.values():
        found = {part: Answers.read(unit.path(folder)) for part, unit in parts.items()}
        rows += fold_scores(next(iter(parts.values())), found)
    new = pd.DataFrame(rows, columns=list(COLUMNS))
    old = read_scores(path)
    if len(old):
        again = pd.MultiIndex.from_frame(old[_KEY]).isin(pd.MultiIndex.from_frame(new[_KEY]))
        new = pd.concat([old[~again], new]) if (~again).any() else new
    table = new.sort_values(_KEY, kind="stable", ignore_index=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path, force=True) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")
    return table
