"""Training of a model by name on a table: folds, scores and files as fine-tuning of a head makes them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cytomol.artifact.backbone import Backbone
from cytomol.assays.folds import (
    check_folds,
    check_molecules,
    fold_texts,
    say_kept_whole,
    score_folds,
    valid_folds,
)
from cytomol.assays.labels import Labels
from cytomol.assays.splits import FOLDS
from cytomol.errors import InputError
from cytomol.predict.config import FinetuneConfig
from cytomol.predict.trained import TrainedModel, fit_model, new_model

__all__ = ["OPTIONS", "ModelResult", "finetune_model"]

OPTIONS = (
    "task_type",
    "missing_codes",
    "split_type",
    "split_fractions",
    "split_seed",
    "standardize",
    "max_atoms",
    "molecule_timeout",
    "seed",
    "threads",
)
"""Options of :class:`FinetuneConfig` that hold for a model by name; the others are those of a head."""


@dataclass(frozen=True)
class ModelResult:
    """A trained model, and how well it does.

    Attributes
    ----------
    trained
        Ready to predict or to be saved.
    folds
        "train", "valid", "test" or "" (invalid molecule, or in no fold) of every row, shape (n,).
    scores
        What ``scores.json`` holds: model, metric, seconds, and for valid and test the mean and each task.
    """

    trained: TrainedModel
    folds: NDArray[np.str_]
    scores: dict[str, Any]


def finetune_model(
    name: str,
    smiles: Sequence[str],
    labels: Labels,
    config: FinetuneConfig | None = None,
    *,
    backbone: Backbone | str | Path | None = None,
    folds: NDArray[np.str_] | None = None,
    workers: int | None = None,
    cache: Path | Literal["default"] | None = "default",
    progress: Callable[[int, int], None] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> ModelResult:
    """Train a model by name on labelled molecules and score it on the valid and test folds.

    Parameters
    ----------
    name, backbone
        See :func:`cytomol.predict.trained.train_model`.
    smiles
        Molecules; invalid ones are left out (and said).
    labels
        Their labels, row by row; those of test rows are scored and never learnt from.
    config
        Options; only those in ``OPTIONS`` are read.
    folds
        "train", "valid", "test" or "" of every row; None splits by ``config.split_type``.
    workers, cache, progress
        See :func:`cytomol.chem.featurize.featurize`.
    say
        Called with a sentence that the user should read.

    Raises
    ------
    InputError
        If no molecule is valid, a fold that training needs is empty, or the labels teach nothing.
    ConfigError
        If the model is unknown, or needs a backbone and there is none.
    """
    started = time.perf_counter()
    config = config or FinetuneConfig()
    if len(smiles) != len(labels.matrix):
        raise InputError(f"{len(smiles)} molecules with {len(labels.matrix)} rows of labels")
    model, features = new_model(name, backbone, reading=config.reading)
    if backbone is not None and features.backbone is None:
        say(f"the model {name!r} reads no embedding: it leaves the backbone out")
    store = features.store(smiles, workers=workers, cache=cache, progress=progress)
    valid = np.asarray(store.valid)
    check_molecules(store.errors, valid, labels.where, say)
    say_kept_whole(features.options, store, say)
    folds = valid_folds(smiles, valid, folds, config)
    check_folds(folds, labels, why="the valid fold weighs a model's members and fits its uncertainty")

    trained = TrainedModel(name, model, features, labels.names, labels.kind)
    given = {"seed": config.seed, "threads": config.threads}
    fit_model(trained, store, labels, folds, workers=workers, cache=cache, say=say, began=started, **given)
    rows = np.flatnonzero(np.isin(folds, FOLDS[1:]))
    predicted = trained.predict(store.take(rows), workers=workers).values
    scores = {
        "model": name,
        "metric": labels.metric,
        "task_type": labels.kind,
        "seconds": round(time.perf_counter() - started, 2),
        "train": {"rows": int((folds == FOLDS[0]).sum())},
        **score_folds(labels.take(rows), predicted, folds[rows]),
    }
    trained.texts = fold_texts(scores, folds)
    return ModelResult(trained, folds, scores)
