"""The probe against scikit-learn called by hand; test labels are never looked at."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from cytomol.assays.labels import Labels, Task
from cytomol.errors import ConfigError
from cytomol.evaluate.missing.stress_probe import STRENGTHS, probe
from cytomol.evaluate.sets import BenchmarkSet


def _set(kind: Literal["classification", "regression"]) -> tuple[BenchmarkSet, np.ndarray]:
    rng = np.random.default_rng(0)
    features = rng.normal(3, 2, size=(120, 6)).astype(np.float32)
    values = features[:, :2] @ np.array([1.0, -1.0]) + rng.normal(size=120)
    matrix = np.stack([values, rng.normal(size=120)], axis=1)
    if kind == "classification":
        matrix = (matrix > 0).astype(np.float64)
    matrix[5, 0] = np.nan
    folds = np.repeat(["train", "valid", "test"], [70, 20, 30]).astype("<U5")
    labels = Labels.of_kind(["told", "noise"], matrix, kind)
    return BenchmarkSet("set", ["C"] * 120, labels, folds, labels.metric), features


def test_classes_are_those_of_scikit_learn() -> None:
    data, features = _set("classification")
    answers = probe(data, features)
    train, valid = data.folds == "train", data.folds == "valid"
    scaled = StandardScaler().fit(features[train]).transform(features)
    by_strength = {}
    for strength in STRENGTHS:
        columns = []
        for task in range(2):
            rows = train & ~np.isnan(data.labels.matrix[:, task])
            model = LogisticRegression(C=strength, max_iter=200).fit(
                scaled[rows], data.labels.matrix[rows, task]
            )
            columns.append(model.predict_proba(scaled)[:, 1])
        by_strength[strength] = np.stack(columns, axis=1)
    best = max(
        STRENGTHS,
        key=lambda s: np.mean(
            [roc_auc_score(data.labels.matrix[valid, t], by_strength[s][valid, t]) for t in range(2)]
        ),
    )
    np.testing.assert_allclose(answers, by_strength[best], atol=1e-4)


def test_values_are_learnt_and_test_labels_change_nothing() -> None:
    data, features = _set("regression")
    answers = probe(data, features)
    test = data.folds == "test"
    assert np.corrcoef(answers[test, 0], data.labels.matrix[test, 0])[0, 1] > 0.8
    other = data.labels.matrix.copy()
    other[test] = 1e6
    changed = replace(data, labels=replace(data.labels, matrix=other))
    np.testing.assert_array_equal(probe(changed, features), answers)


def test_molecules_that_cannot_be_read_and_tasks_without_labels() -> None:
    data, features = _set("classification")
    features[[3, 100]] = np.nan
    matrix = data.labels.matrix.copy()
    matrix[:90, 1] = np.nan
    matrix[:70, 0] = 1.0
    answers = probe(replace(data, labels=replace(data.labels, matrix=matrix)), features)
    assert np.isnan(answers[[3, 100]]).all()
    assert np.isnan(answers[:, 1]).all()
    assert set(answers[[0, 90], 0].tolist()) == {1.0}  # one class was seen


def test_what_cannot_be_learnt() -> None:
    data, features = _set("classification")
    several = replace(data.labels, tasks=(Task("a", "multiclass", ("x", "y", "z")), data.labels.tasks[1]))
    with pytest.raises(ConfigError, match="several classes"):
        probe(replace(data, labels=several), features)
    features[:] = np.nan
    with pytest.raises(ConfigError, match="no molecule of the training fold"):
        probe(data, features)
