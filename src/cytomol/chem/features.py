"""Atom and bond features of the molecular graph, exactly those of the Open Graph Benchmark.

Source: Hu et al., "Open Graph Benchmark", NeurIPS 2020, ``ogb/utils/features.py``. Atom columns: atomic
number, chirality, degree, formal charge, hydrogens, radical electrons, hybridization, aromatic, in a
ring. Bond columns: type, stereo, conjugated. A value outside OGB's list takes its last index ("misc").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

__all__ = ["ATOM_FEATURE_SIZES", "BOND_FEATURE_SIZES", "atom_features", "bond_features", "graph_arrays"]

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


_CHIRALITY = _enum_table(
    Chem.ChiralType, ("CHI_UNSPECIFIED", "CHI_TETRAHEDRAL_CW", "CHI_TETRAHEDRAL_CCW", "CHI_OTHER"), 4
)
_HYBRIDIZATION = _enum_table(Chem.HybridizationType, ("SP", "SP2", "SP3", "SP3D", "SP3D2"), 5)
_BOND_TYPE = _enum_table(Chem.BondType, ("SINGLE", "DOUBLE", "TRIPLE", "AROMATIC"), 4)
# OGB has no "misc" here and fails on other kinds (atropisomers): they take the last index too.
_BOND_STEREO = _enum_table(
    Chem.BondStereo,
    ("STEREONONE", "STEREOZ", "STEREOE", "STEREOCIS", "STEREOTRANS", "STEREOANY"),
    5,
)
_ATOMIC_NUMBER = _range_table(0, 1, 118)
_DEGREE = _range_table(0, 0, 10)
_CHARGE = _range_table(128, -5, 5)
_HYDROGENS = _range_table(0, 0, 8)
_RADICALS = _range_table(0, 0, 4)


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
    return _atom_rows(list(mol.GetAtoms()))


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
    return _edge_rows(list(mol.GetBonds()))


def graph_arrays(mols: Sequence[Chem.Mol | None]) -> dict[str, NDArray[Any]]:
    """Return the graphs of many molecules as flat arrays.

    Parameters
    ----------
    mols
        Sanitized molecules; None has no atoms and no edges. Length n.

    Returns
    -------
    dict
        "atoms" uint8 (A, 9), "atom_offsets" int64 (n + 1,), "edges" int32 (2, E) numbered within each
        molecule and sorted by molecule, target atom, bond; "edge_features" uint8 (E, 3);
        "edge_offsets" int64 (n + 1,).
    """
    atoms: list[Any] = []
    bonds: list[Any] = []
    counts = np.zeros((2, len(mols) + 1), dtype=np.int64)
    for i, mol in enumerate(mols, start=1):
        if mol is not None:
            atoms += mol.GetAtoms()
            bonds += mol.GetBonds()
        counts[:, i] = len(atoms), 2 * len(bonds)
    edges, edge_features = _edge_rows(bonds)
    order = np.lexsort((edges[1], np.repeat(np.arange(len(mols)), np.diff(counts[1]))))
    return {
        "atoms": _atom_rows(atoms),
        "atom_offsets": counts[0],
        "edges": np.ascontiguousarray(edges[:, order]),
        "edge_features": edge_features[order],
        "edge_offsets": counts[1],
    }


def _atom_rows(atoms: list[Any]) -> NDArray[np.uint8]:
    columns = (
        bytes([a.GetAtomicNum() for a in atoms]).translate(_ATOMIC_NUMBER),
        bytes([a.GetChiralTag() for a in atoms]).translate(_CHIRALITY),
        bytes([min(a.GetTotalDegree(), 255) for a in atoms]).translate(_DEGREE),
        bytes([a.GetFormalCharge() + 128 for a in atoms]).translate(_CHARGE),
        bytes([min(a.GetTotalNumHs(), 255) for a in atoms]).translate(_HYDROGENS),
        bytes([min(a.GetNumRadicalElectrons(), 255) for a in atoms]).translate(_RADICALS),
        bytes([a.GetHybridization() for a in atoms]).translate(_HYBRIDIZATION),
        bytes([a.GetIsAromatic() for a in atoms]),
        bytes([a.IsInRing() for a in atoms]),
    )
    flat = np.frombuffer(b"".join(columns), dtype=np.uint8)
    return np.ascontiguousarray(flat.reshape(len(ATOM_FEATURE_SIZES), len(atoms)).T)


def _edge_rows(bonds: list[Any]) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    begin = np.array([b.GetBeginAtomIdx() for b in bonds], dtype=np.int32)
    end = np.array([b.GetEndAtomIdx() for b in bonds], dtype=np.int32)
    columns = (
        bytes([b.GetBondType() for b in bonds]).translate(_BOND_TYPE),
        bytes([b.GetStereo() for b in bonds]).translate(_BOND_STEREO),
        bytes([b.GetIsConjugated() for b in bonds]),
    )
    edges = np.stack([np.stack([begin, end], axis=1), np.stack([end, begin], axis=1)]).reshape(2, -1)
    flat = np.frombuffer(b"".join(columns), dtype=np.uint8)
    return edges, np.repeat(flat.reshape(len(BOND_FEATURE_SIZES), len(bonds)).T, 2, axis=0)
