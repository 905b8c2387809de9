"""Tags by priority say what R and S say, compiled and plain alike."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem
from tests.unit.chem.spellings import STEREO

from cytomol.chem import parity
from cytomol.chem.graphs import graph_arrays

MARKS = {"R": 1, "S": 2}


@pytest.mark.parametrize("name", ["alanine", "glucoside", "artemisinin", "isotopes", "salt", "pyridine"])
def test_r_is_clockwise_and_s_counterclockwise(name: str) -> None:
    mol = Chem.MolFromSmiles(STEREO[name])
    tags = graph_arrays([mol], chirality="canonical")["atoms"][:, 1]
    codes = [MARKS.get(a.GetPropsAsDict(True, True).get("_CIPCode", ""), 0) for a in mol.GetAtoms()]
    assert tags.tolist() == codes
    assert any(codes)


def test_compiled_and_plain_agree() -> None:
    mols = [Chem.MolFromSmiles(smiles) for smiles in STEREO.values()]
    plain, compiled = (graph_arrays(mols, compiled=way, chirality="canonical") for way in (False, True))
    for name, array in plain.items():
        np.testing.assert_array_equal(array, compiled[name], err_msg=name)


@pytest.mark.parametrize("name", ["cis ring", "trans ring", "inositol", "meso"])
def test_neighbours_alike_are_left_undecided_and_untouched(name: str) -> None:
    arrays = graph_arrays([Chem.MolFromSmiles(STEREO[name])])
    atoms = arrays["atoms"].copy()
    assert parity.has_centre(atoms)
    decided = parity.retag(atoms, arrays["edges"], arrays["edge_features"])
    assert decided == (name == "meso")
    if not decided:
        np.testing.assert_array_equal(atoms, arrays["atoms"])


def test_without_stereo_nothing_is_asked() -> None:
    atoms = graph_arrays([Chem.MolFromSmiles("CC(O)C=CC")])["atoms"]
    assert not parity.has_centre(atoms)


def test_a_molecule_beyond_the_ranks_takes_the_canonical_smiles() -> None:
    mols = [Chem.MolFromSmiles(text) for text in ("C[C@H](O)" + "C" * 1100, "C" * 1100 + "[C@@H](O)C")]
    first, second = (graph_arrays([mol], chirality="canonical")["atoms"][:, 1].max() for mol in mols)
    assert first == second
