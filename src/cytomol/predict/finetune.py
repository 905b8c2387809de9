"""Fine-tuning: labels and molecules in, a predictor with its scores out."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
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
from cytomol.assays.labels import Labels, check_training_labels
from cytomol.assays.splits import FOLDS
from cytomol.errors import ConfigError, InputError
from cytomol.learners.head.build import build_head
from cytomol.learners.head.fit import FitData, FitResult, fit_head, seeded
from cytomol.learners.head.forest_beside import forest_probability, grow_forest
from cytomol.learners.head.training_mode import TrainingModeInputs
from cytomol.learners.head.unfreeze import LiveFeatures, fit_unfrozen, fixed_blocks
from cytomol.methods import methods
from cytomol.nn.head import PropertyHead
from cytomol.predict.config import FinetuneConfig
from cytomol.predict.features import HeadFeatures
from cytomol.predict.predictor import PropertyPredictor
from cytomol.predict.uncertainty import Uncertainty, domain_fingerprints

__all__ = ["EpochReport", "FinetuneResult", "Listener", "finetune"]


@dataclass(frozen=True)
class EpochReport:
    """Where training is.

    Attributes
    ----------
    head, heads, epoch, epochs
        Which of how many, counted from 1; training may stop before the last epoch.
    loss, score
        Mean training loss, and the validation score (higher is better).
    """

    head: int
    heads: int
    epoch: int
    epochs: int
    loss: float
    score: float


@dataclass(frozen=True)
class Listener:
    """What is told while fine-tuning runs; every part may be left out.

    Attributes
    ----------
    say
        Called with a sentence that the user should read.
    molecules
        Called with (molecules done, molecules in all) while they are featurized.
    epoch
        Called after every epoch.
    """

    say: Callable[[str], None] = lambda _: None
    molecules: Callable[[int, int], None] | None = None
    epoch: Callable[[EpochReport], None] = lambda _: None


@dataclass(frozen=True)
class FinetuneResult:
    """A fitted predictor, and how well it does.

    Attributes
    ----------
    predictor
        Ready to predict or to be saved.
    folds
        "train", "valid", "test" or "" (invalid molecule, or in no fold) of every row, shape (n,).
    scores
        What ``scores.json`` holds: metric, seconds, and for valid and test the mean and each task.
    fits
        What the training of each head did.
    """

    predictor: PropertyPredictor
    folds: NDArray[np.str_]
    scores: dict[str, Any]
    fits: list[FitResult] = field(default_factory=list)


def finetune(
    smiles: Sequence[str],
    labels: Labels,
    config: FinetuneConfig | None = None,
    *,
    backbone: Backbone | str | Path | None = None,
    folds: NDArray[np.str_] | None = None,
    workers: int | None = None,
    cache: Path | Literal["default"] | None = "default",
    listener: Listener | None = None,
) -> FinetuneResult:
    """Put a head on a backbone and train it on labelled molecules.

    Parameters
    ----------
    smiles
        Molecules; invalid ones are left out (and said).
    labels
        Their labels, row by row.
    config
        Options.
    backbone
        A backbone or its directory; None where the features need none. It is not changed.
    folds
        "train", "valid", "test" or "" of every row; None splits by ``config.split_type``.
    workers, cache
        See :func:`cytomol.chem.featurize.featurize`.
    listener
        Is told what happens.

    Raises
    ------
    InputError
        If no molecule is valid, a fold that training needs is empty, or the labels teach nothing.
    ConfigError
        If the features need a backbone and there is none, or values are to be learnt beside a forest.
    """
    started = time.perf_counter()
    config, listener = config or FinetuneConfig(), listener or Listener()
    if isinstance(backbone, str | Path):
        backbone = Backbone.load(backbone)
    method = None if backbone is None else backbone.name
    features = _features(config, backbone, method)
    _check_forest(config, features, labels)
    if len(smiles) != len(labels.matrix):
        raise InputError(f"{len(smiles)} molecules with {len(labels.matrix)} rows of labels")

    store = features.store(smiles, workers=workers, cache=cache, progress=listener.molecules)
    valid = np.asarray(store.valid)
    check_molecules(store.errors, valid, labels.where, listener.say)
    say_kept_whole(features.options, store, listener.say)
    folds = valid_folds(smiles, valid, folds, config)
    for warning in check_training_labels(labels, folds == FOLDS[0]):
        listener.say(f"warning: {warning}")
    check_folds(folds, labels, why="training stops by the valid fold")

    rows = np.flatnonzero(folds != "")
    store, kept, at = store.take(rows), labels.take(rows), folds[rows]
    raw = features.raw(store)
    features.fit(raw, at == FOLDS[0], _scaling(config), embedding_scale=config.embedding_scale)
    predictor = _empty_predictor(features, kept, at == FOLDS[0], config, method)
    data = _beside_forest(predictor, _fit_data(predictor, features.transform(raw), kept, at), kept, at)
    fits = _fit_heads(predictor, data, LiveFeatures(features, store, fixed_blocks(features, raw)), listener)
    if config.changes_backbone:
        raw = features.raw(store)
    outputs = predictor.outputs(features.transform(raw))
    smiles = [store.smiles[row] for row in np.flatnonzero(at == FOLDS[0])]
    bits = domain_fingerprints(smiles, features.options, workers=workers, cache=cache)
    predictor.uncertainty = _fit_uncertainty(predictor, outputs, kept, at, bits)
    scores = {
        "metric": labels.metric,
        "task_type": labels.kind,
        "seconds": round(time.perf_counter() - started, 2),
        "best_epochs": [fit.best_epoch for fit in fits],
        "train": {"rows": int((at == FOLDS[0]).sum())},
        **score_folds(kept, outputs[0], at),
    }
    predictor.texts = _texts(scores, folds, fits)
    return FinetuneResult(predictor, folds, scores, fits)


def _texts(scores: dict[str, Any], folds: NDArray[np.str_], fits: Sequence[FitResult]) -> dict[str, str]:
    """Return the files that tell how a model was made: its scores, its folds, the course of training."""
    epochs = "".join(
        f"{head},{epoch},{loss:.6g},{score:.6g}\n"
        for head, fit in enumerate(fits)
        for epoch, (loss, score) in enumerate(fit.history, start=1)
    )
    return {
        **fold_texts(scores, folds),
        "history.csv": "head,epoch,loss,valid\n" + epochs,
    }


def _features(config: FinetuneConfig, backbone: Backbone | None, method: str | None) -> HeadFeatures:
    blocks = config.blocks(None if method is None else methods[method].blocks)
    if "embedding" in blocks and backbone is None:
        raise ConfigError(
            "the embedding needs a backbone", where="features", hint="give --backbone DIR, or --features 1d"
        )
    if config.changes_backbone:
        if "embedding" not in blocks:
            where = "embedding_mode" if config.unfreeze == "none" else "unfreeze"
            what = "keep in training mode" if config.unfreeze == "none" else "unfreeze"
            raise ConfigError(f"there is no backbone to {what}", where=where, hint="give --backbone DIR")
        backbone = copy.deepcopy(backbone)  # the caller's backbone stays as it is
    return HeadFeatures.build(
        blocks,
        backbone,
        counts_radius=config.counts_radius,
        bits_radius=config.bits_radius,
        reading=config.reading,
    )


def _check_forest(config: FinetuneConfig, features: HeadFeatures, labels: Labels) -> None:
    if not config.forest_gamma:
        return
    if labels.kind != "classification":
        raise ConfigError(
            "a forest beside the head is for classes, and the tasks are values",
            where="forest_gamma",
            hint="leave it out",
        )
    if "1d" not in features.blocks:
        raise ConfigError(
            "a forest beside the head needs 1d among the features",
            where="forest_gamma",
            hint="give --features 1d+embedding",
        )


def _beside_forest(
    predictor: PropertyPredictor, data: FitData, labels: Labels, folds: NDArray[np.str_]
) -> FitData:
    """Grow the forest beside the head, if one is wanted, and add its probabilities to the data."""
    config = predictor.config
    if not config.forest_gamma:
        return data
    bits = data.inputs[:, predictor.features.columns("1d")].numpy()
    predictor.forest = grow_forest(bits, labels.matrix, folds == FOLDS[0], config, threads=config.threads)
    probability = forest_probability(predictor.forest, bits).astype(np.float32)
    return replace(data, forest=torch.from_numpy(probability), forest_gamma=config.forest_gamma)


def _scaling(config: FinetuneConfig) -> dict[str, str]:
    methods = {"descriptors": config.descriptor_scaling}
    return {**methods, "embedding": "standard"} if config.standardize_embedding else dict(methods)


def _empty_predictor(
    features: HeadFeatures,
    labels: Labels,
    train: NDArray[np.bool_],
    config: FinetuneConfig,
    method: str | None,
) -> PropertyPredictor:
    """Return a predictor without heads: tasks, and what centers and scales the values to be learnt."""
    values = labels.matrix[train]
    trained: NDArray[np.bool_] = np.asarray(~np.isnan(values).all(axis=0))
    center, scale = np.zeros(len(labels.names)), np.ones(len(labels.names))
    if labels.kind == "regression" and config.target_scaling == "standard":
        center[trained] = np.nanmean(values[:, trained], axis=0)
        scale[trained] = np.nanstd(values[:, trained], axis=0)
        scale[scale < 1e-12] = 1.0
    return PropertyPredictor(
        features=features,
        heads=[],
        tasks=labels.names,
        task_type=labels.kind,
        config=config,
        center=center,
        scale=scale,
        trained=trained,
        method=method,
        source="" if features.backbone is None else features.backbone.digest,
        unfrozen=config.changes_backbone,
    )


def _fit_data(
    predictor: PropertyPredictor, inputs: NDArray[np.float32], labels: Labels, folds: NDArray[np.str_]
) -> FitData:
    targets = ((labels.matrix - predictor.center) / predictor.scale).astype(np.float32)
    return FitData(
        inputs=torch.from_numpy(inputs),
        targets=torch.from_numpy(targets),
        train=torch.from_numpy(_labelled(labels, folds, FOLDS[0])),
        valid=torch.from_numpy(_labelled(labels, folds, FOLDS[1])),
        kind=labels.kind,
        metric=labels.metric,
        scale=predictor.scale,
    )


def _labelled(labels: Labels, folds: NDArray[np.str_], fold: str) -> NDArray[np.int64]:
    return np.flatnonzero((folds == fold) & ~np.isnan(labels.matrix).all(axis=1))


def _fit_heads(
    predictor: PropertyPredictor, data: FitData, live: LiveFeatures, listener: Listener
) -> list[FitResult]:
    """Train the heads of the ensemble one after the other, each from its own seed."""
    config = predictor.config
    device = _device(config.accelerator)
    fits: list[FitResult] = []
    for member in range(config.ensemble):

        def on_epoch(epoch: int, epochs: int, loss: float, score: float, member: int = member) -> None:
            listener.epoch(EpochReport(member + 1, config.ensemble, epoch, epochs, loss, score))

        with seeded(config.seed + member, config.threads):
            head: PropertyHead = build_head(
                config, data.inputs.shape[1], len(predictor.tasks), kind=predictor.task_type
            )
            if config.unfreeze != "none":
                fits.append(fit_unfrozen(head, live, data, config, device=device, on_epoch=on_epoch))
            else:
                inputs = None
                if config.embedding_mode == "training":
                    live.method.to(device)
                    inputs = TrainingModeInputs(live, device)
                fits.append(fit_head(head, data, config, device=device, on_epoch=on_epoch, inputs=inputs))
            if config.changes_backbone:
                live.method.cpu()
        predictor.heads.append(head.cpu())
    return fits


def _fit_uncertainty(
    predictor: PropertyPredictor,
    outputs: tuple[NDArray[np.float64], NDArray[np.float64]],
    labels: Labels,
    folds: NDArray[np.str_],
    train_fingerprints: NDArray[np.uint8],
) -> Uncertainty:
    """Fit on the valid rows; they also stopped the training, so what it states is approximate."""
    rows = folds == FOLDS[1]
    predicted, members = outputs
    return Uncertainty.fit(
        predicted[rows],
        members[:, rows],
        labels.matrix[rows],
        labels.kind,
        train_fingerprints=train_fingerprints,
        seed=predictor.config.seed,
    )


def _device(accelerator: str) -> torch.device:
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(accelerator, True):
        raise ConfigError(
            f"there is no {accelerator.upper()} device", where="accelerator", hint="use auto or cpu"
        )
    if accelerator == "auto":
        accelerator = "cuda" if there["cuda"] else "cpu"
    return torch.device(accelerator)
