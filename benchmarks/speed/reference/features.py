"""Molecules as OGB and RDKit give them: one object per molecule, one list per fingerprint."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from ogb.utils.features import atom_to_feature_vector, bond_to_feature_vector
from rdkit import Chem
from rdkit.Chem import MACCSkeys, rdFingerprintGenerator
from torch_geometric.data import Data

__all__ = ["fingerprints", "molecule_graph"]


def molecule_graph(smiles: str) -> Data:
    """Return a molecule's graph, its features by OGB's functions, its edges in both directions."""
    mol = Chem.MolFromSmiles(smiles)
    atoms = np.array([atom_to_feature_vector(atom) for atom in mol.GetAtoms()], dtype=np.int64)
    ends, features = [], []
    for bond in mol.GetBonds():
        i, j, feature = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), bond_to_feature_vector(bond)
        ends += [(i, j), (j, i)]
        features += [feature, feature]
    edge_index = np.array(ends, dtype=np.int64).reshape(-1, 2).T
    edge_attr = np.array(features, dtype=np.int64).reshape(-1, 3)
    return Data(
        x=torch.from_numpy(atoms),
        edge_index=torch.from_numpy(np.ascontiguousarray(edge_index)),
        edge_attr=torch.from_numpy(edge_attr),
    )


def fingerprints(
    mols: list[Chem.Mol], radius: int = 4, bits: int = 1024
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return Morgan bits and MACCS keys as dense rows of 0 and 1, made of one list per molecule."""
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=bits)
    morgan = [list(generator.GetFingerprint(mol)) for mol in mols]
    maccs = [list(MACCSkeys.GenMACCSKeys(mol)) for mol in mols]
    return np.array(morgan, dtype=np.float32), np.array(maccs, dtype=np.float32)
