"""One molecule has one answer, from every backbone and learner; how molecules are read is saved with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit.chem.spellings import STEREO, spellings

from cytomol.artifact.backbone import Backbone
from cytomol.assays.labels import Labels
from cytomol.methods import methods
from cytomol.predict.config import FinetuneConfig
from cytomol.predict.finetune import Listener, finetune
from cytomol.predict.predictor import Predictor

RINGS = ["c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1", "c1ccoc1", "c1ccsc1"]
TAILS = ["", "C", "CC", "CCO", "N", "OC", "Cl", "CCN", "N#C", "C[C@H](N)C(=O)[O-].[Na+].C"]
SMILES = [f"{tail}{ring}" for ring in RINGS for tail in TAILS]
FOLDS = np.array(["train", "train", "test", "train", "valid"] * 12)
LABELS = Labels.of_kind(("first",), np.array([[len(s) / 3] for s in SMILES]), "regression")
NAMES = ["alanine", "salt", "cis ring", "glucoside", "inositol"]
ALONE: dict[str, Any] = {"refit": False, "calibration_folds": 0, "baselines": False}
HEAD = {"epochs": 3, "hidden": 16, "patience": 0, "keep": "last", "threads": 1}


@pytest.mark.parametrize("method", methods.names())
def test_embeddings_are_of_the_molecule(untrained: dict[str, Path], method: str) -> None:
    backbone = Backbone.load(untrained[method])
    assert backbone.config.chirality == "canonical"
    for name in NAMES:
        rows = spellings(STEREO[name], 100)
        embedding, valid = backbone.embed(rows)
        assert valid.all()
        # sums over atoms round as their order is: the network computes in 32 bits
        np.testing.assert_allclose(embedding, np.tile(embedding[0], (100, 1)), atol=1e-6 * norm(embedding[0]))
    one, other = backbone.embed(["C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O"])[0]
    assert np.abs(one - other).max() > 1e-3 * norm(one)


def norm(row: Any) -> float:
    return max(1.0, float(np.linalg.norm(row)))


@pytest.mark.parametrize("learner", ["head", "forest", "kernel", "neighbours"])
def test_predictions_are_of_the_molecule(untrained: dict[str, Path], tmp_path: Path, learner: str) -> None:
    own = {"features": "embedding+1d+counts+descriptors", **HEAD}
    config: dict[str, Any] = own if learner == "head" else {"threads": 1}
    given: dict[str, Any] = {"folds": FOLDS, "workers": 1, "cache": None}
    given["backbone"] = untrained["chmr"] if learner == "head" else None
    config |= {"learner": learner, **ALONE}
    made = finetune(SMILES, LABELS, FinetuneConfig(**config), **given).predictor
    made.save(tmp_path / "model")
    loaded = Predictor.load(tmp_path / "model")
    for name in NAMES:
        values = loaded.predict(spellings(STEREO[name], 24), workers=1).values
        np.testing.assert_allclose(values, np.tile(values[0], (24, 1)), rtol=1e-6, atol=1e-6)


def test_a_backbone_of_before_reads_chirality_as_it_learnt_it(untrained: dict[str, Path]) -> None:
    new = Backbone.load(untrained["infoalign"])
    description = new.description()
    for name in ("chirality", "standardize", "max_atoms", "molecule_timeout"):
        del description["config"][name]
    old = Backbone.build(description, new.weights(), new.statistics(), where="old")
    assert (old.config.chirality, old.config.standardize) == ("as_written", "keep")
    assert old.feature_options.chirality == "as_written"
    rows = ["C[C@H](N)C(=O)O", "OC(=O)[C@@H](N)C", "C[C@@H](N)C(=O)O"]
    embedding = old.embed(rows)[0]
    np.testing.assert_allclose(embedding[1], embedding[2], atol=1e-5)
    assert np.abs(embedding[0] - embedding[1]).max() > 1e-3


@pytest.mark.parametrize("learner", ["head", "forest"])
def test_parents_are_decided_at_fitting_and_saved(
    untrained: dict[str, Path], tmp_path: Path, learner: str
) -> None:
    rows = ["C[C@H](N)C(=O)[O-].[Na+]", "OC(=O)[C@@H](N)C"]
    answers = {}
    for standardize in ("parent", "keep", None):
        said: list[str] = []
        given: dict[str, Any] = {"folds": FOLDS, "workers": 1, "cache": None}
        own = {"features": "1d+descriptors", **HEAD} if learner == "head" else {"threads": 1}
        config = FinetuneConfig(standardize=standardize, learner=learner, **ALONE, **own)
        made = finetune(SMILES, LABELS, config, listener=Listener(said.append), **given).predictor
        made.save(tmp_path / f"{standardize}")
        loaded = Predictor.load(tmp_path / f"{standardize}")
        answers[standardize] = loaded.predict(rows, workers=1).values[:, 0]
        salts = [line for line in said if "salts or mixtures" in line]
        assert len(salts) == (standardize != "parent")
    assert answers["parent"][0] == answers["parent"][1]
    assert answers["keep"][0] != answers["keep"][1]
    np.testing.assert_array_equal(answers["keep"], answers[None])


def test_a_predictor_takes_the_reading_of_its_backbone(untrained: dict[str, Path]) -> None:
    backbone = Backbone.load(untrained["infoalign"])
    options = {"standardize": "parent", "max_atoms": 30, "chirality": "as_written"}
    backbone.config = backbone.config.model_copy(update=options)
    given: dict[str, Any] = {"folds": FOLDS, "workers": 1, "cache": None, "backbone": backbone}
    for features in ("embedding", "1d+counts"):
        config = FinetuneConfig(features=features, **HEAD, **ALONE)
        made: Predictor = finetune(SMILES, LABELS, config, **given).predictor
        read = made.features.options
        assert (read.standardize, read.max_atoms, read.chirality) == ("parent", 30, "as_written")
    changed = FinetuneConfig(features="embedding", standardize="keep", max_atoms=40, **HEAD, **ALONE)
    read = finetune(SMILES, LABELS, changed, **given).predictor.features.options
    assert (read.standardize, read.max_atoms) == ("keep", 40)
