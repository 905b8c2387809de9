"""Descriptors from shared intermediate results have RDKit's bits, whatever the molecule."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import Descriptors

from cytomol.chem.descriptor_parts.shared_values import shared_values
from cytomol.chem.descriptors import DESCRIPTOR_NAMES, exact_descriptors, one_by_one

SMILES = (
    "",
    "C",
    "[Fe]",
    "[H][H]",
    "[Na+].[Cl-]",
    "N[Pt](N)(Cl)Cl",
    "CO->[Cu]",
    "[2H]C([2H])([2H])O",
    "[13CH3][15NH2]",
    "C[CH2]",
    "*CC*",
    "FS(F)(F)(F)(F)F",
    "C1CCCCCCCCCCCCCC1",
    "C12C3C4C1C5C2C3C45",
    "C1C2C1C2",
    "CC(C)=C=C",
    "C[Si](C)(C)C",
    "OP(=O)(O)OP(O)(O)=O",
    "[O-][n+]1ccccc1",
    "C[N+](C)(C)CC([O-])=O",
    "F/C=C/Cl",
    "C[C@H](N)C(=O)N[C@@H](C)C(O)=O",
    "CC(=O)Oc1ccccc1C(=O)O",
    "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",
    "O=[N+]([O-])c1ccc(Cl)c(Cl)c1Cl",
    "N#CCC1CC1.OC(=O)C=C",
    "C" * 70,
    "C" * 160,
    "c1ccc2c(c1)ccc1ccccc12",
    "[CH3-].[Li+]",
)


def bits(row: np.ndarray) -> np.ndarray:
    """Return the bits, every NaN alike."""
    return np.where(np.isnan(row), np.nan, row).view(np.int64)


_LONGEST = 60  # letters of what gets hydrogens as atoms: RDKit's Ipc takes minutes beyond


@pytest.mark.parametrize(
    ("smiles", "hydrogens"),
    [(smiles, add) for smiles in SMILES for add in (False, True) if not add or len(smiles) <= _LONGEST],
)
def test_every_bit_is_rdkits(smiles: str, hydrogens: bool) -> None:
    mol = Chem.MolFromSmiles(smiles)
    mol = Chem.AddHs(mol) if hydrogens else mol
    expected, found = one_by_one(Chem.Mol(mol)), exact_descriptors(Chem.Mol(mol))
    differs = np.array(DESCRIPTOR_NAMES)[bits(expected) != bits(found)]
    assert not differs.size, differs


def test_a_fresh_copy_for_every_function_gives_the_same() -> None:
    mol = Chem.MolFromSmiles("CC(=O)Nc1ccc(O)cc1CN(C)C")
    found = dict(zip(DESCRIPTOR_NAMES, exact_descriptors(Chem.Mol(mol)).tolist(), strict=True))
    for name, function in Descriptors.descList:
        if name in found:
            assert float(function(Chem.Mol(mol))) == found[name], name


def test_most_descriptors_are_shared() -> None:
    values = shared_values(Chem.MolFromSmiles("CC(=O)Nc1ccc(O)cc1"), largest_for_ipc=150)
    assert len(values) > 160
    assert {"qed", "SPS", "BCUT2D_MWHI", "Chi4v", "BertzCT", "fr_benzene", "SlogP_VSA1"} <= set(values)
    assert set(values) - {"Ipc"} <= set(DESCRIPTOR_NAMES)


def test_the_molecule_is_left_as_it_was() -> None:
    mol = Chem.MolFromSmiles("CC(=O)O")
    shared_values(mol, largest_for_ipc=150)
    assert not mol.GetAtomWithIdx(0).HasProp("_GasteigerCharge")
