"""Descriptors with dummies: additive ones lose what RDKit says the atom contributes."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from cytomol.chem.descriptors import DESCRIPTOR_NAMES, descriptors
from cytomol.chem.occlusion.masked_descriptors import masked_descriptors
from cytomol.chem.standardize import in_canonical_order

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
SMILES = [ASPIRIN, "OC1CCOc2cc(CCc3cccnc3)c(N3CCNCC3)cc21", "C[N+](C)(C)CC([O-])=O", "c1ccc2[nH]ccc2c1"]


@pytest.mark.parametrize("canonical", [True, False])
@pytest.mark.parametrize("smiles", SMILES)
def test_polar_surface_falls_by_what_the_atom_has(smiles: str, canonical: bool) -> None:
    mol = Chem.MolFromSmiles(smiles)
    n = mol.GetNumAtoms()
    masks = np.concatenate([np.zeros((1, n), bool), np.eye(n, dtype=bool)])
    rows = masked_descriptors(mol, masks, canonical=canonical)
    polar = rows[:, DESCRIPTOR_NAMES.index("TPSA")]
    np.testing.assert_allclose(polar[0] - polar[1:], rdMolDescriptors._CalcTPSAContribs(mol), atol=1e-3)
    weight = rows[:, DESCRIPTOR_NAMES.index("MolWt")]
    masses = [atom.GetMass() + 1.008 * atom.GetTotalNumHs() for atom in mol.GetAtoms()]
    np.testing.assert_allclose(weight[0] - weight[1:], masses, atol=1e-2)
    whole = in_canonical_order(mol) if canonical else mol
    np.testing.assert_array_equal(rows[0], descriptors(whole))


def test_what_has_no_value_with_dummies_stays() -> None:
    mol = Chem.MolFromSmiles(ASPIRIN)
    n = mol.GetNumAtoms()
    rows = masked_descriptors(mol, np.eye(n, dtype=bool), canonical=True)
    charge = DESCRIPTOR_NAMES.index("MaxPartialCharge")
    assert not np.isnan(rows).any()
    np.testing.assert_array_equal(rows[:, charge], descriptors(in_canonical_order(mol))[charge])
    assert Chem.MolToSmiles(mol) == Chem.MolToSmiles(Chem.MolFromSmiles(ASPIRIN))  # it is not changed
