"""What a predictor saves knows nothing of test rows, and its domain nothing but the training rows."""

from __future__ import annotations

import json
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator
from safetensors.numpy import load_file

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


def fitted(
    learner: str, smiles: np.ndarray, values: np.ndarray, kind: str, *, folds: int = 2, **more: Any
) -> Any:
    """Return a predictor."""
    labels = Labels.of_kind(("a", "b"), values, kind)
    head = {"epochs": 3, "hidden": 8, "features": "1d+descriptors", "ensemble": 2, **more}
    options = {"learner": learner, "refit": False, "baselines": False, **(head if learner == "head" else {})}
    config = FinetuneConfig.build({**options, "calibration_folds": folds})
    return finetune(smiles.tolist(), labels, config, folds=FOLDS, workers=1).predictor


def saved(predictor: Any, folder: Path) -> dict[str, Any]:
    """Return the content of the files that make a model."""
    path = predictor.save(folder)
    found: dict[str, Any] = {}
    for file in path.rglob("*"):
        if file.suffix == ".safetensors":
            found |= {f"{file.name} {name}": array for name, array in load_file(file).items()}
        elif file.suffix == ".json" and file.name not in BESIDE:
            found |= {f"{file.name} {name}": part for name, part in json.loads(file.read_text()).items()}
    return found


def alike(one: Any, other: Any) -> bool:
    """Compare what was saved; the last bit of a product may differ, and Adam makes more of it."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, np.ndarray) and one.dtype == np.uint8:
        return np.array_equal(one, other)
    if isinstance(one, float | np.ndarray):
        return np.shape(one) == np.shape(other) and np.allclose(one, other, 1e-2, 5e-3, equal_nan=True)
    return bool(one == other)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("learner", LEARNERS)
def test_what_is_saved_does_not_depend_on_test_rows(learner: str, kind: str, tmp_path: Path) -> None:
    values, test = measured(kind), FOLDS == "test"
    other = values.copy()
    other[test] = 1 - other[test] if kind == "classification" else 40 - 2 * other[test]
    before = saved(fitted(learner, SMILES, values, kind), tmp_path / "before")
    after = saved(fitted(learner, np.where(test, OTHERS, SMILES), other, kind), tmp_path / "after")
    assert before.keys() == after.keys()
    assert any("uncertainty" in name for name in before)
    assert [name for name in before if not alike(before[name], after[name])] == []


@pytest.mark.parametrize(
    ("learner", "kind"),
    [*product(("head", "small-forest"), KINDS), ("head beside a forest", "classification")],
)
def test_where_validation_chooses_nothing_its_rows_do_not_matter(learner: str, kind: str) -> None:
    """Neither for the weights nor for the scale of features and labels."""
    values, valid = measured(kind), FOLDS == "valid"
    other = values.copy()
    other[valid] = 1 - other[valid] if kind == "classification" else 40 - 2 * other[valid]
    options: dict[str, Any] = {"keep": "last", "patience": 0}
    if learner == "head beside a forest":
        learner, options = "head", {**options, "forest_gamma": 0.5, "forest_trees": 5}
    before = fitted(learner, SMILES, values, kind, folds=0, **options)
    after = fitted(learner, np.where(valid, OTHERS, SMILES), other, kind, folds=0, **options)
    asked = [*SMILES, *OTHERS]
    found, wanted = (model.predict(asked, workers=1).values for model in (after, before))
    np.testing.assert_allclose(found, wanted, rtol=3e-3)


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
