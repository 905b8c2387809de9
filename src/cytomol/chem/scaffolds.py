"""Bemis–Murcko scaffolds."""

from __future__ import annotations

from typing import Any

from rdkit import Chem, rdBase
from rdkit.Chem.Scaffolds import MurckoScaffold

from cytomol.chem.parse import parse_smiles, without_atom_maps
from cytomol.chem.standardize import in_canonical_order
from cytomol.errors import InputError

__all__ = ["bare_skeleton", "murcko_scaffold"]

_murcko: Any = MurckoScaffold  # plain Python without types


def murcko_scaffold(
    smiles_or_mol: str | Chem.Mol, chirality: bool = False, *, as_written: bool = False
) -> str:
    """Return the SMILES of the Bemis–Murcko scaffold: rings and what links them.

    Neither the spelling of the molecule nor its atom maps change it, unless ``as_written``.

    Parameters
    ----------
    smiles_or_mol
        SMILES or molecule.
    chirality
        Keep stereo marks in the scaffold.
    as_written
        Cut the molecule in the order of its atoms, as published splits were made: for about one in a hundred
        molecules the scaffold then depends on the spelling.

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
        mol = smiles_or_mol if as_written else _without_maps(smiles_or_mol)
    else:
        parsed = parse_smiles(smiles_or_mol if as_written else without_atom_maps(smiles_or_mol))
        if parsed.mol is None:
            raise InputError(f"no scaffold of {smiles_or_mol!r}: {parsed.reason}")
        mol = parsed.mol
    block = rdBase.BlockLogs()
    try:
        # Which stereo marks and hydrogens survive the cut depends on the order of atoms and on brackets.
        mol = mol if as_written else in_canonical_order(mol)
        scaffold: str = _murcko.MurckoScaffoldSmiles(mol=mol, includeChirality=chirality)
    finally:
        del block
    return scaffold


def bare_skeleton(smiles: str) -> str:
    """Return the SMILES of a molecule's atoms and bonds without their kinds.

    Raises
    ------
    InputError
        If the SMILES is invalid.
    """
    parsed = parse_smiles(without_atom_maps(smiles))
    if parsed.mol is None:
        raise InputError(f"no skeleton of {smiles!r}: {parsed.reason}")
    skeleton = Chem.RWMol()
    for _ in parsed.mol.GetAtoms():
        atom = Chem.Atom(0)  # of no element, so that no number of neighbours is too many
        skeleton.AddAtom(atom)
    for bond in parsed.mol.GetBonds():
        skeleton.AddBond(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), Chem.BondType.SINGLE)
    text: str = Chem.MolToSmiles(skeleton)
    return text


def _without_maps(mol: Chem.Mol) -> Chem.Mol:
    """Return the molecule without atom-map numbers, which would tell its atoms apart."""
    if not any(atom.GetAtomMapNum() for atom in mol.GetAtoms()):
        return mol
    bare = Chem.Mol(mol)
    for atom in bare.GetAtoms():
        atom.SetAtomMapNum(0)
    return bare
