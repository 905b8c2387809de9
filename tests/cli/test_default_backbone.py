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


def test_what_it_imputes_finds_its_molecule_again(cytomol: Run, molecules: Path, tmp_path: Path) -> None:
    done = cytomol("impute", "default", molecules, "--modality", MODALITY, "-o", tmp_path / "expected.csv")
    assert done.code == 0, done.err
    expected = pd.read_csv(tmp_path / "expected.csv")
    features = Backbone.load("default").modalities[MODALITY]["columns"]
    named = {feature: next(name for name in expected if feature in name) for feature in features}
    profiles = expected[list(named.values())].set_axis(features, axis=1).iloc[[0, 2]]
    profiles.insert(0, "Metadata_id", ["a", "c"])
    profiles.to_csv(tmp_path / "profiles.csv", index=False)
    done = cytomol(
        *("match", "default", tmp_path / "profiles.csv", "--in", molecules, "--modality", MODALITY),
        *("--top", "1", "-o", tmp_path / "matches.csv"),
    )
    assert done.code == 0, done.err
    assert pd.read_csv(tmp_path / "matches.csv")["candidate_row"].tolist() == [1, 3]


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
