from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import ensemble

from cytomol.learners.forest import Forest


@pytest.mark.parametrize("growth", ["random", "extra"])
@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_answers_in_range_and_round_trip(made: Any, growth: Any, kind: str) -> None:
    blocks, learning = made(kind)
    model = Forest(kind=growth, trees=8)
    model.fit(blocks, learning)
    found = model.predict(blocks)
    low, high = np.nanmin(learning.labels, axis=0), np.nanmax(learning.labels, axis=0)
    assert ((found >= low) & (found <= high)).all()
    error = np.abs(found - learning.labels)[learning.train]
    assert np.nanmean(error) < np.nanmean(np.abs(learning.labels - np.nanmean(learning.labels, axis=0)))
    table, arrays = model.state()
    again = Forest.restore(table, arrays)
    np.testing.assert_array_equal(again.predict(blocks), found)
    assert again.state()[0] == table


def test_is_scikit_learns_forest(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = []
    grow = ensemble.RandomForestClassifier.fit

    def spy(self: Any, X: Any, y: Any) -> Any:
        fitted.append(self)
        return grow(self, X, y)

    monkeypatch.setattr(ensemble.RandomForestClassifier, "fit", spy)
    blocks, learning = made()
    model = Forest(trees=5)
    model.fit(blocks, learning)
    assert len(fitted) == 2
    X = model.scaled.transform(blocks)
    expected = np.stack([one.predict_proba(X)[:, 1] for one in fitted], axis=1)
    np.testing.assert_allclose(model.predict(blocks), expected, atol=1e-6)


def test_unlearnable_tasks_and_rows_that_may_not_be_seen(made: Any) -> None:
    blocks, learning = made()
    learning.labels[learning.train, 1] = 0.0
    model = Forest(trees=5)
    model.fit(blocks, learning)
    before = model.predict(blocks)
    assert np.isnan(before[:, 1]).all()
    learning.labels[~learning.train] = 1 - learning.labels[~learning.train]
    model.fit(blocks, learning)
    np.testing.assert_array_equal(model.predict(blocks), before)


def test_chosen_blocks_are_those_that_count(made: Any) -> None:
    blocks, learning = made("regression")
    model = Forest(("counts",), trees=4)
    model.fit(blocks, learning)
    other = {**blocks, "descriptors": blocks["descriptors"] * 0}
    np.testing.assert_array_equal(model.predict(other), model.predict(blocks))
    np.testing.assert_array_equal(model.predict({"counts": blocks["counts"]}), model.predict(blocks))
