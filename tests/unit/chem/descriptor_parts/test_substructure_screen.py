"""The screen never rules out a substructure that is there, and rules out most that are not."""

from __future__ import annotations

from rdkit import Chem
from rdkit.Chem import QED, Fragments

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
            for pattern, maybe in zip(PATTERNS, screen.possible(mol, AtomTable.of(mol)), strict=True):
                found = mol.HasSubstructMatch(pattern)
                assert maybe or not found, (smiles, Chem.MolToSmarts(pattern))
                absent += not found
                spared += not maybe
    assert spared > 0.8 * absent
