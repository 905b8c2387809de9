"""What a backbone expects cells to show: profiles decoded from molecules, in measured units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cytomol.artifact.backbone import Backbone
from cytomol.artifact.batches import batches_by_size
from cytomol.cells.modality import TrainedModality
from cytomol.chem.store import MoleculeStore
from cytomol.errors import ConfigError
from cytomol.nn.allocator import keep_memory

__all__ = ["DecodedProfiles", "decode_profiles", "decoded_modalities", "in_measured_units"]


@dataclass(frozen=True)
class DecodedProfiles:
    """Molecules as a backbone sees their cells; NaN where a molecule is invalid.

    Attributes
    ----------
    profiles
        By modality, in measured units, float32, shape (n, width).
    valid
        Which molecules are valid, bool, shape (n,).
    embedding
        Float32, shape (n, embedding width); None where it was not asked for.
    codes
        Path through the tree, int64, shape (n, depth), -1 where the molecule is invalid; None where it was
        not asked for or the method has no tree.
    """

    profiles: dict[str, NDArray[np.float32]]
    valid: NDArray[np.bool_]
    embedding: NDArray[np.float32] | None = None
    codes: NDArray[np.int64] | None = None


def decoded_modalities(backbone: Backbone, names: Sequence[str] | None = None) -> list[TrainedModality]:
    """Return modalities that a backbone decodes; None for all of them.

    Raises
    ------
    ConfigError
        If its method decodes no profiles, or not those of a modality that is named.
    """
    known = backbone.method.decoded
    if not known:
        raise ConfigError(
            f"the model decodes no profiles: {backbone.name} compares them only, or was trained without any",
            hint="infoalign and chmr decode what they were trained on",
        )
    for name in names or ():
        if name not in known:
            raise ConfigError(
                f"the model decodes no modality {name!r}", hint=f"it decodes {', '.join(known)}"
            )
    return [TrainedModality(backbone, name) for name in dict.fromkeys(names or known)]


def in_measured_units(modality: TrainedModality, scaled: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return decoded profiles in measured units, so that the typical one becomes the mean profile.

    A decoder learns the mean on its scaled axis, whose inverse is not the mean in measured units where the
    scaling bends. The difference to the typical profile is taken in measured units instead, and added to
    their mean: a decoder that knows nothing gives the mean.

    Parameters
    ----------
    modality
        The modality.
    scaled
        Decoded profiles, shape (n, width).
    """
    scaler, typical = modality.backbone.scalers[modality.name], modality.typical
    middle = scaler.inverse(np.clip(typical.scaled[None], 0, 1))
    return np.asarray(typical.mean + (scaler.inverse(np.clip(scaled, 0, 1)) - middle), dtype=np.float32)


@dataclass
class _Gathered:
    """Answers of the batches so far."""

    rows: list[NDArray[np.int64]] = field(default_factory=list)
    answers: dict[str, list[NDArray[Any]]] = field(default_factory=dict)

    def add(self, name: str, answer: NDArray[Any]) -> None:
        self.answers.setdefault(name, []).append(answer)

    def matrix(self, name: str, rows: int, fill: float, width: int) -> NDArray[Any]:
        """Return the answers of all rows, ``fill`` where there is none."""
        parts = self.answers.get(name) or [np.zeros((0, width), np.float32)]
        matrix = np.full((rows, parts[0].shape[1]), fill, parts[0].dtype)
        for place, part in zip(self.rows, self.answers.get(name, []), strict=True):
            matrix[place] = part
        return matrix


def decode_profiles(
    modalities: Sequence[TrainedModality],
    molecules: Sequence[str] | MoleculeStore,
    *,
    beside: bool = False,
    batch_size: int = 256,
    progress: Callable[[int, int], None] | None = None,
) -> DecodedProfiles:
    """Decode profiles of molecules.

    Parameters
    ----------
    modalities
        Of one backbone, which decodes them: see :func:`decoded_modalities`.
    molecules
        SMILES, or molecules featurized by the backbone's ``store``.
    beside
        Return embeddings and codes too.
    batch_size
        Molecules in a pass.
    progress
        Called with (molecules done, molecules in all).

    See Also
    --------
    cytomol.cells.impute.imputer.Imputer : expected values and intervals from these.
    """
    backbone = modalities[0].backbone
    store = molecules if isinstance(molecules, MoleculeStore) else backbone.store(molecules)
    rows, done, gathered = np.flatnonzero(store.valid), 0, _Gathered()
    tree = getattr(backbone.method, "quantizer", None) is not None
    keep_memory()
    backbone.method.eval()
    for part in batches_by_size(store, rows, batch_size):
        gathered.rows.append(part)
        with torch.inference_mode():
            batch = backbone.builder.build(store, part).to(backbone.device)
            imputed = backbone.method.impute(batch)
            for one in modalities:
                gathered.add(one.name, in_measured_units(one, imputed[one.name].float().cpu().numpy()))
            if beside:
                gathered.add(" embedding", backbone.method.embed(batch).float().cpu().numpy())
            if beside and tree:
                gathered.add(" codes", backbone.method.codes(batch).cpu().numpy())  # type: ignore[operator]
        done += len(part)
        if progress is not None:
            progress(done, len(rows))
    profiles = {
        one.name: gathered.matrix(one.name, len(store), np.nan, len(one.columns)) for one in modalities
    }
    decoded = DecodedProfiles(profiles, store.valid.copy())
    if not beside:
        return decoded
    embedding = gathered.matrix(" embedding", len(store), np.nan, backbone.embedding_width)
    depth = int(getattr(backbone.config, "depth", 0))
    codes = gathered.matrix(" codes", len(store), -1, depth).astype(np.int64) if tree else None
    return DecodedProfiles(profiles, decoded.valid, embedding, codes)
