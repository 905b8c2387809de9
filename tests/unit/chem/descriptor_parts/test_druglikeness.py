"""QED's aromatic rings are counted as QED counts them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from rdkit import Chem
from rdkit.Chem import QED
from tests.unit.chem.descriptor_parts.chains import molecules

from cytomol.chem.descriptor_parts import druglikeness
from cytomol.chem.descriptor_parts.atom_table import AtomTable

SMILES = (
    "N1C2=CC=CC=C2SC3=C1C=CC4=C3C=CC=C4",
    "OC1=C(O)C=C2C(=C1)OC3=CC(=O)C(=CC3=C2C4=CC=CC=C4)O",
    "CC(C)C1=CC2=C(C)C=CC2=C(C)C=C1",
    "C1CCc2ccccc2C1",
    "c1ccc2c(c1)ccc1ccccc12",
    "C12C3C4C1C5C2C3C45",
    "C=C1CC1",
    "O=C1C=CC(=O)C=C1",
    "C1CCC1->[Fe]",
)


def as_qed_counts(mol: Chem.Mol) -> int:
    return len(Chem.GetSSSR(Chem.DeleteSubstructs(Chem.Mol(mol), QED.AliphaticRings)))


@pytest.mark.parametrize("smiles", SMILES)
def test_aromatic_rings_of_odd_systems(smiles: str) -> None:
    mol = Chem.MolFromSmiles(smiles)
    assert druglikeness.aromatic_rings(mol, AtomTable.of(mol)) == as_qed_counts(mol)


@given(molecules)
@settings(max_examples=150, deadline=None)
def test_aromatic_rings_are_those_left_by_qed(mol: Chem.Mol) -> None:
    assert druglikeness.aromatic_rings(mol, AtomTable.of(mol)) == as_qed_counts(mol)


@pytest.mark.parametrize("why", ["_FEW_RINGS", "_ALIPHATIC_RINGS"])
def test_many_rings_and_another_pattern_are_left_to_rdkit(why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mol = Chem.MolFromSmiles("c1ccc2ccccc2c1")
    table = AtomTable.of(mol)
    druglikeness._aliphatic_rings_are_usual.cache_clear()
    monkeypatch.setattr(druglikeness, why, {"_FEW_RINGS": 1, "_ALIPHATIC_RINGS": "another"}[why])
    asked = []
    monkeypatch.setattr(druglikeness.Chem, "GetSSSR", lambda mol: asked.append(mol) or [(0,), (1,)])
    assert druglikeness.aromatic_rings(mol, table) == 2
    assert len(asked) == 1
    druglikeness._aliphatic_rings_are_usual.cache_clear()
