"""Ring systems, linkers and substituents."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem

from cytomol.chem.occlusion.pieces import piece_smiles, pieces_of


@pytest.mark.parametrize(
    ("smiles", "pieces"),
    [
        ("CC(=O)Oc1ccccc1C(=O)O", ["CC(=O)O", "c1ccccc1", "O=CO"]),
        ("CCCCO", ["CCCCO"]),
        ("Fc1ccc2[nH]ccc2c1", ["F", "c1ccc2[nH]ccc2c1"]),
        ("O=C1CCCN1", ["O=C1CCCN1"]),  # a double bond at a ring is not cut
        ("c1ccccc1-c1ccccc1", ["c1ccccc1", "c1ccccc1"]),
        ("c1ccccc1CNC(=O)C1CC1", ["c1ccccc1", "CNC=O", "C1CC1"]),
        ("[Na+].[Cl-]", ["[Na+]", "[Cl-]"]),
    ],
)
def test_pieces(smiles: str, pieces: list[str]) -> None:
    mol = Chem.MolFromSmiles(smiles)
    piece = pieces_of(mol)
    found = [piece_smiles(mol, np.flatnonzero(piece == number)) for number in range(piece.max() + 1)]
    assert sorted(found) == sorted(pieces)
    # numbered in the order of the atoms
    assert np.unique(piece, return_index=True)[1].tolist() == sorted(np.unique(piece, return_index=True)[1])


def test_pieces_do_not_depend_on_the_spelling() -> None:
    mol = Chem.MolFromSmiles("OC1CCOc2cc(CCc3cccnc3)c(N3CCNCC3)cc21")
    order = np.random.default_rng(0).permutation(mol.GetNumAtoms()).tolist()
    groups = [
        set(map(tuple, _groups(one, names)))
        for one, names in (
            (mol, list(range(mol.GetNumAtoms()))),
            (Chem.RenumberAtoms(mol, order), order),
        )
    ]
    assert groups[0] == groups[1]


def _groups(mol: Chem.Mol, names: list[int]) -> list[list[int]]:
    piece = pieces_of(mol)
    return [sorted(names[atom] for atom in np.flatnonzero(piece == number)) for number in np.unique(piece)]
