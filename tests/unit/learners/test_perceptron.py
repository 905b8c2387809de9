from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import expit, logit

from cytomol.learners.perceptron import Perceptron

KINDS = pytest.mark.parametrize("kind", ["classification", "regression"])
SMALL = {"epochs": 3, "hidden": 8, "ensemble": 3, "batch_size": 16}


def fitted(blocks: Any, learning: Any, **options: Any) -> Perceptron:
    model = Perceptron(options={**SMALL, **options})
    model.fit(blocks, learning)
    return model


@KINDS
def test_predicts_the_mean_of_its_members(made: Any, kind: str) -> None:
    blocks, learning = made(kind)
    model = fitted(blocks, learning)
    members, found = model.members(blocks), model.predict(blocks)
    assert members.shape == (3, *learning.labels.shape)
    assert not np.allclose(members[0], members[1])
    mean = expit(logit(members).mean(axis=0)) if kind == "classification" else members.mean(axis=0)
    np.testing.assert_allclose(found, mean, rtol=1e-4, atol=1e-5)


@KINDS
def test_round_trip(made: Any, kind: str) -> None:
    blocks, learning = made(kind)
    learning.labels[:, 1] = np.nan
    model = fitted(blocks, learning)
    found = model.predict(blocks)
    assert np.isnan(found[:, 1]).all()
    assert np.isfinite(found[:, 0]).all()
    again = Perceptron.restore(*model.state())
    np.testing.assert_array_equal(again.predict(blocks), found)
    np.testing.assert_array_equal(again.members(blocks), model.members(blocks))
    assert again.state()[0] == model.state()[0]


def test_the_seed_decides(made: Any) -> None:
    blocks, learning = made()
    torch.manual_seed(1)
    first = fitted(blocks, learning).predict(blocks)
    torch.manual_seed(2)
    np.testing.assert_array_equal(fitted(blocks, learning).predict(blocks), first)
    other = fitted(blocks, replace(learning, seed=1))
    assert not np.allclose(other.predict(blocks), first)


def test_neighbouring_seeds_share_no_head(made: Any) -> None:
    blocks, learning = made()
    members = [fitted(blocks, replace(learning, seed=seed)).members(blocks) for seed in (0, 1)]
    for a in members[0]:
        assert not any(np.allclose(a, b) for b in members[1])


def test_values_come_in_units_of_the_task(made: Any) -> None:
    blocks, learning = made("regression", rows=200)
    learning.labels[:, 0] = 1e4 + 100 * learning.labels[:, 0]
    found = fitted(blocks, learning, epochs=30, ensemble=1).predict(blocks)
    assert abs(found[:, 0].mean() - learning.labels[:, 0].mean()) < learning.labels[:, 0].std()
    assert np.corrcoef(found[:, 0], learning.labels[:, 0])[0, 1] > 0.5


def test_rows_that_may_not_be_seen_do_not_matter(made: Any) -> None:
    blocks, learning = made("regression")
    before = fitted(blocks, learning).predict(blocks)
    learning.labels[~(learning.train | learning.valid)] = 1e5
    np.testing.assert_array_equal(fitted(blocks, learning).predict(blocks), before)
