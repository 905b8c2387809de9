"""The screen never rules out a substructure that is there, and rules out most that are not."""

from __future__ import annotations

from hypothesis import given, settings
from rdkit import Chem
from rdkit.Chem import QED, Fragments
from tests.unit.chem.descriptor_parts.chains import molecules

from cytomol.chem.descriptor_parts.atom_table import AtomTable
from cytomol.chem.descriptor_parts.substructure_screen import SubstructureScreen

SMILES = (
    "[Na+].[Cl-]",
    "N[Pt](N)(Cl)Cl",
    "[2H]C([2H])([2H])O",
    "*CC*",
    "OP(=O)(O)OP(O)(O)=O",
    "C[N+](C)(C)CC([O-])=O",
    "CC(=O)Oc1ccccc1C(=O)O",
    "O=[N+]([O-])c1ccc(Cl)c(Cl)c1Cl",
    "N#CCC1CC1.OC(=O)C=C",
    "CN(CC)c1ccc(O)cc1C1C=CNC=C1",
    "CCCCCC(N)C1CN1C(=O)OC",
)
PATTERNS = [f.__defaults__[1] for _, f in Fragments.fns] + list(QED.StructuralAlerts)


def test_no_match_is_lost_and_most_searches_are_spared() -> None:
    screen, spared, absent = SubstructureScreen(PATTERNS), 0, 0
    for smiles in SMILES:
        for mol in (Chem.MolFromSmiles(smiles), Chem.AddHs(Chem.MolFromSmiles(smiles))):
            for pattern, maybe in zip(PATTERNS, screen.look(mol, AtomTable.of(mol)).possible, strict=True):
                found = mol.HasSubstructMatch(pattern)
                assert maybe or not found, (smiles, Chem.MolToSmarts(pattern))
                absent += not found
                spared += not maybe
    assert spared > 0.8 * absent


SCREEN = SubstructureScreen(PATTERNS)


@given(molecules)
@settings(max_examples=100, deadline=None)
def test_nothing_that_is_there_is_ruled_out_and_counts_are_rdkits(mol: Chem.Mol) -> None:
    possible, counts = SCREEN.look(mol, AtomTable.of(mol))
    for i, pattern in enumerate(PATTERNS):
        found = len(mol.GetSubstructMatches(pattern))
        assert possible[i] or not found, Chem.MolToSmarts(pattern)
        assert counts.get(i, found) == found, Chem.MolToSmarts(pattern)


def test_a_nested_choice_is_looked_into() -> None:
    nitro = "[$(c1(-[$([NX3](=O)=O),$([NX3+](=O)[O-])])ccccc1)]"
    mixed = "[N;H1,$(N=[S,$(P(=O))])]"
    screen = SubstructureScreen([Chem.MolFromSmarts(nitro), Chem.MolFromSmarts(mixed)])
    for smiles, expected in (
        ("c1ccccc1", [False, False]),
        ("c1ccccc1[N+](=O)[O-]", [True, False]),
        ("c1ccccc1NC", [False, True]),
        ("CN(C)C", [False, False]),
        ("CN=S", [False, True]),
    ):
        mol = Chem.MolFromSmiles(smiles)
        assert screen.look(mol, AtomTable.of(mol)).possible == expected, smiles


def test_molecules_beyond_the_largest_number_of_matches_are_searched() -> None:
    screen = SubstructureScreen([Chem.MolFromSmarts("C")])
    mol = Chem.MolFromSmiles("C" * 1001)
    assert screen.look(mol, AtomTable.of(mol)).counts == {}


def test_a_ring_may_be_the_outline_of_smaller_ones() -> None:
    rings = [Chem.MolFromSmarts("*1" + "*" * (size - 2) + "*1") for size in range(3, 12)]
    screen, spared = SubstructureScreen(rings), 0
    for smiles in ("c1ccc2ccccc2c1", "C1CC2CCC1C2", "C1C2CC12", "c1ccccc1", "C1CCCCCC1", "CC", "C1CC12CC2"):
        mol = Chem.MolFromSmiles(smiles)
        possible = screen.look(mol, AtomTable.of(mol)).possible
        assert all(
            maybe or not mol.HasSubstructMatch(ring) for maybe, ring in zip(possible, rings, strict=True)
        )
        spared += possible.count(False)
    assert spared > 20
