"""Explained molecules as rows of plain values, as a service answers them."""

from __future__ import annotations

from typing import Any

import numpy as np

from cytomol.chem.occlusion.attribution import ExplainedMolecule
from cytomol.serve.predicted_rows import plain_number

__all__ = ["explained_row"]


def explained_row(one: ExplainedMolecule) -> dict[str, Any]:
    """Return what each atom and each piece of a molecule adds to each answer.

    Atoms are counted from 0 in the order of ``read_as``, the SMILES as the model reads it, and ``pieces``
    are lists of them.

    Examples
    --------
    >>> from cytomol.chem.occlusion.attribution import unexplained
    >>> explained_row(unexplained("C1CC", "ring is open"))
    {'error': 'ring is open'}
    """
    if one.mol is None:
        return {"error": one.error}
    read_as, order = one.read_as()
    piece = one.piece[order]
    return {
        "error": None,
        "read_as": read_as,
        "symbols": [one.mol.GetAtomWithIdx(place).GetSymbol() for place in order.tolist()],
        "pieces": [np.flatnonzero(piece == number).tolist() for number in np.unique(piece)],
        "explained": {
            each.name: {
                "value": plain_number(each.value),
                "atoms": [plain_number(number) for number in each.atoms[order].tolist()],
                "pieces": [plain_number(number) for number in each.pieces.tolist()],
            }
            for each in one.attributions
        },
    }
