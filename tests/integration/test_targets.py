"""Targets as people have them: of any size, of several kinds, and known only as a bound."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from cytomol.assays.labels import Labels, Task
from cytomol.learners import learners
from cytomol.learners.boosting import Boosting
from cytomol.learners.forest import Forest
from cytomol.learners.kernel import Kernel
from cytomol.learners.perceptron import Perceptron
from cytomol.learners.stack import Ensemble
from cytomol.predict.finetune import FinetuneResult, finetune
from cytomol.predict.predictor import Predictor

RINGS = ["c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1", "c1ccoc1"]
TAILS = ["", "C", "CC", "CCO", "N", "OC", "Cl", "CCN", "CCC", "CCCC", "CCCO", "CCCCC"]
SMILES = [f"{tail}{ring}" for ring in RINGS for tail in TAILS]
SIZE = np.array([float(sum(letter.isalpha() for letter in text)) for text in SMILES])
FOLDS = np.array(["train", "train", "train", "valid", "test"] * 12)
SMALL: dict[str, Any] = {
    "small-forest": partial(Forest, trees=20),
    "small-boosting": partial(Boosting, rounds=40),
    "kernel": Kernel,
    "small-mlp": partial(Perceptron, None, {"epochs": 12, "hidden": 32, "ensemble": 1}),
    "small-stack": partial(Ensemble, ("counts", "maccs", "descriptors"), ("extra-trees", "kernel")),
}
HEAD = {"features": "1d+descriptors", "epochs": 60, "hidden": 32, "lr": 1e-2, "patience": 0, "keep": "last"}
EVERY = pytest.mark.parametrize("learner", ["head", "neighbours", *SMALL])


@pytest.fixture(autouse=True)
def small_learners(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, make in SMALL.items():
        monkeypatch.setitem(learners._entries, name, make)


def fit(learner: str, labels: Labels, **options: Any) -> FinetuneResult:
    own = HEAD if learner == "head" else {}
    given = {"folds": FOLDS, "workers": 1, "cache": None, "learner": learner, "threads": 1, "refit": False}
    return finetune(SMILES, labels, **{**given, **own, "baselines": False, "calibration_folds": 0, **options})


def values(learner: str, y: np.ndarray, **options: Any) -> np.ndarray:
    labels = Labels((Task("y", "regression"),), y[:, None])
    return np.asarray(fit(learner, labels, **options).predictor.predict(SMILES, workers=1).columns[:, 0])


@EVERY
def test_every_learner_learns_every_size_of_target_alike(learner: str) -> None:
    plain = values(learner, SIZE)
    assert np.corrcoef(plain, SIZE)[0, 1] > 0.7
    for scale in (2.0**-46, 2.0**-20, 2.0**100):  # of 1e-14, 1e-6 and 1e30, without a rounding
        np.testing.assert_allclose(values(learner, SIZE * scale) / scale, plain, rtol=1e-6)
    # beside a large offset values are rounded, and a tree may fall the other way at a tie
    shifted = values(learner, SIZE - 250_000) + 250_000
    assert np.corrcoef(shifted, plain)[0, 1] > 0.98
    assert np.abs(shifted - plain).mean() < 0.2


@EVERY
def test_digits_follow_the_spread(learner: str) -> None:
    labels = Labels((Task("y", "regression"),), (SIZE / 100 - 250_000)[:, None])
    frame = fit(learner, labels).predictor.predict(SMILES, workers=1).frame()
    assert frame["y"].nunique() > 5  # six digits would leave -250000 alone


@EVERY
def test_classes_and_values_together(learner: str, tmp_path: Any) -> None:
    tasks = (
        Task("aromatic", "binary", ("no", "yes")),
        Task("hetero", "multiclass", ("none", "nitrogen", "oxygen")),
        Task("size", "regression"),
    )
    aromatic = np.array([float("c" in text) for text in SMILES])
    hetero = np.array([1.0 if "N" in s.upper() else 2.0 if "O" in s.upper() else 0.0 for s in SMILES])
    matrix = np.column_stack([aromatic, hetero, SIZE])
    matrix[::7, 0], matrix[1::9, 1] = np.nan, np.nan
    result = fit(learner, Labels(tasks, matrix))
    answer = result.predictor.predict([*SMILES, "no molecule"], workers=1, uncertainty=True)
    assert answer.columns.shape == (61, 5)
    np.testing.assert_allclose(answer.columns[:60, 1:4].sum(axis=1), 1, atol=1e-6)
    assert np.isnan(answer.values[60]).all()
    train = FOLDS == "train"
    assert (answer.values[:60][train, 1] == hetero[train]).mean() > 0.6
    assert set(result.scores["test"]["tasks"]) == {"aromatic", "hetero", "size"}
    frame = answer.frame()
    assert set(frame["hetero"].dropna()) <= {"none", "nitrogen", "oxygen"}
    assert set(frame["aromatic_class"].dropna()) <= {"no", "yes"}
    assert {"hetero=nitrogen", "size_low", "aromatic_set"} <= set(frame.columns)
    loaded = Predictor.load(result.predictor.save(tmp_path / "m"))
    np.testing.assert_array_equal(
        loaded.predict(SMILES, workers=1).columns, result.predictor.predict(SMILES, workers=1).columns
    )


def test_a_bound_is_learnt_as_a_bound_by_learners_that_can() -> None:
    """Large molecules are measured as "> 8": a one-sided loss may answer more, a label of 8 may not."""
    top = 8.0
    y, bounds = np.minimum(SIZE, top), np.where(top < SIZE, 1, 0).astype(np.int8)[:, None]
    task = (Task("y", "regression"),)
    bounded = fit("head", Labels(task, y[:, None], bounds=bounds)).predictor.predict(SMILES, workers=1)
    taken = fit("head", Labels(task, y[:, None])).predictor.predict(SMILES, workers=1)
    large = top < SIZE
    assert bounded.columns[large].mean() > taken.columns[large].mean() + 0.2
    other = Labels(task, y[:, None], bounds=bounds)
    forest = fit("small-forest", other).predictor.predict(SMILES, workers=1).columns
    plain = fit("small-forest", Labels(task, y[:, None])).predictor.predict(SMILES, workers=1).columns
    np.testing.assert_array_equal(forest, plain)


def test_bounds_are_not_scored() -> None:
    bounds = np.zeros((60, 1), dtype=np.int8)
    bounds[FOLDS == "test"] = 1
    result = fit("neighbours", Labels((Task("y", "regression"),), SIZE[:, None], bounds=bounds))
    assert result.scores["test"]["tasks"]["y"] is None
    assert result.scores["valid"]["tasks"]["y"] is not None
