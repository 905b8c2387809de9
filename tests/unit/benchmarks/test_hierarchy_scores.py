"""Scores of trees against counting pair by pair."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from benchmarks.cells.hierarchy_scores import agreement, closeness, random_paths
from sklearn.metrics import roc_auc_score


@pytest.mark.parametrize("seed", range(3))
def test_closeness_counts_pairs(seed: int) -> None:
    draw = np.random.default_rng(seed)
    path, classes = random_paths(40, 4, seed), draw.integers(0, 5, 40)
    apart, same = [], []
    for one, other in itertools.combinations(range(40), 2):
        together = 0
        while together < 4 and path[one, together] == path[other, together]:
            together += 1
        apart.append(4 - together)
        same.append(classes[one] == classes[other])
    found = closeness(path, classes, draws=5)
    assert found["within"].value == pytest.approx(np.mean(np.array(apart)[same]))
    assert found["between"].value == pytest.approx(np.mean(np.array(apart)[~np.array(same)]))
    assert found["nearer"].value == pytest.approx(roc_auc_score(same, -np.array(apart)))


def test_a_tree_of_the_classes_is_near_and_a_random_one_is_not() -> None:
    classes = np.repeat(np.arange(16), 20)
    path = np.stack([classes >> 3, classes >> 2, classes >> 1, classes], axis=1)
    found = closeness(path, classes, draws=20)
    assert found["within"].value == 0
    assert found["nearer"].value == pytest.approx(1)
    assert agreement(classes, path[:, 3]).value == pytest.approx(1)
    chance = closeness(random_paths(320, 4), classes, draws=50)["nearer"]
    assert chance.low < 0.5 < chance.high
    assert abs(agreement(classes, random_paths(320, 4)[:, 3]).value) < 0.05
