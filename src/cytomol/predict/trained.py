"""A property model on molecules: SMILES in, one value per task out; saved as a model directory of its own."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.artifact.backbone import Backbone
from cytomol.artifact.directory import kind_of, load_model, write_model
from cytomol.assays.labels import Labels, check_training_labels
from cytomol.assays.splits import FOLDS
from cytomol.chem.featurize import FeatureOptions
from cytomol.chem.store import MoleculeStore
from cytomol.errors import ConfigError, InputError, ModelDirectoryError
from cytomol.files import atomic_directory
from cytomol.learners import Learning, Model, models
from cytomol.predict.features import HeadFeatures
from cytomol.predict.predictor import Predictions, PropertyPredictor, load_uncertainty, save_backbone
from cytomol.predict.uncertainty import Uncertainty, domain_fingerprints
from cytomol.predict.uncertainty.conformal import check_coverage

__all__ = ["TrainedModel", "fit_model", "load_predictor", "new_model", "train_model"]

KIND = "model"
_BACKBONE = "backbone"
_UNCERTAINTY = "uncertainty.json"


@dataclass
class TrainedModel:
    """A model with the featurization it needs.

    Attributes
    ----------
    name
        Name of the model in the registry.
    model
        The fitted model.
    features
        Makes its blocks from molecules.
    tasks
        Task names.
    task_type
        "classification" or "regression".
    source
        Digest of the model directory that the backbone came from; "" without one.
    uncertainty
        Fitted on the validation rows; None if there were none.
    details
        What was chosen and measured in training, JSON-serialisable.
    texts
        Further files of the model directory, by name.
    """

    name: str
    model: Model
    features: HeadFeatures
    tasks: tuple[str, ...]
    task_type: str
    source: str = ""
    uncertainty: Uncertainty | None = None
    details: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def predict(
        self,
        molecules: Sequence[str] | MoleculeStore,
        *,
        batch_size: int = 256,
        workers: int | None = None,
        cache: Path | Literal["default"] | None = None,
        progress: Callable[[int, int], None] | None = None,
        uncertainty: bool = False,
        coverage: float = 0.9,
    ) -> Predictions:
        """Predict molecules; row i of the answer belongs to molecule i, valid or not.

        Parameters
        ----------
        molecules
            SMILES, or a store made with this model's features.
        batch_size
            Molecules that the encoder sees at once; it does not change the answer.
        workers, cache, progress
            See :func:`cytomol.chem.featurize.featurize`.
        uncertainty
            Say too how certain the answers are.
        coverage
            Share of molecules whose measured value intervals and sets shall hold, in (0, 1).

        Raises
        ------
        ModelDirectoryError
            If uncertainty is asked for and the model has none.
        """
        fitted = self.fitted_uncertainty() if uncertainty else None
        check_coverage(coverage)
        store = (
            molecules
            if isinstance(molecules, MoleculeStore)
            else self.features.store(molecules, workers=workers, cache=cache, progress=progress)
        )
        rows = np.flatnonzero(store.valid)
        values = np.full((len(store), len(self.tasks)), np.nan)
        valid = store if rows.size == len(store) else store.take(rows)
        # an empty table still has its columns
        blocks = self.features.raw(valid, batch_size=batch_size) if rows.size else {}
        answer = None
        if rows.size and fitted is None:
            values[rows] = self.model.predict(blocks)
        if fitted is not None:
            members = np.zeros((fitted.members, *values[:0].shape))
            if rows.size:
                values[rows], members = self.model.answer(blocks)
            smiles = [store.smiles[row] for row in rows]
            bits = domain_fingerprints(smiles, self.features.options, workers=workers, cache=cache)
            answer = fitted.answer(values[rows], members, bits, coverage).spread_out(rows, len(store))
        return Predictions(values, list(store.errors), self.tasks, answer)

    def fitted_uncertainty(self) -> Uncertainty:
        """Return the uncertainty that was fitted with the model.

        Raises
        ------
        ModelDirectoryError
            If there is none.
        """
        if self.uncertainty is None:
            raise ModelDirectoryError(
                "the model was trained without validation molecules, so it has no uncertainty",
                hint="train it with a valid fold, or predict without --uncertainty",
            )
        return self.uncertainty

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write a model directory that needs no other file."""
        path = Path(path)
        table, arrays = self.model.state()
        certainty, certainty_arrays = ({}, {}) if self.uncertainty is None else self.uncertainty.state()
        texts = {_UNCERTAINTY: json.dumps(certainty, indent=2) + "\n"} if certainty else {}
        backbone = self.features.backbone
        with atomic_directory(path, force=force) as directory:
            if backbone is not None:
                save_backbone(backbone, directory / _BACKBONE)
            write_model(
                directory,
                kind=KIND,
                config={
                    "name": self.name,
                    "model": table,
                    "tasks": list(self.tasks),
                    "task_type": self.task_type,
                    "blocks": list(self.features.blocks),
                    "feature_options": asdict(self.features.options),
                    "counts_radius": self.features.counts_radius,
                    "backbone": None if backbone is None else {"source": self.source},
                    "details": self.details,
                },
                weights={},
                statistics={
                    **{f"model.{name}": array for name, array in arrays.items()},
                    **{f"uncertainty.{name}": array for name, array in certainty_arrays.items()},
                },
                texts={**self.texts, **texts},
            )
        return path

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Load and verify a model directory.

        Raises
        ------
        ModelDirectoryError
            If it is absent, altered or holds something else.
        """
        saved = load_model(path, kind=KIND)
        config, prefix = saved.config, "model."
        arrays = {k.removeprefix(prefix): a for k, a in saved.statistics.items() if k.startswith(prefix)}
        try:
            backbone = Backbone.load(Path(path) / _BACKBONE) if config["backbone"] else None
            features = HeadFeatures(
                tuple(config["blocks"]),
                FeatureOptions.saved(config["feature_options"]),
                config["counts_radius"],
                backbone,
            )
            model = type(models[config["name"]]()).restore(config["model"], arrays)
            return cls(
                name=config["name"],
                model=model,
                features=features,
                tasks=tuple(config["tasks"]),
                task_type=config["task_type"],
                source=(config["backbone"] or {}).get("source", ""),
                uncertainty=load_uncertainty(saved),
                details=config["details"],
            )
        except (KeyError, TypeError) as error:
            raise ModelDirectoryError(
                f"lacks what a model needs: {error}", where=str(Path(path) / "config.json")
            ) from None


def load_predictor(path: str | Path) -> PropertyPredictor | TrainedModel:
    """Load what predicts properties: fine-tuned heads or a model by name, whichever a directory holds.

    Raises
    ------
    ModelDirectoryError
        If it is absent, altered or holds something else, such as a backbone.
    """
    return TrainedModel.load(path) if kind_of(path) == KIND else PropertyPredictor.load(path)


def train_model(
    name: str,
    smiles: Sequence[str],
    labels: Labels,
    *,
    folds: NDArray[np.str_],
    seed: int = 0,
    threads: int = 0,
    backbone: Backbone | str | Path | None = None,
    workers: int | None = None,
    cache: Path | Literal["default"] | None = "default",
    progress: Callable[[int, int], None] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> TrainedModel:
    """Train a model by name.

    Parameters
    ----------
    name
        Registered name; a model that needs the embedding needs a backbone, "cytomol" takes one if given.
    smiles
        Molecules; invalid ones are left out.
    labels
        Their labels, row by row.
    folds
        "train", "valid", or anything else (not looked at) of every row, shape (n,).
    seed, threads
        See :class:`~cytomol.learners.base.Learning`.
    backbone
        A backbone or its directory; it is not changed.
    workers, cache, progress
        See :func:`cytomol.chem.featurize.featurize`.
    say
        Called with a sentence that the user should read.

    Raises
    ------
    InputError
        If no molecule can be learnt from.
    ConfigError
        If the model is unknown, or needs a backbone and there is none.
    """
    if len(smiles) != len(labels.matrix) or len(folds) != len(smiles):
        raise InputError(f"{len(smiles)} molecules, {len(labels.matrix)} rows of labels, {len(folds)} folds")
    model, features = new_model(name, backbone)
    began = time.perf_counter()
    store = features.store(smiles, workers=workers, cache=cache, progress=progress)
    trained = TrainedModel(name, model, features, labels.names, labels.kind)
    fit_model(
        trained,
        store,
        labels,
        folds,
        seed=seed,
        threads=threads,
        workers=workers,
        cache=cache,
        say=say,
        began=began,
    )
    return trained


def new_model(
    name: str, backbone: Backbone | str | Path | None, *, reading: Mapping[str, Any] | None = None
) -> tuple[Model, HeadFeatures]:
    """Return a model to be fitted and what makes its blocks (``reading``: see `HeadFeatures.build`).

    Raises
    ------
    ConfigError
        If the model is unknown, or needs a backbone and there is none.
    """
    model = models[name]()
    if isinstance(backbone, str | Path):
        backbone = Backbone.load(backbone)
    _adapt(model, backbone)
    return model, HeadFeatures.build(_wanted(model), backbone, reading=reading)


def fit_model(
    trained: TrainedModel,
    store: MoleculeStore,
    labels: Labels,
    folds: NDArray[np.str_],
    *,
    seed: int = 0,
    threads: int = 0,
    workers: int | None = None,
    cache: Path | Literal["default"] | None = "default",
    say: Callable[[str], None] = lambda _: None,
    began: float | None = None,
) -> None:
    """Fit a new model on featurized molecules, in place; see :func:`train_model`.

    Parameters
    ----------
    trained
        Of :func:`new_model`.
    store
        Molecules, featurized by the model's features.
    labels, folds, seed, threads, workers, cache, say
        See :func:`train_model`.
    began
        When the features were begun (``time.perf_counter``), for the seconds in the details.
    """
    began = time.perf_counter() if began is None else began
    model, features = trained.model, trained.features
    train, valid = (store.valid & (folds == fold) & _measured(labels) for fold in FOLDS[:2])
    if not train.any():
        raise InputError("the train fold has no labelled, valid molecule", where=labels.where)
    for warning in check_training_labels(labels, train):
        say(f"warning: {warning}")
    rows = np.flatnonzero(train | valid)
    kept = store.take(rows)
    blocks = features.raw(kept)
    seconds = time.perf_counter() - began
    learning = Learning(
        labels.matrix[rows], train[rows], valid[rows], labels.kind, labels.metric, seed, threads, say
    )
    model.fit(blocks, learning)
    trained.source = "" if features.backbone is None else features.backbone.digest
    trained.details = _plain({"feature_seconds": round(seconds, 3), **getattr(model, "details", {})})
    _fit_uncertainty(trained, kept, blocks, learning, workers=workers, cache=cache)


def _plain(value: Any) -> Any:
    """Return a table without numbers that JSON has no word for: a score that cannot be computed is None."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _adapt(model: Model, backbone: Backbone | None) -> None:
    """Leave the embedding out of a model that can do without, where there is no backbone."""
    if backbone is not None or "embedding" not in model.blocks:
        return
    if not model.optional_embedding:
        raise ConfigError("the embedding needs a backbone", where="model", hint="give --backbone DIR")
    model.blocks = tuple(block for block in model.blocks if block != "embedding")


def _wanted(model: Model) -> tuple[str, ...]:
    """Return the blocks of a model, in the order in which features are made."""
    from cytomol.learners.head.options import BLOCKS

    return tuple(block for block in BLOCKS if block in model.blocks)


def _measured(labels: Labels) -> NDArray[np.bool_]:
    return np.asarray(~np.isnan(labels.matrix).all(axis=1))


def _fit_uncertainty(
    trained: TrainedModel,
    store: MoleculeStore,
    blocks: dict[str, NDArray[np.float32]],
    learning: Learning,
    *,
    workers: int | None,
    cache: Path | Literal["default"] | None,
) -> None:
    """Fit on the valid rows; they also weighed an ensemble's members, so what it states is approximate."""
    valid = learning.valid
    if not valid.any():
        return
    predicted, members = trained.model.held_out(blocks, learning)
    smiles = [store.smiles[row] for row in np.flatnonzero(learning.train)]
    bits = domain_fingerprints(smiles, trained.features.options, workers=workers, cache=cache)
    trained.uncertainty = Uncertainty.fit(
        predicted,
        members,
        learning.labels[valid],
        learning.kind,
        train_fingerprints=bits,
        seed=learning.seed,
    )
