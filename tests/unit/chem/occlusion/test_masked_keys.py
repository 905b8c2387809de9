"""MACCS keys without atoms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from cytomol.chem.fingerprints import MACCS_BITS, maccs
from cytomol.chem.occlusion.masked_keys import key_matches

SMILES = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "c1ccc(cc1)-c1ccncc1",
    "[Na+].OC(=O)c1ccccc1",
    "[2H]C#N",
    "C[Si](C)(C)S(=O)(=O)N1CCNCC1",
    "OC1CCOc2cc(CCc3cccnc3)c(N3CCNCC3)cc21",
]


def bits(smiles: str, hidden: set[int]) -> np.ndarray:
    mol = Chem.MolFromSmiles(smiles)
    mask = np.array([[atom in hidden for atom in range(mol.GetNumAtoms())]])
    return key_matches(mol).bits(mask)[0]


@pytest.mark.parametrize("smiles", SMILES)
def test_nothing_masked_is_the_fingerprint(smiles: str) -> None:
    np.testing.assert_array_equal(bits(smiles, set()), maccs(Chem.MolFromSmiles(smiles)))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SMILES), st.data())
def test_masking_more_leaves_less(smiles: str, data: st.DataObject) -> None:
    atoms = list(range(Chem.MolFromSmiles(smiles).GetNumAtoms()))
    some = data.draw(st.sets(st.sampled_from(atoms)))
    more = some | data.draw(st.sets(st.sampled_from(atoms)))
    assert (bits(smiles, more) <= bits(smiles, some)).all()
    assert not bits(smiles, set(atoms)).any()


def test_keys_are_lost_with_their_atoms() -> None:
    biphenyl = "c1ccc(cc1)-c1ccncc1"
    assert bits(biphenyl, set())[125]  # two aromatic rings
    assert not bits(biphenyl, {0})[125]
    assert bits(biphenyl, set())[121]  # a nitrogen in a ring
    nitrogen = Chem.MolFromSmiles(biphenyl).GetSubstructMatch(Chem.MolFromSmarts("n"))[0]
    assert not bits(biphenyl, {nitrogen})[121]
    salt = "[Na+].OC(=O)c1ccccc1"
    assert bits(salt, {2})[166]  # two parts are left while an atom of each is
    assert not bits(salt, {0})[166]
    # key 154 is C=O, and the molecule has two of them
    assert bits("CC(=O)Oc1ccccc1C(=O)O", {2})[154]
    assert not bits("CC(=O)Oc1ccccc1C(=O)O", {2, 11})[154]


def test_a_key_is_shared_among_the_atoms_of_its_matches() -> None:
    mol = Chem.MolFromSmiles("CC(=O)O")
    shares = key_matches(mol).shares(4)
    assert shares.shape == (MACCS_BITS, 4)
    np.testing.assert_allclose(shares[154], [0, 0.5, 0.5, 0])
    np.testing.assert_allclose(shares[np.flatnonzero(maccs(mol))].sum(axis=1), 1)
