"""Scaffolds."""

from __future__ import annotations

import pytest
from rdkit import Chem
from rdkit.Chem.Scaffolds import MurckoScaffold

from cytomol.chem.scaffolds import murcko_scaffold
from cytomol.errors import InputError


def test_rings_and_links_remain() -> None:
    assert murcko_scaffold("CC(=O)Oc1ccccc1C(=O)O") == "c1ccccc1"
    assert murcko_scaffold(Chem.MolFromSmiles("CCc1ccc(CCN2CCOCC2)cc1")) == "c1ccc(CCN2CCOCC2)cc1"


def test_no_ring_no_scaffold() -> None:
    for smiles in ("CCO", "[Na+].[Cl-]", "*", "C"):
        assert murcko_scaffold(smiles) == ""


def test_chirality_is_kept_on_demand() -> None:
    smiles = "C[C@H]1CC[C@@]2(CCCO2)CC1"
    assert "@" not in murcko_scaffold(smiles)
    assert murcko_scaffold(smiles, chirality=True) == MurckoScaffold.MurckoScaffoldSmiles(
        smiles, includeChirality=True
    )


def test_hard_molecules(hard_smiles: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    for smiles in hard_smiles:
        assert isinstance(murcko_scaffold(smiles), str)
    assert capfd.readouterr().err == ""


def test_invalid_smiles() -> None:
    with pytest.raises(InputError, match="unclosed ring"):
        murcko_scaffold("C1CC")
    with pytest.raises(InputError, match="empty SMILES"):
        murcko_scaffold("")
