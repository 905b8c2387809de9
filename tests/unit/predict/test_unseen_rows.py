"""What a predictor saves knows nothing of test rows, and its domain nothing but the training rows."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

from cytomol.assays.labels import Labels
from cytomol.learners import learners
from cytomol.learners.forest import Forest
from cytomol.learners.stack import Ensemble
from cytomol.predict.config import FinetuneConfig
from cytomol.predict.finetune import finetune

RINGS = ["c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1", "c1ccoc1"]
TAILS = ["", "C", "CC", "CCO", "N", "OC", "Cl", "CCN"]
SMILES = np.array([f"{tail}{ring}" for ring in RINGS for tail in TAILS])
OTHERS = np.array([f"{tail}C(=O)N{ring}" for ring in RINGS for tail in TAILS])
FOLDS = np.array(["train", "train", "valid", "test", "train"] * 8)
KINDS = ("classification", "regression")
LEARNERS = ("head", "small-forest", "small-stack")
BESIDE = {"scores.json", "split.csv", "manifest.json"}  # what tells how good it is, and of what files it is


@pytest.fixture(autouse=True)
def small_learners(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(learners._entries, "small-forest", partial(Forest, trees=4))
    monkeypatch.setitem(learners._entries, "small-stack", partial(Ensemble, kinds=("boosting", "kernel")))


def measured(kind: str) -> np.ndarray:
    size = np.array([[len(text), text.count("C") + 0.5 * text.count("c")] for text in SMILES], dtype=float)
    return size if kind == "regression" else (size > np.median(size, axis=0)).astype(float)


def fitted(learner: str, smiles: np.ndarray, values: np.ndarray, kind: str, folds: int = 2) -> Any:
    """Return a predictor."""
    labels = Labels.of_kind(("a", "b"), values, kind)
    head = {"epochs": 3, "hidden": 8, "features": "1d+descriptors", "ensemble": 2}
    options = {"learner": learner, "refit": False, **(head if learner == "head" else {})}
    config = FinetuneConfig.build({**options, "calibration_folds": folds})
    return finetune(smiles.tolist(), labels, config, folds=FOLDS, workers=1).predictor


def saved(predictor: Any, folder: Path) -> dict[str, Any]:
    """Return the content of every file of a model directory, without the time that things took."""
    path = predictor.save(folder)
    files = {file.name: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    config = json.loads(files.pop("config.json"))
    details = config.get("details", {})
    for table in (details, *(value for value in details.values() if isinstance(value, dict))):
        for name in ("seconds", "feature_seconds"):
            table.pop(name, None)
    return {"config": config, **{name: data for name, data in files.items() if name not in BESIDE}}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("learner", LEARNERS)
def test_what_is_saved_does_not_depend_on_test_rows(learner: str, kind: str, tmp_path: Path) -> None:
    values, test = measured(kind), FOLDS == "test"
    other = values.copy()
    other[test] = 1 - other[test] if kind == "classification" else 40 - 2 * other[test]
    before = saved(fitted(learner, SMILES, values, kind), tmp_path / "before")
    after = saved(fitted(learner, np.where(test, OTHERS, SMILES), other, kind), tmp_path / "after")
    assert before.keys() == after.keys() > {"config", "uncertainty.json", "statistics.safetensors"}
    assert [name for name in before if before[name] != after[name]] == []


@pytest.mark.parametrize("learner", LEARNERS)
def test_similarity_is_that_to_training_molecules_alone(learner: str) -> None:
    answer = fitted(learner, SMILES, measured("regression"), "regression", folds=0).predict(
        SMILES.tolist(), workers=1, uncertainty=True
    )
    morgan = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    bits = [morgan.GetFingerprint(Chem.MolFromSmiles(text)) for text in SMILES]
    train = [bits[row] for row in np.flatnonzero(FOLDS == "train")]
    nearest = [max(DataStructs.BulkTanimotoSimilarity(own, train)) for own in bits]
    np.testing.assert_allclose(answer.uncertainty.similarity, nearest, atol=1e-6)
    assert (answer.uncertainty.similarity[FOLDS != "train"] < 1).all()
