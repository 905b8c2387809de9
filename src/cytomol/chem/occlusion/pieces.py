"""A molecule cut into the pieces that a chemist would name: ring systems, linkers, substituents."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

__all__ = ["piece_smiles", "pieces_of"]


def pieces_of(mol: Chem.Mol) -> NDArray[np.int64]:
    """Return the piece that each atom belongs to, numbered from 0 in the order of the atoms, shape (atoms,).

    Single bonds outside rings with a ring atom at one end are cut; what hangs together then is a piece.

    Examples
    --------
    >>> from rdkit import Chem
    >>> pieces_of(Chem.MolFromSmiles("OC(=O)c1ccccc1")).tolist()
    [0, 0, 0, 1, 1, 1, 1, 1, 1]
    """
    n = mol.GetNumAtoms()
    piece = np.full(n, -1, np.int64)
    for start in range(n):
        if piece[start] >= 0:
            continue
        number, waiting = int(piece.max()) + 1, [start]
        while waiting:
            place = waiting.pop()
            if piece[place] >= 0:
                continue
            piece[place] = number
            atom = mol.GetAtomWithIdx(place)
            waiting += [bond.GetOtherAtomIdx(place) for bond in atom.GetBonds() if not _is_cut(bond)]
    return piece


def piece_smiles(mol: Chem.Mol, atoms: NDArray[np.int64]) -> str:
    """Return the SMILES of some atoms of a molecule with the bonds between them.

    Examples
    --------
    >>> import numpy as np
    >>> from rdkit import Chem
    >>> piece_smiles(Chem.MolFromSmiles("OC(=O)c1ccccc1"), np.array([0, 1, 2]))
    'O=CO'
    """
    return str(Chem.MolFragmentToSmiles(mol, atomsToUse=[int(atom) for atom in atoms]))


def _is_cut(bond: Chem.Bond) -> bool:
    """Tell whether a bond is cut: a single one outside rings that ends in a ring."""
    if bond.IsInRing() or bond.GetBondType() != Chem.BondType.SINGLE:
        return False
    return bond.GetBeginAtom().IsInRing() or bond.GetEndAtom().IsInRing()
