"""The spacial score is RDKit's, and the search for centres is left out only where it finds none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from rdkit import Chem
from rdkit.Chem import SpacialScore
from tests.unit.chem.descriptor_parts.chains import molecules

from cytomol.chem.descriptor_parts.atom_table import AtomTable
from cytomol.chem.descriptor_parts.spacial_score import may_have_centres, spacial_score


def centres(mol: Chem.Mol) -> list[tuple[int, str]]:
    return Chem.FindMolChiralCenters(
        Chem.Mol(mol), includeUnassigned=True, includeCIP=False, useLegacyImplementation=False
    )


@given(molecules)
@settings(max_examples=200, deadline=None)
def test_score_is_rdkits_and_no_centre_is_lost(mol: Chem.Mol) -> None:
    table = AtomTable.of(mol)
    assert spacial_score(mol, table) == SpacialScore.SPS(mol)
    assert may_have_centres(table) or not centres(mol)


@pytest.mark.parametrize(
    ("smiles", "may"),
    [
        ("CC(C)(C)c1ccc(S(=O)(=O)C(F)(F)F)cc1", False),
        ("CN1CCN(C)CC1", False),
        ("CC(F)O", True),
        ("C1CN1C", True),
        ("C1CC2CCN1CC2", True),
        ("CS(=O)CC", True),
        ("CC(=O)N(C)C", False),
        ("CC([13CH3])(F)Cl", True),
        ("[H]C([H])(F)Cl", False),
        ("CP(C)CC", True),
    ],
)
def test_where_a_centre_may_be(smiles: str, may: bool) -> None:
    assert may_have_centres(AtomTable.of(Chem.MolFromSmiles(smiles))) is may


@pytest.mark.parametrize("smiles", ["F/C=C/F", "FC=CF", "C1CCCCCCC=CC1", "CC=NO", "F\\C=N\\O"])
def test_double_bonds_count(smiles: str) -> None:
    mol = Chem.MolFromSmiles(smiles)
    assert spacial_score(mol, AtomTable.of(mol)) == SpacialScore.SPS(mol)
