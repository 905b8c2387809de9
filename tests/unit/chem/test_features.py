"""Atom and bond features equal OGB's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem

from cytomol.chem.features import ATOM_FEATURE_SIZES, BOND_FEATURE_SIZES, atom_features, bond_features
from cytomol.chem.graphs import graph_arrays
from cytomol.chem.parse import parse_smiles


def test_sizes_are_ogbs(ogb_features) -> None:
    assert list(ATOM_FEATURE_SIZES) == ogb_features.get_atom_feature_dims()
    assert list(BOND_FEATURE_SIZES) == ogb_features.get_bond_feature_dims()


def test_hard_molecules_equal_ogb(hard_smiles: list[str], ogb_graph) -> None:
    assert len(hard_smiles) >= 50
    for smiles in hard_smiles:
        mol = parse_smiles(smiles).mol
        expected = ogb_graph(mol)
        edges, features = bond_features(mol)
        assert atom_features(mol).dtype == features.dtype == np.uint8
        assert edges.dtype == np.int32
        np.testing.assert_array_equal(atom_features(mol), expected.atoms, err_msg=smiles)
        np.testing.assert_array_equal(edges, expected.unsorted_edges, err_msg=smiles)
        np.testing.assert_array_equal(features, expected.unsorted_features, err_msg=smiles)


@pytest.mark.real_data
def test_two_thousand_real_molecules_equal_ogb(real_data: Path, ogb_graph) -> None:
    import pandas as pd

    smiles = pd.read_parquet(real_data / "corpus" / "molecules.parquet")["smiles"].sample(
        2000, random_state=7
    )
    for text in smiles:
        mol = parse_smiles(text).mol
        if mol is None:
            continue
        expected = ogb_graph(mol)
        edges, features = bond_features(mol)
        np.testing.assert_array_equal(atom_features(mol), expected.atoms, err_msg=text)
        np.testing.assert_array_equal(edges, expected.unsorted_edges, err_msg=text)
        np.testing.assert_array_equal(features, expected.unsorted_features, err_msg=text)


def test_documented_examples_of_ogb() -> None:
    mol = Chem.MolFromSmiles("Cl[C@H](/C=C/C)Br")
    assert atom_features(mol)[1].tolist() == [5, 2, 4, 5, 1, 0, 2, 0, 0]
    assert bond_features(mol)[1][2 * 2].tolist() == [1, 2, 0]


@pytest.mark.parametrize(
    ("smiles", "column", "index"),
    [
        ("*", 0, 118),
        ("[Og]", 0, 117),
        ("C[Pt@SP1](F)(Cl)Br", 1, 4),
        ("[U-7]", 3, 11),
        ("[UH9]", 4, 9),
        ("[U+6]", 3, 11),
        ("[He]", 6, 5),
    ],
)
def test_values_outside_the_lists_take_the_last_index(smiles: str, column: int, index: int) -> None:
    assert index in atom_features(Chem.MolFromSmiles(smiles))[:, column]


def test_every_stereo_kind_has_an_index() -> None:
    """OGB fails on an atropisomer; here it takes the last index of its list."""
    mol = Chem.MolFromSmiles("Cc1cccc(O)c1-c1c(C)cccc1O |wU:7.7|")
    kinds = [str(b.GetStereo()) for b in mol.GetBonds()]
    assert "STEREOATROPCCW" in kinds
    assert bond_features(mol)[1][2 * kinds.index("STEREOATROPCCW"), 1] == BOND_FEATURE_SIZES[1] - 1
    plain, compiled = (graph_arrays([mol], compiled=way) for way in (False, True))
    np.testing.assert_array_equal(plain["edge_features"], compiled["edge_features"])


def test_features_lie_within_their_sizes(hard_smiles: list[str]) -> None:
    for smiles in hard_smiles:
        mol = parse_smiles(smiles).mol
        assert (atom_features(mol) < np.array(ATOM_FEATURE_SIZES)).all()
        assert (bond_features(mol)[1] < np.array(BOND_FEATURE_SIZES)).all()


def test_no_bonds() -> None:
    edges, features = bond_features(Chem.MolFromSmiles("[He]"))
    assert edges.shape == (2, 0)
    assert features.shape == (0, 3)
