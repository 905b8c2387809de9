"""Occlusion: the loss of a value without atoms and pieces."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.chem.occlusion.attribution import occlude
from cytomol.chem.occlusion.masked_molecules import MaskedMolecules
from cytomol.chem.options import FeatureOptions

OPTIONS = FeatureOptions(morgan_bits=0, maccs=False)
SMILES = ["CC(=O)Oc1ccccc1C(=O)O", "C1CC", "CCN"]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_a_sum_over_atoms_is_given_back(seed: int) -> None:
    molecules = MaskedMolecules.read(SMILES, OPTIONS)
    rng = np.random.default_rng(seed)
    worth = [rng.normal(size=len(piece)) for piece in molecules.pieces]
    values = np.concatenate(
        [(~molecules.masks(number) * worth[number]).sum(axis=1) for number in range(len(SMILES))]
    )
    errors = [molecules.errors[number] for number in molecules.molecule]
    explained = occlude(molecules, ["linear"], values[:, None], errors)
    assert [one.error != "" for one in explained] == [False, True, False]
    assert explained[1].attributions == []
    for one, atoms in zip(explained, worth, strict=True):
        for attribution in one.attributions:
            np.testing.assert_allclose(attribution.atoms, atoms, atol=1e-9)
            np.testing.assert_allclose(attribution.pieces, np.bincount(one.piece, weights=atoms), atol=1e-9)
            assert attribution.value == pytest.approx(atoms.sum())
            assert np.isnan(attribution.baseline)
