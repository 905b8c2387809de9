"""Atom and bond features of the molecular graph, exactly those of the Open Graph Benchmark.

Source: Hu et al., "Open Graph Benchmark", NeurIPS 2020, ``ogb/utils/features.py``. Atom columns: atomic
number, chirality, degree, formal charge, hydrogens, radical electrons, hybridization, aromatic, in a
ring. Bond columns: type, stereo, conjugated. A value outside OGB's list takes its last index ("misc").
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

__all__ = ["ATOM_FEATURE_SIZES", "BOND_FEATURE_SIZES", "atom_features", "bond_features"]

ATOM_FEATURE_SIZES: tuple[int, ...] = (119, 5, 12, 12, 10, 6, 6, 2, 2)
BOND_FEATURE_SIZES: tuple[int, ...] = (5, 6, 2)


def _enum_table(enum: Any, names: tuple[str, ...], last: int) -> bytes:
    """Return a 256-byte translation from the values of an RDKit enum to OGB's index."""
    table = bytearray([last] * 256)
    for name, value in enum.names.items():
        if name in names:
            table[int(value)] = names.index(name)
    return bytes(table)


def _range_table(offset: int, lowest: int, highest: int) -> bytes:
    """Return a 256-byte translation of ``value + offset``: lowest → 0 ... highest, all else → highest + 1."""
    misc = highest - lowest + 1
    return bytes(b - offset - lowest if lowest <= b - offset <= highest else misc for b in range(256))


# Translations (256 bytes each) from RDKit's value to OGB's index.
CHIRALITY = _enum_table(
    Chem.ChiralType, ("CHI_UNSPECIFIED", "CHI_TETRAHEDRAL_CW", "CHI_TETRAHEDRAL_CCW", "CHI_OTHER"), 4
)
HYBRIDIZATION = _enum_table(Chem.HybridizationType, ("SP", "SP2", "SP3", "SP3D", "SP3D2"), 5)
BOND_TYPE = _enum_table(Chem.BondType, ("SINGLE", "DOUBLE", "TRIPLE", "AROMATIC"), 4)
# OGB has no "misc" here and fails on other kinds (atropisomers): they take the last index too.
BOND_STEREO = _enum_table(
    Chem.BondStereo,
    ("STEREONONE", "STEREOZ", "STEREOE", "STEREOCIS", "STEREOTRANS", "STEREOANY"),
    5,
)
ATOMIC_NUMBER = _range_table(0, 1, 118)
DEGREE = _range_table(0, 0, 10)
CHARGE_OFFSET = 128  # a charge fits a signed byte in RDKit
CHARGE = _range_table(CHARGE_OFFSET, -5, 5)
HYDROGENS = _range_table(0, 0, 8)
RADICALS = _range_table(0, 0, 4)


def atom_features(mol: Chem.Mol) -> NDArray[np.uint8]:
    """Return OGB's atom features.

    Parameters
    ----------
    mol
        Sanitized molecule.

    Returns
    -------
    numpy.ndarray
        Categories, uint8, shape (atoms, 9), in RDKit's atom order.
    """
    return atom_rows(list(mol.GetAtoms()))


def bond_features(mol: Chem.Mol) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Return the directed edges of the graph with OGB's bond features.

    Parameters
    ----------
    mol
        Sanitized molecule.

    Returns
    -------
    edge_index
        Source and target atom, int32, shape (2, edges); both directions of every bond, bond by bond,
        as OGB orders them.
    features
        Categories, uint8, shape (edges, 3).
    """
    return edge_rows(list(mol.GetBonds()))


def atom_rows(atoms: list[Any]) -> NDArray[np.uint8]:
    """Return the features of a list of RDKit atoms, uint8, shape (atoms, 9)."""
    columns = (
        bytes([a.GetAtomicNum() for a in atoms]).translate(ATOMIC_NUMBER),
        bytes([a.GetChiralTag() for a in atoms]).translate(CHIRALITY),
        bytes([min(a.GetTotalDegree(), 255) for a in atoms]).translate(DEGREE),
        bytes([a.GetFormalCharge() + CHARGE_OFFSET for a in atoms]).translate(CHARGE),
        bytes([min(a.GetTotalNumHs(), 255) for a in atoms]).translate(HYDROGENS),
        bytes([min(a.GetNumRadicalElectrons(), 255) for a in atoms]).translate(RADICALS),
        bytes([a.GetHybridization() for a in atoms]).translate(HYBRIDIZATION),
        bytes([a.GetIsAromatic() for a in atoms]),
        bytes([a.IsInRing() for a in atoms]),
    )
    flat = np.frombuffer(b"".join(columns), dtype=np.uint8)
    return np.ascontiguousarray(flat.reshape(len(ATOM_FEATURE_SIZES), len(atoms)).T)


def edge_rows(bonds: list[Any]) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Return both directions of a list of RDKit bonds, (2, edges), and their features, (edges, 3)."""
    begin = np.array([b.GetBeginAtomIdx() for b in bonds], dtype=np.int32)
    end = np.array([b.GetEndAtomIdx() for b in bonds], dtype=np.int32)
    columns = (
        bytes([b.GetBondType() for b in bonds]).translate(BOND_TYPE),
        bytes([b.GetStereo() for b in bonds]).translate(BOND_STEREO),
        bytes([b.GetIsConjugated() for b in bonds]),
    )
    edges = np.stack([np.stack([begin, end], axis=1), np.stack([end, begin], axis=1)]).reshape(2, -1)
    flat = np.frombuffer(b"".join(columns), dtype=np.uint8)
    return edges, np.repeat(flat.reshape(len(BOND_FEATURE_SIZES), len(bonds)).T, 2, axis=0)
