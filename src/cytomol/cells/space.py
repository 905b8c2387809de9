"""The space in which molecules and profiles of a modality are compared, by the cosine of their places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from cytomol.cells.modality import NamedFeatures, TrainedModality
from cytomol.chem.featurize import featurize
from cytomol.chem.store import MoleculeStore
from cytomol.counted import counted
from cytomol.errors import ConfigError, InputError

__all__ = ["CellSpace", "Space", "Way"]

Way = Literal["auto", "projected", "decoded"]
_CHUNK = 4096  # profiles projected at a time


class Space(Protocol):
    """Places molecules and profiles of a modality, so that their cosine says how well they go together."""

    @property
    def modality(self) -> NamedFeatures:
        """The modality."""

    @property
    def way(self) -> str:
        """How they are placed."""

    @property
    def digest(self) -> str:
        """SHA-256 that names the model directory; "" if it was not loaded from one."""

    def store(self, smiles: Sequence[str], *, workers: int | None = None) -> MoleculeStore:
        """Featurize molecules; row i answers SMILES i."""

    def molecules(
        self,
        molecules: Sequence[str] | MoleculeStore,
        *,
        batch_size: int = 256,
        progress: Callable[[int, int], None] | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Place molecules, rows of length 1, NaN where invalid; and return which are valid."""

    def profiles(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Place profiles, rows of length 1, NaN where nothing was measured."""


@dataclass(frozen=True)
class CellSpace:
    """Places molecules and profiles so that the cosine says how well they go together.

    ``projected``: a molecule is the method's anchor, a profile its projection (CHMR, contrastive).
    ``decoded``: a molecule is its decoded profile, a profile what was measured, both on the axis of the
    decoders, less the typical profile and less their own mean over features: the cosine is then a correlation
    (InfoAlign, which projects no profiles, and any method that decodes them).

    Attributes
    ----------
    modality
        The modality, and its backbone.
    way
        "projected" or "decoded".

    References
    ----------
    Liu et al., "Learning Molecular Representation in a Cell", ICLR 2025, zero-shot matching.
    """

    modality: TrainedModality
    way: Literal["projected", "decoded"]

    @classmethod
    def of(cls, modality: TrainedModality, way: Way = "auto") -> CellSpace:
        """Return the space of a modality; by default projected where the method projects profiles.

        Raises
        ------
        ConfigError
            If the method does not place molecules in this way.
        """
        method = modality.backbone.method
        if way == "auto":
            way = "projected" if modality.projected else "decoded"
        if way == "projected" and not modality.projected:
            raise ConfigError(
                f"{modality.backbone.name} projects no profiles of {modality.name}",
                hint="compare decoded ones",
            )
        if way == "decoded" and modality.name not in method.decoded:
            raise ConfigError(
                f"{modality.backbone.name} decodes no profiles of {modality.name}",
                hint="compare projected ones" if modality.projected else "choose a modality that it decodes",
            )
        return cls(modality, way)

    @property
    def width(self) -> int:
        """Width of a place."""
        modality = self.modality
        return modality.backbone.method.anchor_width if self.way == "projected" else len(modality.columns)

    @property
    def digest(self) -> str:
        """SHA-256 that names the backbone's directory; "" if it was not loaded from one."""
        return self.modality.backbone.digest

    def store(self, smiles: Sequence[str], *, workers: int | None = None) -> MoleculeStore:
        """Featurize molecules as the backbone needs them, without the cache; row i answers SMILES i."""
        return featurize(smiles, self.modality.backbone.feature_options, workers=workers, cache=None)

    def molecules(
        self,
        molecules: Sequence[str] | MoleculeStore,
        *,
        batch_size: int = 256,
        progress: Callable[[int, int], None] | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Place molecules.

        Parameters
        ----------
        molecules
            SMILES, or molecules featurized by the backbone's ``store``.
        batch_size
            Molecules in a pass.
        progress
            Called with (molecules done, molecules in all).

        Returns
        -------
        places
            Rows of length 1, float32, shape (n, width of the space); NaN where the molecule is invalid.
        valid
            Which molecules are valid, bool, shape (n,).
        """
        backbone, name = self.modality.backbone, self.modality.name
        store = molecules if isinstance(molecules, MoleculeStore) else backbone.store(molecules)
        method, projected = backbone.method, self.way == "projected"
        places = backbone.answers(
            store,
            lambda batch: {name: method.anchor(batch) if projected else method.impute(batch)[name]},
            {name: self.width},
            batch_size=batch_size,
            progress=progress,
        )[name]
        return _unit(places if projected else self._deviations(places)), store.valid.copy()

    def profiles(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Place measured profiles.

        Parameters
        ----------
        values
            In measured units, the backbone's features in its order, shape (n, width); NaN where not measured.

        Returns
        -------
        Rows of length 1, float32, shape (n, width of the space); NaN where nothing was measured.

        Raises
        ------
        InputError
            If the width is another.
        """
        modality = self.modality
        if values.ndim != 2 or values.shape[1] != len(modality.columns):
            raise InputError(
                f"profiles of shape {values.shape}",
                hint=f"{modality.name} has {counted(len(modality.columns), 'feature', comma=False)}",
            )
        parts = [self._profiles(values[at : at + _CHUNK]) for at in range(0, len(values), _CHUNK)]
        places = np.concatenate(parts) if parts else np.zeros((0, self.width), np.float32)
        places[np.isnan(values).all(axis=1)] = np.nan
        return places

    def _profiles(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        backbone, name = self.modality.backbone, self.modality.name
        if self.way == "decoded":
            scaled = np.clip(backbone.scalers[name].transform(values), 0, 1)
            return _unit(self._deviations(np.where(np.isnan(scaled), self.modality.typical.scaled, scaled)))
        mean = backbone.profile_rows(name, self.modality.typical.mean[None])
        rows = backbone.profile_rows(name, values)
        rows = np.where(np.isnan(rows), mean, rows)
        with torch.inference_mode():
            backbone.method.eval()
            placed = backbone.method.project(name, torch.from_numpy(rows).to(backbone.device))
        return _unit(placed.float().cpu().numpy())

    def _deviations(self, scaled: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what sets profiles apart from the typical one, less its mean over features."""
        apart = scaled - self.modality.typical.scaled
        return np.asarray(apart - apart.mean(axis=1, keepdims=True), dtype=np.float32)


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows at length 1; a row of zeros stays."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(length, 1e-12), dtype=np.float32)
