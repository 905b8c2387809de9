from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pytest

from cytomol.assays.metrics import score_tasks
from cytomol.errors import ModelDirectoryError
from cytomol.learners.boosting import Boosting

KINDS = pytest.mark.parametrize("kind", ["classification", "regression"])


def fitted(blocks: Any, learning: Any) -> Boosting:
    model = Boosting(rounds=20)
    model.fit(blocks, learning)
    return model


@KINDS
def test_learns_the_training_rows(made: Any, kind: str) -> None:
    blocks, learning = made(kind, rows=300)
    found = fitted(blocks, learning).predict(blocks)
    labels = np.where(learning.train[:, None], learning.labels, np.nan)
    score = score_tasks(labels, found, learning.metric)[0]
    if kind == "classification":
        assert score > 0.8
        assert ((found >= 0) & (found <= 1)).all()
    else:
        mean = np.broadcast_to(np.nanmean(labels, axis=0), labels.shape)
        assert score < score_tasks(labels, mean, "mae")[0]


def test_tasks_that_cannot_be_learnt_are_unanswered(made: Any) -> None:
    blocks, learning = made()
    learning.labels[learning.train, 1] = 1.0  # one class in training, whatever the other rows say
    found = fitted(blocks, learning).predict(blocks)
    assert np.isnan(found[:, 1]).all()
    assert np.isfinite(found[:, 0]).all()
    blocks, learning = made("regression")
    learning.labels[learning.train, 0] = np.nan
    assert np.isnan(fitted(blocks, learning).predict(blocks)[:, 0]).all()


@KINDS
def test_round_trip_bit_for_bit(made: Any, kind: str) -> None:
    blocks, learning = made(kind)
    learning.labels[:, 1] = np.nan
    model = fitted(blocks, learning)
    table, arrays = model.state()
    again = Boosting.restore(table, arrays)
    np.testing.assert_array_equal(again.predict(blocks), model.predict(blocks))
    assert again.state()[0] == table
    for name, array in again.state()[1].items():
        np.testing.assert_array_equal(array, arrays[name])


def test_the_same_seed_gives_the_same_model(made: Any) -> None:
    first, second = (fitted(*made(seed=0)).predict(made()[0]) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_other_rows_are_not_looked_at(made: Any) -> None:
    blocks, learning = made("regression")
    before = fitted(blocks, learning).predict(blocks)
    rest = ~(learning.train | learning.valid)
    learning.labels[rest] = 1e6
    np.testing.assert_array_equal(fitted(blocks, learning).predict(blocks), before)


def test_no_rows_no_answers(made: Any) -> None:
    blocks, learning = made()
    empty = {name: block[:0] for name, block in blocks.items()}
    assert fitted(blocks, learning).predict(empty).shape == (0, 2)


@KINDS
def test_what_held_lightgbms_text_is_still_read(made: Any, kind: str) -> None:
    blocks, learning = made(kind)
    learning.labels[:, 1] = np.nan
    options = {"objective": "binary" if kind == "classification" else "l1", "verbose": -1}
    model = fitted(blocks, learning)
    assert model.scaled is not None
    X, y = model.scaled.transform(blocks), learning.labels[:, 0]
    known = ~np.isnan(y)
    booster = lightgbm.train(options, lightgbm.Dataset(X[known], y[known]), 5)
    table, arrays = model.state()
    kept = {name: array for name, array in arrays.items() if not name.startswith("boosted.")}
    kept["booster.0"] = np.frombuffer(booster.model_to_string().encode(), np.uint8)
    old = {name: value for name, value in table.items() if name != "probability"}
    found = Boosting.restore(old, kept).predict(blocks)
    np.testing.assert_array_equal(found[:, 0], booster.predict(X))
    assert np.isnan(found[:, 1]).all()
    kept["booster.0"] = kept["booster.0"][:200]
    with pytest.raises(ModelDirectoryError, match=r"cut short.*fine-tune again"):
        Boosting.restore(old, kept)
