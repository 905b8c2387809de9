"""Rotatable bonds read from the table are those of RDKit's pattern."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors
from tests.unit.chem.descriptor_parts.chains import molecules

from cytomol.chem.descriptor_parts import rotatable_bonds as module
from cytomol.chem.descriptor_parts.atom_table import AtomTable

STRICT = rdMolDescriptors.NumRotatableBondsOptions.Strict
ENDS = "!$(*#*)&!D1&!$(C(F)(F)F)&!$(C(Cl)(Cl)Cl)&!$(C(Br)(Br)Br)&!$(C([CH3])([CH3])[CH3])"
STIFF = (
    "!$([CD3](=[N,O,S])-!@[#7,O,S!D1])&!$([#7,O,S!D1]-!@[CD3]=[N,O,S])&"
    "!$([CD3](=[N+])-!@[#7!D1])&!$([#7!D1]-!@[CD3]=[N+])"
)
PATTERNS = {
    methyl: Chem.MolFromSmarts(f"[{ENDS}{more}&{STIFF}]-,:;!@[{ENDS}{more}]")
    for methyl, more in ((False, ""), (True, "&!$([CH3])"))
}


@given(molecules)
@settings(max_examples=150, deadline=None)
def test_count_is_that_of_the_published_patterns(mol: Chem.Mol) -> None:
    table = AtomTable.of(mol)
    assert module.strict_rotatable_bonds(mol, table) == rdMolDescriptors.CalcNumRotatableBonds(mol, STRICT)
    if 1 not in table.numbers:
        for methyl, pattern in PATTERNS.items():
            found = len(mol.GetSubstructMatches(pattern))
            assert module.rotatable_bonds(table, methyl_is_an_end=methyl) == found


def test_a_bridging_methyl_depends_on_the_version() -> None:
    mol = Chem.MolFromSmiles("CC[Fe]~[CH3]~[Fe]CC")
    table = AtomTable.of(mol)
    for methyl, pattern in PATTERNS.items():
        found = len(mol.GetSubstructMatches(pattern))
        assert module.rotatable_bonds(table, methyl_is_an_end=methyl) == found
    assert module.strict_rotatable_bonds(mol, table) == rdMolDescriptors.CalcNumRotatableBonds(mol, STRICT)


def test_an_unknown_definition_is_left_to_rdkit(monkeypatch: pytest.MonkeyPatch) -> None:
    mol = Chem.MolFromSmiles("CCCC(=O)NCC")
    table = AtomTable.of(mol)
    monkeypatch.setattr(module, "_VERSION", "99")
    monkeypatch.setattr(module, "rotatable_bonds", None)
    assert module.strict_rotatable_bonds(mol, table) == rdMolDescriptors.CalcNumRotatableBonds(mol, STRICT)
