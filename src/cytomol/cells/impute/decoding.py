"""What a backbone expects cells to show: profiles decoded from molecules, in measured units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cytomol.artifact.backbone import Backbone
from cytomol.cells.modality import TrainedModality
from cytomol.chem.store import MoleculeStore
from cytomol.errors import ConfigError
from cytomol.nn.batch import Batch

__all__ = ["DecodedProfiles", "decode_profiles", "decoded_modalities", "in_measured_units"]

_EMBEDDING, _CODES = " embedding", " codes"  # tables beside those of modalities


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
    method = backbone.method
    widths = {one.name: len(one.columns) for one in modalities}
    if beside:
        widths[_EMBEDDING] = backbone.embedding_width
        if (tree := getattr(method, "quantizer", None)) is not None:
            widths[_CODES] = len(tree.level_sizes)

    def read(batch: Batch) -> dict[str, Tensor]:
        found = method.impute(batch)
        if _EMBEDDING in widths:
            found[_EMBEDDING] = method.embed(batch)
        if _CODES in widths:
            found[_CODES] = method.codes(batch)  # type: ignore[operator]
        return found

    tables = backbone.answers(store, read, widths, batch_size=batch_size, progress=progress)
    codes = tables.get(_CODES)
    return DecodedProfiles(
        {one.name: in_measured_units(one, tables[one.name]) for one in modalities},
        store.valid.copy(),
        tables.get(_EMBEDDING),
        None if codes is None else np.where(np.isnan(codes), -1, codes).astype(np.int64),
    )
