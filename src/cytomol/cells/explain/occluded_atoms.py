"""Which atoms drive what a backbone says of a cell, by occlusion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from cytomol.artifact.backbone import Backbone
from cytomol.artifact.batches import batches_by_size
from cytomol.cells.explain.explained_value import ExplainedValue
from cytomol.chem.occlusion.attribution import ExplainedMolecule, occlude
from cytomol.chem.occlusion.masked_molecules import MaskedMolecules

__all__ = ["occlude_value"]


@torch.inference_mode()
def occlude_value(
    backbone: Backbone, smiles: Sequence[str], value: ExplainedValue, *, batch_size: int = 256
) -> list[ExplainedMolecule]:
    """Return what a value loses without each atom and each piece of a molecule.

    Parameters
    ----------
    backbone
        That the value is computed with.
    smiles
        Molecules, length n.
    value
        The value.
    batch_size
        Molecules in a pass.

    Returns
    -------
    list of ExplainedMolecule
        One for each molecule, in order, valid or not.
    """
    backbone.method.eval()
    molecules = MaskedMolecules.read(smiles, backbone.feature_options)
    store = molecules.store(backbone.feature_options)
    whole_of = molecules.offsets[:-1][molecules.molecule]
    rows = np.flatnonzero(store.valid)
    values = np.full((len(store), 1), np.nan)
    read: torch.Tensor | None = None
    for part in batches_by_size(store, rows, batch_size):
        batch = backbone.builder.build(store, part).to(backbone.device)
        answer = value.read(batch)
        if read is None:
            read = torch.full((len(store), answer.shape[1]), torch.nan, dtype=answer.dtype)
        read[torch.from_numpy(part)] = answer.cpu()
    if read is not None:
        some = torch.from_numpy(rows)
        scores = value.score(read[some], read[torch.from_numpy(whole_of[rows])])
        values[rows, 0] = scores.double().numpy()
    return occlude(molecules, [value.name], values, store.errors)
