from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cytomol.learners import Learning
from cytomol.learners.stack import Ensemble
from cytomol.learners.stack_weights import stack, weighted_mean

PLAIN = ("counts", "maccs", "descriptors")
CHEAP = ("boosting", "kernel")
KINDS = pytest.mark.parametrize("kind", ["classification", "regression"])


def fitted(blocks: Any, learning: Learning, **options: Any) -> Ensemble:
    model = Ensemble(PLAIN, options.pop("kinds", CHEAP), **options)
    model.fit(blocks, learning)
    return model


def test_all_members_round_trip_and_only_perceptrons_read_the_embedding(made: Any) -> None:
    blocks, learning = made()
    model = Ensemble()
    model.fit(blocks, learning)
    members = model.members(blocks)
    assert members.shape == (len(model.kinds), *learning.labels.shape)
    again = Ensemble.restore(*model.state())
    np.testing.assert_array_equal(again.predict(blocks), model.predict(blocks))
    np.testing.assert_array_equal(again.members(blocks), members)
    assert again.state()[0] == model.state()[0]
    other = model.members({**blocks, "embedding": -blocks["embedding"]})
    changed = [
        kind for kind, a, b in zip(model.kinds, members, other, strict=True) if not np.array_equal(a, b)
    ]
    assert changed == ["mlp-embedding"]


def test_members_scale_their_blocks_once(made: Any) -> None:
    blocks, learning = made()
    model = fitted(blocks, learning, kinds=("forest", "extra-trees", "boosting"))
    for one in (model, Ensemble.restore(*model.state())):
        scalers = {id(member.scaled.scalers["descriptors"]) for member in one.fitted}
        assert len(scalers) == 1


def test_round_trip_of_values(made: Any) -> None:
    blocks, learning = made("regression")
    model = fitted(blocks, learning)
    again = Ensemble.restore(*model.state())
    np.testing.assert_array_equal(again.predict(blocks), model.predict(blocks))
    np.testing.assert_array_equal(again.weights, model.weights)


@KINDS
def test_is_the_members_stacked_on_validation_rows(made: Any, kind: str) -> None:
    blocks, learning = made(kind)
    model = fitted(blocks, learning, weighting="stacked")
    members = model.members(blocks)
    weights = stack(members[:, learning.valid], learning.labels[learning.valid], kind)
    np.testing.assert_allclose(model.weights, weights, atol=1e-4)
    np.testing.assert_allclose(model.predict(blocks), weighted_mean(members, model.weights, kind))
    assert set(model.details["weights"]) == set(CHEAP)


def test_equal_weights(made: Any) -> None:
    model = fitted(*made(), weighting="equal")
    np.testing.assert_array_equal(model.weights, 0.5)


def test_without_the_embedding_its_member_is_left_out(made: Any) -> None:
    blocks, learning = made()
    del blocks["embedding"]
    model = fitted(blocks, learning, kinds=("mlp-embedding", *CHEAP))
    assert model.kinds == CHEAP
    assert len(model.weights) == len(CHEAP)
    again = Ensemble.restore(*model.state())
    np.testing.assert_array_equal(again.predict(blocks), model.predict(blocks))


@pytest.mark.parametrize("refit", [False, True])
def test_answers_held_out_are_those_before_the_refit(made: Any, refit: bool) -> None:
    blocks, learning = made("regression")
    plain = fitted(blocks, learning, refit=False)
    held = {name: block[learning.valid] for name, block in blocks.items()}
    predicted, members = fitted(blocks, learning, refit=refit).held_out(blocks, learning)
    np.testing.assert_allclose(predicted, plain.predict(held))
    np.testing.assert_allclose(members, plain.members(held))


def test_refit_learns_from_validation_rows_but_not_the_weights(made: Any) -> None:
    blocks, learning = made("regression")
    plain, refit = (fitted(blocks, learning, weighting="stacked", refit=r) for r in (False, True))
    np.testing.assert_array_equal(plain.weights, refit.weights)
    error = [np.abs(m.predict(blocks) - learning.labels)[learning.valid] for m in (plain, refit)]
    assert np.nanmean(error[1]) < np.nanmean(error[0])


def test_refit_keeps_what_it_was_before(made: Any) -> None:
    blocks, learning = made()
    refit = fitted(blocks, learning, weighting="stacked", refit=True)
    before, seconds = refit.passed()["cytomol"]
    plain = fitted(blocks, learning, weighting="stacked")
    np.testing.assert_array_equal(before.predict(blocks), plain.predict(blocks))
    assert not np.allclose(refit.predict(blocks), plain.predict(blocks))
    assert seconds > 0
    assert not plain.passed()
    assert not before.passed()


def test_rows_that_may_not_be_seen_do_not_matter(made: Any) -> None:
    blocks, learning = made("regression")
    before = fitted(blocks, learning).predict(blocks)
    learning.labels[~(learning.train | learning.valid)] = 1e5
    np.testing.assert_array_equal(fitted(blocks, learning).predict(blocks), before)


def test_without_validation_rows(made: Any) -> None:
    blocks, learning = made()
    learning.valid[:] = False
    model = fitted(blocks, learning, kinds=("extra-trees", "boosting", "kernel"))
    np.testing.assert_allclose(model.weights, 1 / 3)
    assert np.isfinite(model.predict(blocks)).all()
