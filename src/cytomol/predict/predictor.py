"""A fine-tuned model: SMILES in, one value per task out; saved as a model directory of its own."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray

from cytomol.artifact.backbone import Backbone
from cytomol.artifact.directory import ModelDirectory, load_model, load_weights, write_model
from cytomol.chem.featurize import FeatureOptions
from cytomol.chem.store import MoleculeStore
from cytomol.errors import ModelDirectoryError
from cytomol.files import atomic_directory
from cytomol.learners.forest import Forest
from cytomol.learners.head.build import build_head
from cytomol.learners.head.fit import apply
from cytomol.learners.head.forest_beside import forest_probability
from cytomol.nn.head import PropertyHead
from cytomol.predict.config import FinetuneConfig
from cytomol.predict.features import HeadFeatures
from cytomol.predict.uncertainty import Uncertainty, UncertaintyAnswer, domain_fingerprints
from cytomol.predict.uncertainty.conformal import check_coverage

__all__ = ["Predictions", "PropertyPredictor", "load_backbone", "load_uncertainty", "save_backbone"]

KIND = "predictor"
_BACKBONE = "backbone"
_UNCERTAINTY = "uncertainty.json"


@dataclass(frozen=True)
class Predictions:
    """Answers to molecules, row by row.

    Attributes
    ----------
    values
        Probability of class 1 or predicted value, float64, NaN for invalid molecules, shape (n, tasks).
    errors
        Why a molecule is invalid; "" where it is valid, length n.
    tasks
        Task names.
    uncertainty
        How certain they are, where it was asked for.
    """

    values: NDArray[np.float64]
    errors: list[str]
    tasks: tuple[str, ...]
    uncertainty: UncertaintyAnswer | None = None


@dataclass
class PropertyPredictor:
    """One or more heads on fitted features.

    Attributes
    ----------
    features
        Makes the heads' input from molecules.
    heads
        Trained heads; their outputs are averaged.
    tasks
        Task names.
    task_type
        "classification" or "regression".
    config
        Options that the heads were trained with.
    center, scale
        Location and scale of each regression task on the training rows (0 and 1 in classification and
        where values are learnt as they are), float64, shape (tasks,).
    trained
        Tasks that had a training label; the others are predicted as NaN, bool, shape (tasks,).
    method
        Name of the backbone's method; None without a backbone.
    source
        Digest of the model directory that the backbone came from.
    unfrozen
        Whether fine-tuning changed the backbone's weights, or the statistics of its batch norms.
    texts
        Further files of the model directory, by name (scores, history).
    uncertainty
        Fitted on the validation rows; None in a model saved before there was any.
    forest
        Forest beside the heads, whose probability is added to their logits; None without one.
    """

    features: HeadFeatures
    heads: list[PropertyHead]
    tasks: tuple[str, ...]
    task_type: str
    config: FinetuneConfig
    center: NDArray[np.float64]
    scale: NDArray[np.float64]
    trained: NDArray[np.bool_]
    method: str | None = None
    source: str = ""
    unfrozen: bool = False
    texts: dict[str, str] = field(default_factory=dict)
    uncertainty: Uncertainty | None = None
    forest: Forest | None = None

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
            SMILES, or a store made with this predictor's feature options.
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
            If uncertainty is asked for and the model was saved without.
        """
        fitted = self.fitted_uncertainty() if uncertainty else None
        check_coverage(coverage)
        store = (
            molecules
            if isinstance(molecules, MoleculeStore)
            else self.features.store(molecules, workers=workers, cache=cache, progress=progress)
        )
        values = np.full((len(store), len(self.tasks)), np.nan)
        rows = np.flatnonzero(store.valid)
        members = np.full((len(self.heads), 0, len(self.tasks)), np.nan)
        if rows.size:
            valid = store if rows.size == len(store) else store.take(rows)
            raw = self.features.raw(valid, batch_size=batch_size)
            values[rows], members = self.outputs(self.features.transform(raw))
        answer = None
        if fitted is not None:
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
                "the model was saved without uncertainty",
                hint="fine-tune it again with this version of cytomol, or predict without --uncertainty",
            )
        return self.uncertainty

    def outputs(self, inputs: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the predictions, and those of each head alone, from scaled features.

        Shapes (n, width) -> (n, tasks), (heads, n, tasks).
        """
        # in 64 bits, so that an answer does not depend on which molecules are asked for together
        tensor = torch.from_numpy(inputs).to(torch.float64)
        outputs = [apply(copy.deepcopy(head).to(torch.float64), tensor) for head in self.heads]
        members = torch.stack(outputs)
        if self.forest is not None:
            probability = forest_probability(self.forest, inputs[:, self.features.columns("1d")])
            members = self.config.forest_gamma * members + torch.from_numpy(probability)
        return self._in_units(members.mean(dim=0)), self._in_units(members)

    def _in_units(self, outputs: torch.Tensor) -> NDArray[np.float64]:
        """Turn outputs of heads, shape (..., tasks), into probabilities or values; NaN if untrained."""
        values = torch.sigmoid(outputs) if self.task_type == "classification" else outputs
        result = values.numpy() * self.scale + self.center
        result[..., ~self.trained] = np.nan
        return np.asarray(result, dtype=np.float64)

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write a model directory that needs no other file: heads, statistics and backbone."""
        path = Path(path)
        certainty, certainty_arrays = ({}, {}) if self.uncertainty is None else self.uncertainty.state()
        texts = {_UNCERTAINTY: json.dumps(certainty, indent=2) + "\n"} if certainty else {}
        forest, trees = ({}, {}) if self.forest is None else self.forest.state()
        with atomic_directory(path, force=force) as directory:
            if self.features.backbone is not None:
                save_backbone(self.features.backbone, directory / _BACKBONE)
            write_model(
                directory,
                kind=KIND,
                config={**self._config(), **({"forest": forest} if forest else {})},
                weights={
                    f"head.{i}.{name}": tensor
                    for i, head in enumerate(self.heads)
                    for name, tensor in head.state_dict().items()
                },
                statistics={
                    **{f"features.{k}": a for k, a in self.features.statistics().items()},
                    "tasks.center": self.center,
                    "tasks.scale": self.scale,
                    "tasks.trained": self.trained.astype(np.uint8),
                    **{f"uncertainty.{k}": a for k, a in certainty_arrays.items()},
                    **{f"forest.{k}": a for k, a in trees.items()},
                },
                texts={**self.texts, **texts},
            )
        return path

    def _config(self) -> dict[str, Any]:
        backbone = self.features.backbone
        return {
            "tasks": list(self.tasks),
            "task_type": self.task_type,
            "method": self.method,
            "blocks": list(self.features.blocks),
            "feature_options": asdict(self.features.options),
            "inputs": self.heads[0][0].in_features,
            "finetune": self.config.model_dump(mode="json"),
            "backbone": None if backbone is None else {"source": self.source, "unfrozen": self.unfrozen},
        }

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Load and verify a fine-tuned model directory.

        Raises
        ------
        ModelDirectoryError
            If it is absent, altered or holds something else, such as a backbone.
        """
        saved = load_model(path, kind=KIND)
        where = str(Path(path) / "config.json")
        try:
            config = FinetuneConfig.build(saved.config["finetune"], where=where)
            backbone = Backbone.load(Path(path) / _BACKBONE) if saved.config["backbone"] else None
            features = HeadFeatures(
                tuple(saved.config["blocks"]),
                FeatureOptions.saved(saved.config["feature_options"]),
                config.counts_radius,
                backbone,
                bits_radius=config.bits_radius,
            )
            features.load_statistics(_below(saved.statistics, "features."))
            tasks, task_type, inputs = (saved.config[key] for key in ("tasks", "task_type", "inputs"))
            heads = []
            for i in range(config.ensemble):
                head = build_head(config, inputs, len(tasks), kind=task_type)
                load_weights(head, _below(saved.weights, f"head.{i}."), where=str(path))
                heads.append(head.eval())
            forest = None
            if table := saved.config.get("forest"):
                forest = Forest.restore(table, _below(saved.statistics, "forest."))
            center, scale, trained = (
                saved.statistics[f"tasks.{key}"] for key in ("center", "scale", "trained")
            )
        except (KeyError, TypeError) as error:
            raise ModelDirectoryError(f"lacks what a predictor needs: {error}", where=where) from None
        return cls(
            features=features,
            heads=heads,
            tasks=tuple(tasks),
            task_type=task_type,
            config=config,
            center=center,
            scale=scale,
            trained=trained.astype(bool),
            method=saved.config["method"],
            uncertainty=load_uncertainty(saved),
            forest=forest,
            **(saved.config["backbone"] or {}),
        )


def load_backbone(path: str | Path) -> Backbone:
    """Load the backbone of a pretrained or of a fine-tuned model directory.

    Raises
    ------
    ModelDirectoryError
        If the directory is absent or altered, or is that of a fine-tuned model that reads no embedding.
    """
    path = Path(path)
    manifest = path / "manifest.json"
    if manifest.is_file() and not (path / _BACKBONE).is_dir():
        try:
            kind = json.loads(manifest.read_text(encoding="utf-8")).get("kind")
        except (ValueError, AttributeError):
            kind = None  # Backbone.load says what is wrong with it
        if kind in {KIND, "model"}:  # "model": a trained model by name
            raise ModelDirectoryError("holds a fine-tuned model that reads no embedding", where=str(path))
    return Backbone.load(path / _BACKBONE if (path / _BACKBONE).is_dir() else path)


def _below(table: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {key.removeprefix(prefix): value for key, value in table.items() if key.startswith(prefix)}


def load_uncertainty(saved: ModelDirectory) -> Uncertainty | None:
    """Return the uncertainty that was saved with a model; None if there was none."""
    if not (saved.path / _UNCERTAINTY).is_file():
        return None
    return Uncertainty.restore(saved.read_json(_UNCERTAINTY), _below(saved.statistics, "uncertainty."))


def save_backbone(backbone: Backbone, directory: Path) -> None:
    """Write the backbone's own model directory, with the weights that it has now."""
    directory.mkdir()
    write_model(
        directory,
        kind="backbone",
        config=backbone.description(),
        weights=backbone.weights(),
        statistics=backbone.statistics(),
        texts={},
    )
