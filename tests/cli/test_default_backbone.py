"""The backbone that comes with cytomol, at the command line and without a network."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cytomol.artifact.backbone import Backbone

Run = Callable[..., Any]
SMILES = ["CC(=O)Oc1ccccc1C(=O)O", "C1CC", "CN1C=NC2=C1C(=O)N(C(=O)N2C)C", "CCO"]
DRUGS = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",
    "CN1CCC[C@H]1c1cccnc1",
    "CC(C)Cc1ccc(cc1)C(C)C(=O)O",
    "CN1CCN(CC1)c1ccc2c(c1)N(C)c1ccccc1S2",
    "O=C(O)c1cn(C2CC2)c2cc(N3CCNCC3)c(F)cc2c1=O",
    "CC12CCC3C(CCC4=CC(=O)CCC34C)C1CCC2O",
    "COc1cc2c(cc1OC)C(=O)C(CC1CCN(Cc3ccccc3)CC1)C2",
]
MODALITY = "morphology_jump_phenotype60"


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def refuse(asked: socket.socket, address: Any) -> None:
        assert asked.family == socket.AF_UNIX, f"the network was asked: {address}"
        connect(asked, address)

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def molecules(tmp_path: Path) -> Path:
    path = tmp_path / "molecules.csv"
    pd.DataFrame({"smiles": SMILES, "id": list("abcd")}).to_csv(path, index=False)
    return path


def test_it_embeds(cytomol: Run, molecules: Path, tmp_path: Path) -> None:
    done = cytomol("embed", "default", molecules, "-o", tmp_path / "e.npz")
    assert done.code == 0, done.err
    with np.load(tmp_path / "e.npz", allow_pickle=False) as arrays:
        expected = Backbone.load("default").embed(SMILES)[0]
        np.testing.assert_allclose(arrays["embedding"], expected, rtol=1e-4, atol=1e-4)


def test_what_it_imputes_stands_nearer_to_its_molecule_than_chance(cytomol: Run, tmp_path: Path) -> None:
    molecules = tmp_path / "drugs.csv"
    pd.DataFrame({"smiles": DRUGS, "id": list("abcdefgh")}).to_csv(molecules, index=False)
    done = cytomol("impute", "default", molecules, "--modality", MODALITY, "-o", tmp_path / "expected.csv")
    assert done.code == 0, done.err
    expected = pd.read_csv(tmp_path / "expected.csv")
    features = Backbone.load("default").modalities[MODALITY]["columns"]
    named = {feature: next(name for name in expected if feature in name) for feature in features}
    profiles = expected[list(named.values())].set_axis(features, axis=1)
    profiles.insert(0, "Metadata_id", expected["id"])
    profiles.to_csv(tmp_path / "profiles.csv", index=False)
    done = cytomol(
        *("match", "default", tmp_path / "profiles.csv", "--in", molecules, "--modality", MODALITY),
        *("--top", "8", "-o", tmp_path / "matches.csv"),
    )
    assert done.code == 0, done.err
    matches = pd.read_csv(tmp_path / "matches.csv")
    own = matches.loc[matches["query_id"] == matches["candidate_id"], "rank"]
    assert len(own) == len(DRUGS)
    assert own.mean() < 3  # 4.5 by chance


def test_a_model_is_fine_tuned_on_it_and_does_not_need_the_package_for_it(
    cytomol: Run, assays: Path, tmp_path: Path
) -> None:
    small = ("--epochs", "2", "--hidden", "8", "--split-type", "random", "--workers", "1", "--no-refit")
    done = cytomol(
        *("finetune", assays, "--backbone", "default", "--learner", "head", *small),
        *("-o", tmp_path / "model"),
    )
    assert done.code == 0, done.err
    inside = tmp_path / "model" / "backbone"
    assert (inside / "weights.safetensors").is_file()
    saved, shipped = (Backbone.load(place).embed([SMILES[0], SMILES[2]])[0] for place in (inside, "default"))
    np.testing.assert_allclose(saved, shipped, rtol=1e-4, atol=1e-4)


def test_it_is_no_predictor(cytomol: Run, molecules: Path, tmp_path: Path) -> None:
    done = cytomol("predict", "default", molecules, "-o", tmp_path / "p.csv")
    assert done.code == 2
    assert "holds a backbone, not a predictor" in done.err


@pytest.mark.parametrize("verb", ["finetune", "benchmark", "matcher", "embed", "impute", "match", "explain"])
def test_the_help_names_it(cytomol: Run, verb: str) -> None:
    words = " ".join(cytomol(verb, "--help").out.split())
    assert "default" in words
    assert "backbone that comes with cytomol" in words
