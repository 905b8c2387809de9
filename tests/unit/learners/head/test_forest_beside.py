"""The forest beside a head: scikit-learn's by itself, added to the head's logits, saved with them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from cytomol.assays.labels import Labels
from cytomol.errors import ConfigError
from cytomol.learners.head.forest_beside import forest_probability, grow_forest
from cytomol.predict.config import FinetuneConfig
from cytomol.predict.finetune import FinetuneResult, finetune
from cytomol.predict.predictor import Predictor

RINGS = ["c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1"]
SMILES = [f"{tail}{ring}" for ring in RINGS for tail in ("", "C", "CC", "CCO", "N", "OC", "Cl", "CCN")]
FOLDS = np.array(["train", "train", "valid", "test"] * 8)
VALUES = np.array([[float("N" in s or "n" in s), float(len(s) > 9)] for s in SMILES])
VALUES[::5, 0] = np.nan
PLAIN = {"learner": "head", "refit": False, "calibration_folds": 0}
FOREST = {"forest_gamma": 0.05, "forest_trees": 20, "forest_seed": 3, "forest_class_weight": 2.5}


def run(backbone: Path | None = None, values: np.ndarray = VALUES, **options: Any) -> FinetuneResult:
    labels = Labels.of_kind(("nitrogen", "long"), values, "classification")
    config = FinetuneConfig.build({"epochs": 3, "hidden": 8, "lr": 0.05, **PLAIN, **FOREST, **options})
    return finetune(SMILES, labels, config, backbone=backbone, folds=FOLDS, workers=1)


def scikit_learns(bits: np.ndarray, values: np.ndarray = VALUES) -> np.ndarray:
    columns = []
    for y in values.T:
        rows = (FOLDS == "train") & ~np.isnan(y)
        forest = RandomForestClassifier(
            20, criterion="entropy", min_samples_leaf=2, class_weight={0: 1, 1: 2.5}, random_state=3
        )
        columns.append(forest.fit(bits[rows], y[rows].astype(int)).predict_proba(bits)[:, 1])
    return np.stack(columns, axis=1)


def bits_of(predictor: Predictor) -> np.ndarray:
    return predictor.features.raw(predictor.features.store(SMILES, workers=1))["1d"]


def logits_of(predictor: Predictor) -> np.ndarray:
    p = predictor.predict(SMILES).values
    return np.log(p / (1 - p))


def without_forest(predictor: Predictor) -> Predictor:
    """Return the heads alone."""
    alone = copy.copy(predictor)
    alone.learner = copy.copy(predictor.learner)
    head = copy.copy(predictor.learner.first)
    head.forest = None
    alone.learner.parts = {"classification": head}
    return alone


def test_the_forest_is_scikit_learns() -> None:
    bits = np.random.default_rng(0).integers(0, 2, (len(SMILES), 40)).astype(np.float32)
    forest = grow_forest(bits, VALUES, FOLDS == "train", FinetuneConfig.build(FOREST))
    np.testing.assert_allclose(forest_probability(forest, bits), scikit_learns(bits), atol=1e-6)


@pytest.mark.parametrize("method", ["chmr", None])
@pytest.mark.parametrize("ensemble", [1, 2])
def test_logits_are_gamma_times_the_head_plus_the_forest(
    untrained: dict[str, Path], tmp_path: Path, method: str | None, ensemble: int
) -> None:
    predictor = run(untrained[method] if method else None, bits_radius=1, ensemble=ensemble).predictor
    # the heads alone, as a predictor without a forest answers
    alone = without_forest(predictor)
    expected = 0.05 * logits_of(alone) + scikit_learns(bits_of(predictor))
    np.testing.assert_allclose(logits_of(predictor), expected, atol=1e-5)
    loaded = Predictor.load(predictor.save(tmp_path / "m"))
    np.testing.assert_array_equal(loaded.predict(SMILES).values, predictor.predict(SMILES).values)


def test_nothing_saved_is_pickled(tmp_path: Path) -> None:
    path = run().predictor.save(tmp_path / "m")
    assert {file.suffix for file in path.rglob("*") if file.is_file()} <= {
        ".safetensors",
        ".json",
        ".csv",
        ".md",
    }


@pytest.mark.parametrize("name", FOREST)
def test_every_option_counts(name: str) -> None:
    other = {"forest_gamma": 0.5, "forest_trees": 7, "forest_seed": 4, "forest_class_weight": 1.0}
    first, second = (run(**options).predictor.predict(SMILES).values for options in ({}, {name: other[name]}))
    assert not np.allclose(first, second)


def test_gamma_zero_is_the_plain_head() -> None:
    plain = run(forest_gamma=0.0).predictor
    assert plain.learner.first.forest is None
    labels = Labels.of_kind(("nitrogen", "long"), VALUES, "classification")
    config = FinetuneConfig.build({"epochs": 3, "hidden": 8, "lr": 0.05, **PLAIN})
    expected = finetune(SMILES, labels, config, folds=FOLDS, workers=1).predictor.predict(SMILES).values
    np.testing.assert_array_equal(plain.predict(SMILES).values, expected)


def test_a_task_of_one_class_in_training_has_the_head_alone() -> None:
    values = VALUES.copy()
    values[FOLDS == "train", 1] = 0.0
    predictor = run(values=values).predictor
    alone = logits_of(without_forest(predictor))
    np.testing.assert_allclose(logits_of(predictor)[:, 1], 0.05 * alone[:, 1], atol=1e-6)
    assert not np.allclose(logits_of(predictor)[:, 0], 0.05 * alone[:, 0], atol=1e-3)


def test_test_rows_do_not_touch_the_forest() -> None:
    scrambled = VALUES.copy()
    scrambled[FOLDS == "test"] = 1 - scrambled[FOLDS == "test"]
    first, second = (run(values=v).predictor.predict(SMILES).values for v in (VALUES, scrambled))
    np.testing.assert_array_equal(first, second)


def test_what_a_forest_cannot_do_is_refused(untrained: dict[str, Path]) -> None:
    labels = Labels.of_kind(("length",), np.array([[float(len(s))] for s in SMILES]), "regression")
    with pytest.raises(ConfigError, match="for classes, and there are tasks that are values"):
        finetune(SMILES, labels, FinetuneConfig.build(FOREST), folds=FOLDS, workers=1)
    with pytest.raises(ConfigError, match="needs 1d among the features"):
        run(untrained["infoalign"])  # whose head reads the embedding alone
