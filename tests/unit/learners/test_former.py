"""Directories of 0.1 name learners that are gone; what was fitted by them still predicts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cytomol.assays.labels import Labels
from cytomol.learners import learners
from cytomol.learners.former import FORMER, restored_as
from cytomol.predict.finetune import finetune
from cytomol.predict.predictor import Predictor

SMILES = [f"{'C' * (i % 7 + 1)}{'N' if i % 2 else 'O'}{'C' * (i // 7)}" for i in range(28)]


def test_a_former_name_stands_for_a_learner_of_today() -> None:
    assert set(FORMER.values()) <= set(learners.names())
    assert restored_as("forest") == "forest"
    assert restored_as("nobody's") == "nobody's"  # which the registry then refuses


def test_a_learner_of_that_name_today_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(learners._entries, "mlp-one", learners["boosting"])
    assert restored_as("mlp-one") == "mlp-one"


def test_a_directory_with_a_former_name_predicts_as_it_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(learners._entries, "boosting-embedding", raising=False)
    labels = Labels.of_kind(("length",), np.array([[float(len(text))] for text in SMILES]), "regression")
    folds = np.array(["train", "train", "train", "valid"] * 7)
    options = {"threads": 1, "workers": 1, "cache": None, "calibration_folds": 0, "baselines": False}
    trained = finetune(SMILES, labels, learner="boosting", folds=folds, **options).predictor
    trained.name = "boosting-embedding"
    trained.save(tmp_path / "model")
    again = Predictor.load(tmp_path / "model")
    np.testing.assert_array_equal(again.predict(SMILES[:5]).values, trained.predict(SMILES[:5]).values)
