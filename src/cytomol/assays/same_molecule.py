"""Which rows of a table hold the same molecule."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["molecule_groups", "molecule_key"]


@lru_cache(maxsize=200_000)
def molecule_key(smiles: str) -> str:
    """Return what two spellings of a molecule have in common: its connectivity; "" for no molecule.

    It is the first block of the InChIKey, which knows neither stereo marks, isotopes, charges by protons nor
    the mobile hydrogens of tautomers; where InChI has none, or the molecule is large, the canonical SMILES
    without stereo marks. Atom maps make no difference.
    """
    from rdkit import Chem, rdBase

    from cytomol.chem.chunk import is_light
    from cytomol.chem.keys import connectivity_block, inchikey
    from cytomol.chem.parse import parse_smiles, without_atom_maps

    mol = parse_smiles(without_atom_maps(smiles)).mol
    if mol is None:
        return ""
    key = connectivity_block(inchikey(mol)) if is_light(mol) else ""
    if key:
        return key
    with rdBase.BlockLogs():
        flat: str = Chem.MolToSmiles(mol, isomericSmiles=False)
    return flat


def molecule_groups(smiles: Sequence[str]) -> NDArray[np.int64]:
    """Return which molecule every row holds, numbered from 0 by first appearance; -1 for no molecule.

    Returns
    -------
    numpy.ndarray
        int64, shape (rows,); rows of one number are one molecule.
    """
    numbers: dict[str, int] = {"": -1}
    keys = map(molecule_key, smiles)
    return np.fromiter((numbers.setdefault(key, len(numbers) - 1) for key in keys), np.int64, len(smiles))
