"""Computed similarity: molecules of like structure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytomol.context.criteria.base import Criterion, Inputs, criteria
from cytomol.context.edges import Edges
from cytomol.context.similar import Fingerprints
from cytomol.errors import InputError

__all__ = ["StructureCriterion"]


@criteria.register("structure")
class StructureCriterion(Criterion):
    """Join molecules by the Tanimoto coefficient of their Morgan fingerprints."""

    def edges(self, inputs: Inputs) -> tuple[Edges, dict[str, Any]]:
        """Return the pairs above the threshold; unreadable molecules have none."""
        store = inputs.store
        if inputs.fingerprints is None and "morgan" not in store.blocks:
            raise InputError("the molecules have no Morgan fingerprints", hint="featurize with morgan")
        packed = store.blocks["morgan"] if inputs.fingerprints is None else inputs.fingerprints
        groups = _scaffold_groups(inputs) if inputs.options.candidates == "shortcut" else None
        similar = inputs.similar_pairs(Fingerprints(np.asarray(packed)), groups)
        first = np.int32(inputs.offsets["molecule"])
        return Edges(first + similar.i, first + similar.j, similar.similarity), similar.report()


def _scaffold_groups(inputs: Inputs) -> NDArray[np.int64]:
    """Return each molecule's scaffold number, as the authors have it.

    Stereo counts, and all molecules without a ring share one.
    """
    from cytomol.chem.scaffolds import murcko_scaffold

    numbers: dict[str, int] = {}
    groups = np.full(len(inputs.store), -1, np.int64)
    for row in np.flatnonzero(inputs.store.valid):
        scaffold = murcko_scaffold(inputs.store.smiles[row], chirality=True)
        groups[row] = numbers.setdefault(scaffold, len(numbers))
    return groups
