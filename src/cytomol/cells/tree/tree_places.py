"""Where molecules and profiles lie, for a tree that divides these places."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cytomol.artifact.backbone import Backbone
from cytomol.cells.modality import TrainedModality, trained_modality
from cytomol.cells.space import CellSpace
from cytomol.cells.tree.code_tree import Places
from cytomol.chem.store import MoleculeStore
from cytomol.errors import ConfigError

__all__ = ["place_molecules", "place_profiles"]


def place_molecules(
    backbone: Backbone,
    store: MoleculeStore,
    places: Places = "anchor",
    modality: str | None = None,
    *,
    batch_size: int = 256,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.float32]:
    """Place molecules.

    Parameters
    ----------
    backbone
        The model.
    store
        Molecules featurized by ``backbone.store``.
    places
        "anchor", or "decoded" for the profile that the model expects.
    modality
        Of decoded profiles.
    batch_size
        Molecules in a pass.
    progress
        Called with (molecules done, molecules in all).

    Returns
    -------
    float32, shape (n, width); NaN where a molecule is invalid.
    """
    if places == "decoded":
        space = CellSpace.of(trained_modality(backbone, modality, of="molecule"), "decoded")
        return space.molecules(store, batch_size=batch_size, progress=progress)[0]
    found = backbone.answers(
        store,
        lambda batch: {"anchor": backbone.method.anchor(batch)},
        {"anchor": backbone.method.anchor_width},
        batch_size=batch_size,
        progress=progress,
    )
    return found["anchor"]


def place_profiles(
    modality: TrainedModality, values: NDArray[np.float32], places: Places = "anchor", of: str | None = None
) -> NDArray[np.float32]:
    """Place measured profiles, shape (n, width of the modality) -> (n, width of the places).

    Parameters
    ----------
    modality
        Whose profiles these are.
    values
        In measured units, in the order of the modality; NaN where not measured.
    places
        As for molecules.
    of
        Modality of decoded places.

    Raises
    ------
    ConfigError
        If profiles of this modality have no such place.
    """
    if places == "decoded":
        if modality.name != of:
            raise ConfigError(
                f"the tree divides profiles of {of}, and {modality.name} has no place in it",
                hint=f"give profiles of {of}",
            )
        return CellSpace.of(modality, "decoded").profiles(values)
    if not modality.projected:
        raise ConfigError(
            f"{modality.backbone.name} projects no profiles of {modality.name} to where its molecules are",
            hint="fit a tree to decoded profiles: cytomol hierarchy --tree fitted --places decoded",
        )
    return CellSpace.of(modality, "projected").profiles(values)
