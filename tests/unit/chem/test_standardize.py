"""Parents of salts and mixtures."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem, rdBase
from tests.unit.chem.spellings import STEREO, spellings

from cytomol.chem.featurize import FeatureOptions, featurize
from cytomol.chem.parse import parse_smiles, without_atom_maps
from cytomol.chem.standardize import kept_whole, parent


@pytest.fixture(autouse=True)
def _quiet():
    block = rdBase.BlockLogs()
    yield
    del block


@pytest.mark.parametrize(
    ("smiles", "expected"),
    [
        ("CC(=O)[O-].[Na+]", "CC(=O)O"),
        ("C[NH3+].[Cl-]", "CN"),
        ("CCO.c1ccccc1CC", "CCc1ccccc1"),
        ("C[N+](C)(C)C.[I-]", "C[N+](C)(C)C"),
        ("[Na]OC(=O)c1ccccc1", "O=C(O)c1ccccc1"),
        ("C[C@H](N)C(=O)[O-].[K+]", "C[C@H](N)C(=O)O"),
        ("CCO", "CCO"),
    ],
)
def test_the_largest_part_uncharged(smiles: str, expected: str) -> None:
    found = parent(Chem.MolFromSmiles(smiles)).mol
    assert found is not None
    assert Chem.MolToSmiles(found) == Chem.CanonSmiles(expected)


def test_a_salt_has_the_features_of_its_parent_in_every_view(tmp_path) -> None:
    rows = ["C[C@H](N)C(=O)[O-].[Na+]", "OC(=O)[C@@H](N)C"]
    options = {"counts": True, "descriptors": True, "geometry": "rdkit"}
    read = featurize(rows, FeatureOptions(**options, standardize="parent"), cache=tmp_path, workers=1)
    assert read.atom_counts.tolist() == [6, 6]
    for name in read.blocks:
        one, two = read.dense(name)
        np.testing.assert_allclose(one, two, atol=1e-6, err_msg=name)
    kept = featurize(rows, FeatureOptions(**options), cache=tmp_path, workers=1)
    assert kept.atom_counts.tolist() == [7, 6]


def test_the_parent_does_not_depend_on_the_spelling() -> None:
    found = {
        Chem.MolToSmiles(parent(parse_smiles(text).mol).mol)
        for text in map(without_atom_maps, spellings(STEREO["salt"], 30))
    }
    assert len(found) == 1


def test_what_is_kept_whole_is_said_in_one_line() -> None:
    line = kept_whole(["CCO", "CC(=O)[O-].[Na+]", "C.C name", "N"])
    assert line.startswith("2 of 4 molecules are salts or mixtures")
    assert "\n" not in line
    assert kept_whole(["CCO", "N a.name"]) == ""
    assert kept_whole([]) == ""
