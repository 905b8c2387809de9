"""Descriptors are RDKit's; what is undefined or too large is NaN, never infinite."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import Crippen, Descriptors, GraphDescriptors, rdMolDescriptors

from cytomol.chem import descriptors as module
from cytomol.chem.descriptors import DESCRIPTOR_NAMES, LARGEST_FOR_IPC, descriptors
from cytomol.chem.parse import parse_smiles


def named(smiles: str) -> dict[str, float]:
    return dict(zip(DESCRIPTOR_NAMES, descriptors(parse_smiles(smiles).mol).tolist(), strict=True))


def test_values_are_rdkits() -> None:
    smiles = "CC(=O)Oc1ccccc1C(=O)O"
    mol, values = Chem.MolFromSmiles(smiles), named(smiles)
    assert math.isclose(values["MolWt"], Descriptors.MolWt(mol), rel_tol=1e-6)
    assert math.isclose(values["MolLogP"], Crippen.MolLogP(mol), rel_tol=1e-6)
    assert math.isclose(values["TPSA"], rdMolDescriptors.CalcTPSA(mol), rel_tol=1e-6)
    assert math.isclose(values["LogIpc"], math.log1p(GraphDescriptors.Ipc(mol)), rel_tol=1e-6)


def test_names_are_unique_and_ipc_is_replaced() -> None:
    assert len(set(DESCRIPTOR_NAMES)) == len(DESCRIPTOR_NAMES) > 200
    assert "Ipc" not in DESCRIPTOR_NAMES


def test_hard_molecules_are_finite_or_nan(hard_smiles: list[str]) -> None:
    for smiles in hard_smiles:
        mol = parse_smiles(smiles).mol
        if mol.GetNumAtoms() > 200:
            continue
        row = descriptors(mol)
        assert row.dtype == np.float32
        assert row.shape == (len(DESCRIPTOR_NAMES),)
        assert not np.isinf(row).any(), smiles
        assert np.isfinite(row).mean() > 0.9, smiles


def test_partial_charges_of_a_metal_are_undefined() -> None:
    assert math.isnan(named("N[Pt](N)(Cl)Cl")["MaxPartialCharge"])


def test_ipc_of_a_long_chain_does_not_overflow() -> None:
    values = named("C" * LARGEST_FOR_IPC)
    assert values["LogIpc"] > 60
    assert math.isnan(named("C" * (LARGEST_FOR_IPC + 1))["LogIpc"])


def test_a_failing_descriptor_is_nan(monkeypatch) -> None:
    def fails(mol: Chem.Mol) -> float:
        raise ValueError("no such atoms")

    monkeypatch.setattr(module, "_DESCRIPTORS", (("a", fails), ("b", lambda mol: 1e39), ("c", lambda mol: 2)))
    row = module.descriptors(Chem.MolFromSmiles("C"))
    assert np.isnan(row[:2]).all()
    assert row[2] == 2


def test_the_first_molecules_of_a_process_are_described_alone_and_alike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mol = Chem.MolFromSmiles("CC(=O)Nc1ccc(O)cc1CN(C)C")
    shared, asked = module.exact_descriptors, []
    monkeypatch.setattr(module, "_described", itertools.count())
    monkeypatch.setattr(module, "exact_descriptors", lambda mol: asked.append(mol) or shared(mol))
    descriptors(large := Chem.MolFromSmiles("C" * 61))
    assert asked == [large]
    rows = [descriptors(mol) for _ in range(4)]
    assert len(asked) == 3
    for row in rows[1:]:
        np.testing.assert_array_equal(row.view(np.int32), rows[0].view(np.int32))
    assert not mol.GetAtomWithIdx(0).HasProp("_GasteigerCharge")
