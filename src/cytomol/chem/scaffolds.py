"""Bemis–Murcko scaffolds."""

from __future__ import annotations

from typing import Any

from rdkit import Chem, rdBase
from rdkit.Chem.Scaffolds import MurckoScaffold

from cytomol.chem.parse import parse_smiles
from cytomol.errors import InputError

__all__ = ["murcko_scaffold"]

_murcko: Any = MurckoScaffold  # plain Python without types


def murcko_scaffold(smiles_or_mol: str | Chem.Mol, chirality: bool = False) -> str:
    """Return the SMILES of the Bemis–Murcko scaffold: rings and what links them.

    Parameters
    ----------
    smiles_or_mol
        SMILES or molecule.
    chirality
        Keep stereo marks in the scaffold.

    Returns
    -------
    str
        Canonical SMILES; "" for a molecule without rings.

    Raises
    ------
    InputError
        If the SMILES is invalid.

    References
    ----------
    Bemis & Murcko, J. Med. Chem. 39, 2887 (1996).
    """
    if isinstance(smiles_or_mol, Chem.Mol):
        mol = smiles_or_mol
    else:
        parsed = parse_smiles(smiles_or_mol)
        if parsed.mol is None:
            raise InputError(f"no scaffold of {smiles_or_mol!r}: {parsed.reason}")
        mol = parsed.mol
    block = rdBase.BlockLogs()
    try:
        scaffold: str = _murcko.MurckoScaffoldSmiles(mol=mol, includeChirality=chirality)
    finally:
        del block
    return scaffold
