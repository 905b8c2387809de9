"""Morgan environments without atoms, against RDKit's own way of finding the atoms of an environment."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator

from cytomol.chem.fingerprints import morgan_counts
from cytomol.chem.occlusion.masked_bits import environments

SMILES = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "C",
    "[Na+].[Cl-]",
    "C[C@H](F)/C=C/[C@@H](O)C#N",
    "C1CC2CCC1CC2",
    "c1ccc2[nH]ccc2c1.CCO",
    "C" * 30,
]


def counts_by_rdkit(mol: Chem.Mol, hidden: set[int], radius: int, bits: int) -> np.ndarray:
    """Count the environments without the hidden atoms, each found by RDKit bond by bond."""
    output = rdFingerprintGenerator.AdditionalOutput()
    output.AllocateBitInfoMap()
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=bits)
    generator.GetCountFingerprint(mol, additionalOutput=output)
    counts = np.zeros(bits, int)
    for bit, places in output.GetBitInfoMap().items():
        for centre, reach in places:
            atoms = {centre}
            for bond in Chem.FindAtomEnvironmentOfRadiusN(mol, reach, centre) if reach else ():
                ends = mol.GetBondWithIdx(bond)
                atoms |= {ends.GetBeginAtomIdx(), ends.GetEndAtomIdx()}
            counts[bit] += not atoms & hidden
    return counts


@pytest.mark.parametrize("smiles", SMILES)
@pytest.mark.parametrize("radius", [0, 2, 4])
def test_nothing_masked_is_the_fingerprint(smiles: str, radius: int) -> None:
    mol = Chem.MolFromSmiles(smiles)
    found = environments(mol, radius, 256).counts(np.zeros((1, mol.GetNumAtoms()), bool))
    np.testing.assert_array_equal(found[0], morgan_counts(mol, radius, 256))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SMILES), st.integers(0, 4), st.data())
def test_masked_counts_are_those_of_the_environments_left(
    smiles: str, radius: int, data: st.DataObject
) -> None:
    mol = Chem.MolFromSmiles(smiles)
    atoms = range(mol.GetNumAtoms())
    hidden = data.draw(st.sets(st.sampled_from(list(atoms))))
    mask = np.array([[atom in hidden for atom in atoms]])
    found = environments(mol, radius, 128).counts(mask)[0]
    np.testing.assert_array_equal(found, counts_by_rdkit(mol, hidden, radius, 128))
    if len(hidden) == len(atoms):
        assert not found.any()


def test_counts_end_at_255() -> None:
    mol = Chem.MolFromSmiles("C" * 300)
    assert environments(mol, 0, 64).counts(np.zeros((1, 300), bool)).max() == 255


def test_a_bit_is_shared_among_its_atoms() -> None:
    mol = Chem.MolFromSmiles("CCO")
    found = environments(mol, 1, 512)
    shares = found.shares()
    set_bits = np.unique(found.bit)
    np.testing.assert_allclose(shares[set_bits].sum(axis=1), 1)
    assert shares.sum() == pytest.approx(len(set_bits))
    oxygen = next(
        bit for bit, holds in zip(found.bit, found.holds, strict=True) if holds.tolist() == [0, 0, 1]
    )
    np.testing.assert_allclose(shares[oxygen], [0, 0, 1])
