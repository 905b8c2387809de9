from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cytomol.assays.metrics import metrics, score_tasks
from cytomol.learners import Learning
from cytomol.learners.neighbours import _CHOICES, Neighbours

rng = np.random.default_rng(0)
COUNTS = rng.integers(0, 12, (70, 40))  # so many levels that no two similarities are equal
BLOCKS = {"counts": np.log1p(COUNTS.astype(np.float32))}


def learning(kind: str) -> Learning:
    value = (COUNTS[:, 0] - COUNTS[:, 1]).astype(float)
    labels = np.stack([value, -value], axis=1)
    labels = (labels > 0).astype(float) if kind == "classification" else labels
    labels[::3, 1] = np.nan
    train = np.arange(70) < 50
    return Learning(labels, train, ~train, kind, "roc_auc" if kind == "classification" else "mae")


def answer(row: int, given: Learning, task: int, k: int, *, but: int = -1) -> float:
    known = [
        i for i in range(70) if given.train[i] and not np.isnan(given.labels[i, task]) and i not in {row, but}
    ]
    of_task = [i for i in range(70) if given.train[i] and not np.isnan(given.labels[i, task])]
    near = {
        i: np.minimum(COUNTS[row], COUNTS[i]).sum() / np.maximum(COUNTS[row], COUNTS[i]).sum() for i in known
    }
    nearest = sorted(near, key=lambda i: -near[i])[:k]
    weight = np.array([near[i] for i in nearest]) ** 3
    mean = given.labels[of_task, task].mean()
    return (weight @ given.labels[nearest, task] + 0.05 * mean) / (weight.sum() + 0.05)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_is_the_weighted_mean_of_the_nearest(kind: str) -> None:
    given = learning(kind)
    model = Neighbours()
    model.fit(BLOCKS, given)
    found = model.predict(BLOCKS)
    expected = [[answer(row, given, task, model.k) for task in range(2)] for row in range(50, 70)]
    np.testing.assert_allclose(found[50:], expected, rtol=1e-5)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_their_number_is_what_leave_one_out_scores_best(kind: str) -> None:
    given = learning(kind)
    model = Neighbours()
    model.fit(BLOCKS, given)
    sign = 1 if metrics[given.metric].higher_is_better else -1
    scores = []
    for k in _CHOICES:
        left_out = np.array([[answer(row, given, task, k) for task in range(2)] for row in range(50)])
        scores.append(sign * score_tasks(given.labels[:50], left_out, given.metric)[0])
    assert model.k == _CHOICES[int(np.argmax(scores))]


def test_a_task_without_labels_and_the_round_trip() -> None:
    given = learning("regression")
    given.labels[given.train, 1] = np.nan
    model = Neighbours()
    model.fit(BLOCKS, given)
    found = model.predict(BLOCKS)
    assert np.isnan(found[:, 1]).all()
    table, arrays = model.state()
    np.testing.assert_array_equal(Neighbours.restore(table, arrays).predict(BLOCKS), found)


def test_a_molecule_without_neighbours_gets_the_mean() -> None:
    counts = np.zeros((5, 4), dtype=np.float32)
    counts[:4, :3] = np.log1p(1.0)
    counts[4, 3] = np.log1p(2.0)
    train = np.arange(5) < 4
    given = Learning(np.array([[1.0], [2.0], [3.0], [6.0], [9.0]]), train, ~train, "regression", "mae")
    model = Neighbours()
    model.fit({"counts": counts}, given)
    assert model.predict({"counts": counts})[4, 0] == pytest.approx(3.0)


def test_few_training_molecules(made: Any) -> None:
    blocks, given = made(rows=6)
    model = Neighbours()
    model.fit(blocks, given)
    assert model.predict(blocks).shape == (6, 2)
