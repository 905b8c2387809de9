"""The table of atoms says what RDKit says, whichever way it is read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from rdkit import Chem
from tests.unit.chem.descriptor_parts.chains import molecules

from cytomol.chem.descriptor_parts import atom_table
from cytomol.chem.descriptor_parts.atom_table import AtomTable


@given(molecules)
@settings(max_examples=100, deadline=None)
def test_the_binary_form_says_what_rdkit_says(mol: Chem.Mol) -> None:
    table = AtomTable._from_form(mol)
    assert table == AtomTable._one_by_one(mol)
    assert table is not None
    assert table.degrees == [atom.GetDegree() for atom in mol.GetAtoms()]
    for atom, beside in zip(mol.GetAtoms(), table.neighbours, strict=True):
        assert sorted(other for _, other in beside) == sorted(a.GetIdx() for a in atom.GetNeighbors())


def test_this_rdkits_form_is_known_and_an_unknown_one_is_no_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    assert atom_table._form_is_known()
    mol = Chem.MolFromSmiles("CC(=O)Oc1ccccc1")
    table = AtomTable.of(mol)
    monkeypatch.setattr(atom_table, "read_form", lambda *_: False)
    assert AtomTable.of(mol) == table
    monkeypatch.setattr(atom_table, "_form_is_known", lambda: False)
    assert AtomTable.of(mol) == table


def test_ring_neighbours_are_pairs_both_ways() -> None:
    table = AtomTable.of(Chem.MolFromSmiles("CC1CC1"))
    assert table.ring_neighbours == {(1, 2), (2, 1), (2, 3), (3, 2), (3, 1), (1, 3)}


def test_same_as_tells_another_molecule() -> None:
    table = AtomTable.of(Chem.MolFromSmiles("CCO"))
    assert table.same_as(Chem.MolFromSmiles("CCO"))
    assert not table.same_as(Chem.MolFromSmiles("CCN"))
