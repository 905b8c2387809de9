"""A pretrained method, read from its model directory and ready to embed molecules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cytomol.artifact.batches import BatchBuilder, batches_by_size
from cytomol.artifact.description import described
from cytomol.artifact.directory import check_weights, kind_of, load_model, load_weights, write_model
from cytomol.artifact.shipped import model_place
from cytomol.chem.featurize import FeatureOptions, featurize
from cytomol.chem.store import MoleculeStore
from cytomol.corpus.correction import GroupCorrection
from cytomol.corpus.scaling import FeatureScaler
from cytomol.corpus.typical import TypicalProfile
from cytomol.errors import InputError, ModelDirectoryError
from cytomol.methods import Method, methods
from cytomol.methods.config import MethodConfig
from cytomol.methods.options.views import GeometryOptions
from cytomol.nn.allocator import keep_memory
from cytomol.nn.batch import Batch, Dimensions
from cytomol.nn.evaluated import evaluated

__all__ = [
    "BACKBONE_FOLDER",
    "KIND",
    "Backbone",
    "feature_options_of",
    "load_backbone",
    "save_backbone",
    "training_record",
]

KIND = "backbone"
BACKBONE_FOLDER = "backbone"  # where a predictor's directory holds its backbone


@dataclass
class Backbone:
    """A pretrained method with all that turns SMILES into its batches.

    Attributes
    ----------
    name
        Registered name of the method.
    config
        Options that it was trained with.
    method
        The module, in evaluation mode.
    dimensions
        Sizes that it was built for.
    modalities
        Kind, entity and column names of each modality that it learnt from.
    builder
        Builds its batches.
    scalers
        Scaler of each modality: decoded profiles go back to measured units by ``inverse``.
    input_scalers
        How the projector of each modality reads profiles; empty for a method without.
    digest
        SHA-256 that names the model directory; "" if it was not loaded from one.
    typical
        Mean and spread of the training profiles of each modality; empty for backbones of 0.1.
    corrections
        How the profiles of a modality were corrected for plate or library, where they were.

    Examples
    --------
    >>> backbone = Backbone.load("model")
    >>> embedding, valid = backbone.embed(["CCO", "c1ccccc1", "no molecule"])
    >>> embedding.shape == (3, backbone.embedding_width)
    True
    >>> valid.tolist()
    [True, True, False]
    """

    name: str
    config: MethodConfig
    method: Method
    dimensions: Dimensions
    modalities: dict[str, dict[str, Any]]
    builder: BatchBuilder
    scalers: dict[str, FeatureScaler]
    input_scalers: dict[str, FeatureScaler] = field(default_factory=dict)
    digest: str = ""
    typical: dict[str, TypicalProfile] = field(default_factory=dict)
    corrections: dict[str, GroupCorrection] = field(default_factory=dict)

    @classmethod
    def load(cls, path: str | Path, *, device: str | torch.device = "cpu") -> Self:
        """Read and verify a model directory written by ``pretrain``, or the one that comes with cytomol.

        Parameters
        ----------
        path
            The directory; the word ``default`` is the backbone that comes with cytomol (a directory of
            that name is ``./default``).
        device
            Where the method is to lie.

        Raises
        ------
        ModelDirectoryError
            If the directory is absent, altered or of another kind.
        """
        model = load_model(path, kind=KIND)
        backbone = cls.build(model.config, model.weights, model.statistics, where=str(path))
        backbone.digest = model.digest
        backbone.method.to(device)
        return backbone

    @classmethod
    def build(
        cls,
        description: Mapping[str, Any],
        weights: Mapping[str, Tensor],
        statistics: Mapping[str, NDArray[Any]],
        *,
        where: str,
    ) -> Self:
        """Rebuild from :meth:`description`, :meth:`weights` and :meth:`statistics`.

        Parameters
        ----------
        where
            Name of the source in errors.
        """
        about = described(description, where)
        name, dimensions = about.method, about.dimensions
        if dimensions.largest > sum(tensor.numel() for tensor in weights.values()):
            raise ModelDirectoryError("config.json: dimensions: larger than all the weights", where=where)
        kind = methods[name]
        # Backbones of 0.1 have no choice: they learnt from chirality as it is written.
        config = kind.Config.saved({"chirality": "as_written", **about.config}, where=where)
        with torch.device("meta"):  # takes no memory, whatever sizes the description asks for
            check_weights(kind.from_config(config, dimensions), weights, where=where)
        method = kind.from_config(config, dimensions)
        load_weights(method, weights, where=where)
        method.eval()
        scalers = {
            modality: FeatureScaler.from_arrays(_below(statistics, f"scaler.{modality}."))
            for modality in dimensions.modalities
        }
        inputs = {
            modality: FeatureScaler.from_arrays(arrays)
            for modality in dimensions.modalities
            if (arrays := _below(statistics, f"input.{modality}."))
        }
        builder = BatchBuilder.from_statistics(config.views, statistics)
        made, said = builder.widths(feature_options_of(config).widths), dict(dimensions.views)
        if made != said:
            what = f"config.json: the options make views of {made}, the dimensions say {said}"
            raise ModelDirectoryError(what, where=where)
        typical = {
            modality: TypicalProfile.from_arrays(arrays)
            for modality in dimensions.modalities
            if (arrays := _below(statistics, f"typical.{modality}."))
        }
        backbone = cls(name, config, method, dimensions, about.modalities, builder, scalers, inputs)
        backbone.typical = typical
        backbone.corrections = {
            modality: GroupCorrection.from_arrays(arrays)
            for modality in dimensions.modalities
            if (arrays := _below(statistics, f"correction.{modality}."))
        }
        return backbone

    def description(self) -> dict[str, Any]:
        """Return what ``config.json`` holds: method, options, sizes and modalities."""
        return {
            "method": self.name,
            "config": self.config.model_dump(mode="json"),
            "dimensions": asdict(self.dimensions),
            "modalities": self.modalities,
        }

    def weights(self) -> dict[str, Tensor]:
        """Return parameters and buffers by name."""
        return self.method.state_dict()

    def statistics(self) -> dict[str, NDArray[Any]]:
        """Return feature statistics by name."""
        fitted: dict[str, Mapping[str, FeatureScaler | TypicalProfile | GroupCorrection]] = {
            "scaler": self.scalers,
            "input": self.input_scalers,
            "typical": self.typical,
            "correction": self.corrections,
        }
        arrays = {
            f"{what}.{modality}.{key}": array
            for what, by_modality in fitted.items()
            for modality, one in by_modality.items()
            for key, array in one.arrays().items()
        }
        return {**self.builder.statistics(), **arrays}

    def profile_rows(self, name: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return profiles of a modality as its projector reads them.

        Parameters
        ----------
        name
            Modality.
        values
            Profiles in measured units, shape (n, width); NaN where not measured, which stays.

        Raises
        ------
        InputError
            If the backbone does not read this modality, or the width is another.
        """
        if name not in self.scalers:
            known = ", ".join(self.scalers) or "none"
            raise InputError(f"the backbone learnt from no modality {name!r}", hint=f"it knows {known}")
        # Backbones of 0.1 read profiles scaled as their targets are.
        scaler = self.input_scalers.get(name, self.scalers[name])
        rows = scaler.transform(values)
        needs = self.method.needs(self.config).profiles
        return np.clip(rows, 0, 1) if needs is None or needs.scaling == "minmax" else rows

    @property
    def feature_options(self) -> FeatureOptions:
        """What has to be computed for a molecule before it can be embedded."""
        return feature_options_of(self.config)

    @property
    def embedding_width(self) -> int:
        """Width of an embedding."""
        return self.method.embedding_width

    @property
    def device(self) -> torch.device:
        """Where the method lies."""
        return next(self.method.parameters()).device

    def store(
        self,
        smiles: Sequence[str],
        *,
        workers: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> MoleculeStore:
        """Featurize molecules as this backbone needs them; row i answers SMILES i."""
        return featurize(smiles, self.feature_options, workers=workers, progress=progress)

    @torch.inference_mode()
    def answers(
        self,
        store: MoleculeStore,
        read: Callable[[Batch], Mapping[str, Tensor]],
        widths: Mapping[str, int],
        *,
        batch_size: int = 256,
        progress: Callable[[int, int], None] | None = None,
    ) -> dict[str, NDArray[np.float32]]:
        """Read something of every molecule of a store, batch by batch.

        Parameters
        ----------
        store
            Molecules featurized by :meth:`store`.
        read
            Returns tables of the molecules of a batch by name, shape (B, width) each.
        widths
            Width of each table.
        batch_size
            Molecules in a pass.
        progress
            Called with (molecules done, molecules in all).

        Returns
        -------
        By name float32, shape (n, width), row i answers molecule i; NaN where it is invalid.
        """
        keep_memory()
        if batch_size < 1:
            raise InputError(f"a batch of {batch_size} molecules", hint="batch_size must be at least 1")
        tables = {name: np.full((len(store), width), np.nan, np.float32) for name, width in widths.items()}
        rows, done = np.flatnonzero(store.valid), 0
        with evaluated(self.method):
            for part in batches_by_size(store, rows, batch_size):
                found = read(self.builder.build(store, part).to(self.device))
                for name, table in tables.items():
                    table[part] = found[name].float().cpu().numpy()
                done += len(part)
                if progress is not None:
                    progress(done, len(rows))
        return tables

    def embed(
        self,
        molecules: Sequence[str] | MoleculeStore,
        *,
        batch_size: int = 256,
        progress: Callable[[int, int], None] | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Embed molecules.

        Parameters
        ----------
        molecules
            SMILES, or molecules featurized by :meth:`store`.
        batch_size
            Molecules in a pass.
        progress
            Called with (molecules done, molecules in all).

        Returns
        -------
        embedding
            float32, shape (n, embedding_width), row i answers molecule i; NaN where it is invalid.
        valid
            Which molecules are valid, bool, shape (n,).
        """
        store = molecules if isinstance(molecules, MoleculeStore) else self.store(molecules)
        found = self.answers(
            store,
            lambda batch: {"embedding": self.method.embed(batch)},
            {"embedding": self.embedding_width},
            batch_size=batch_size,
            progress=progress,
        )
        return found["embedding"], store.valid.copy()


def load_backbone(path: str | Path) -> Backbone:
    """Load the backbone of a pretrained model's directory, or the one that a predictor's directory holds.

    The word ``default`` is the backbone that comes with cytomol.

    Raises
    ------
    ModelDirectoryError
        If the directory is absent or altered, or is that of a predictor that reads no embedding.
    """
    path = model_place(path)
    inside = path / BACKBONE_FOLDER
    if not inside.is_dir() and (path / "manifest.json").is_file() and kind_of(path) in {"predictor", "model"}:
        raise ModelDirectoryError("holds a fine-tuned model that reads no embedding", where=str(path))
    return Backbone.load(inside if inside.is_dir() else path)


def training_record(path: str | Path) -> dict[str, Any]:
    """Return what ``training.json`` says of the data of a backbone; {} where nothing is told."""
    path = model_place(path)
    folder = path / BACKBONE_FOLDER if (path / BACKBONE_FOLDER).is_dir() else path
    if not (folder / "training.json").is_file():
        return {}
    record = load_model(folder, kind=KIND).read_json("training.json")
    return dict(record.get("data") or {})


def save_backbone(backbone: Backbone, directory: Path) -> None:
    """Write the backbone's own model directory, with the weights that it has now."""
    directory.mkdir()
    write_model(
        directory,
        kind=KIND,
        config=backbone.description(),
        weights=backbone.weights(),
        statistics=backbone.statistics(),
        texts={},
    )


def feature_options_of(config: MethodConfig) -> FeatureOptions:
    """Return the features that the molecular views of a method need."""
    geometry: dict[str, Any] = {}
    if isinstance(config, GeometryOptions) and "3d" in config.views:
        geometry = {name: getattr(config, name) for name in GeometryOptions.model_fields}
    return FeatureOptions(
        graph="2d" in config.views,
        morgan_radius=config.morgan_radius,
        morgan_bits=config.morgan_bits if "1d" in config.views else 0,
        maccs="1d" in config.views,
        chirality=config.chirality,
        **geometry,
        **config.reading,
    )


def _below(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
