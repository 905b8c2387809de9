"""The same molecule has the same key, however it is written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from cytomol.chem.keys import canonical_smiles, connectivity_block, inchikey
from cytomol.chem.parse import parse_smiles

MOLECULE = Chem.MolFromSmiles("C[C@H](N)C(=O)Oc1ccc(Cl)cc1")


@given(st.permutations(range(MOLECULE.GetNumAtoms())))
@settings(max_examples=30, deadline=None)
def test_keys_do_not_depend_on_the_order_of_atoms(order: list[int]) -> None:
    turned = Chem.RenumberAtoms(MOLECULE, list(order))
    assert canonical_smiles(turned) == canonical_smiles(MOLECULE)
    assert inchikey(turned) == inchikey(MOLECULE)


def test_known_key_and_its_block() -> None:
    key = inchikey(parse_smiles("CC(=O)Oc1ccccc1C(=O)O").mol)
    assert key == "BSYNRYMUTXBXSQ-UHFFFAOYSA-N"
    assert connectivity_block(key) == "BSYNRYMUTXBXSQ"


def test_stereo_isomers_share_the_block_only() -> None:
    left, right = (inchikey(parse_smiles(s).mol) for s in ("C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O"))
    assert left != right
    assert connectivity_block(left) == connectivity_block(right)


def test_hard_molecules_are_quiet(hard_smiles: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    for smiles in hard_smiles:
        mol = parse_smiles(smiles).mol
        assert len(inchikey(mol)) in {0, 27}
        again = parse_smiles(canonical_smiles(mol)).mol
        assert again is not None
    assert inchikey(parse_smiles("*").mol) == ""
    assert capfd.readouterr().err == ""
