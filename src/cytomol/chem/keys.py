"""Names by which the same molecule is recognised in two tables."""

from __future__ import annotations

from typing import Any

from rdkit import Chem, rdBase

__all__ = ["canonical_smiles", "connectivity_block", "inchikey"]

_CONNECTIVITY_LETTERS = 14
_inchi: Any = Chem  # this part of RDKit is plain Python without types


def canonical_smiles(mol: Chem.Mol) -> str:
    """Return RDKit's canonical isomeric SMILES, the same for every order of the atoms."""
    smiles: str = Chem.MolToSmiles(mol)
    return smiles


def inchikey(mol: Chem.Mol) -> str:
    """Return the standard InChIKey; "" where InChI has none (for example dummy atoms)."""
    block = rdBase.BlockLogs()
    try:
        key: str = _inchi.MolToInchiKey(mol)
    finally:
        del block
    return key


def connectivity_block(key: str) -> str:
    """Return the first 14 letters of an InChIKey: the skeleton without stereo, isotopes and charge."""
    return key[:_CONNECTIVITY_LETTERS]
