"""Fingerprints equal RDKit's other ways to them; packing is lossless."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from rdkit import Chem
from rdkit.Chem import AllChem, MACCSkeys

from cytomol.chem.fingerprints import (
    MACCS_BITS,
    maccs,
    maccs_packed,
    morgan_bits,
    morgan_counts,
    morgan_packed,
    pack_bits,
    packed_width,
    unpack_bits,
)
from cytomol.chem.parse import parse_smiles
from cytomol.errors import ConfigError


@pytest.mark.parametrize(("radius", "bits"), [(4, 1024), (2, 1024), (3, 2048), (0, 100)])
def test_morgan_equals_the_other_way(hard_smiles: list[str], radius: int, bits: int) -> None:
    for smiles in hard_smiles:
        mol = parse_smiles(smiles).mol
        expected = np.array(list(AllChem.GetMorganFingerprintAsBitVect(mol, radius, nBits=bits)))
        np.testing.assert_array_equal(morgan_bits(mol, radius, bits), expected)
        packed = np.frombuffer(morgan_packed(mol, radius, bits), dtype=np.uint8)
        np.testing.assert_array_equal(packed, pack_bits(expected))


def test_counts_fold_what_bits_set(hard_smiles: list[str]) -> None:
    for smiles in hard_smiles:
        mol = parse_smiles(smiles).mol
        counts = morgan_counts(mol)
        assert counts.dtype == np.uint8
        np.testing.assert_array_equal(counts > 0, morgan_bits(mol) > 0)
    assert morgan_counts(Chem.MolFromSmiles("C" * 300)).max() == 255


def test_maccs_equals_the_other_way(hard_smiles: list[str]) -> None:
    for smiles in hard_smiles:
        mol = parse_smiles(smiles).mol
        expected = np.array(list(MACCSkeys.GenMACCSKeys(mol)))
        assert expected.shape == (MACCS_BITS,)
        np.testing.assert_array_equal(maccs(mol), expected)
        assert len(maccs_packed(mol)) == packed_width(MACCS_BITS) == 21


def test_fingerprints_do_not_depend_on_the_order_of_atoms() -> None:
    mol = parse_smiles("CC(=O)Oc1ccccc1C(=O)O").mol
    turned = Chem.RenumberAtoms(mol, list(reversed(range(mol.GetNumAtoms()))))
    np.testing.assert_array_equal(morgan_bits(mol), morgan_bits(turned))
    np.testing.assert_array_equal(maccs(mol), maccs(turned))


def test_impossible_options() -> None:
    mol = Chem.MolFromSmiles("C")
    for radius, bits in ((-1, 1024), (2, 0)):
        with pytest.raises(ConfigError, match="radius"):
            morgan_bits(mol, radius, bits)


@given(npst.arrays(np.uint8, st.tuples(st.integers(0, 5), st.integers(1, 40)), elements=st.integers(0, 1)))
def test_packing_is_lossless(bits: np.ndarray) -> None:
    packed = pack_bits(bits)
    assert packed.shape == (bits.shape[0], packed_width(bits.shape[1]))
    np.testing.assert_array_equal(unpack_bits(packed, bits.shape[1]), bits)


def test_bit_order() -> None:
    bits = np.zeros(16)
    bits[9] = 1
    assert pack_bits(bits).tolist() == [0, 2]
