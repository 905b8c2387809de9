"""Ranks and average precision against scikit-learn and against every order of the ties."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from cytomol.evaluate.matching.ranking import average_precision, chance_average_precision, standing

SQUARE = st.integers(2, 5).flatmap(lambda n: arrays(np.int64, (n, n), elements=st.integers(0, 3)))


def every_order(scores: NDArray[np.int64]) -> list[list[int]]:
    """Return all orders of the candidates, best first, that the scores allow."""
    return [
        list(order)
        for order in permutations(range(len(scores)))
        if all(scores[a] >= scores[b] for a, b in pairwise(order))
    ]


@settings(deadline=None)
@given(SQUARE)
def test_ties_count_by_expectation_over_all_orders(scores: NDArray[np.int64]) -> None:
    found = standing(scores)
    for row in range(len(scores)):
        ranks = np.array([order.index(row) + 1 for order in every_order(scores[row])])
        assert found.rank[row] == pytest.approx(ranks.mean())
        assert found.reciprocal_rank[row] == pytest.approx((1 / ranks).mean())
        for first in range(1, len(scores) + 1):
            assert found.within(first)[row] == pytest.approx((ranks <= first).mean())


@settings(deadline=None)
@given(SQUARE, st.data())
def test_average_precision_is_its_expectation_over_all_orders(
    scores: NDArray[np.int64], data: st.DataObject
) -> None:
    n = len(scores)
    positive = data.draw(arrays(np.bool_, (n, n)))
    found = average_precision(scores.astype(float), positive)
    for row in range(n):
        if not positive[row].any():
            assert np.isnan(found[row])
            continue
        expected = []
        for order in every_order(scores[row]):
            ranked = positive[row][order]
            expected.append(np.mean([ranked[: at + 1].mean() for at in np.flatnonzero(ranked)]))
        assert found[row] == pytest.approx(np.mean(expected))


def test_average_precision_without_ties_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    scores, positive = rng.normal(size=(30, 50)), rng.random((30, 50)) < 0.1
    positive[:, 0] = True
    expected = [average_precision_score(p, s) for p, s in zip(positive, scores, strict=True)]
    np.testing.assert_allclose(average_precision(scores, positive), expected)


def test_one_right_answer_makes_average_precision_the_reciprocal_rank() -> None:
    scores = np.random.default_rng(1).integers(0, 5, (20, 20)).astype(float)
    precision = average_precision(scores, np.eye(20, dtype=bool))
    np.testing.assert_allclose(precision, standing(scores).reciprocal_rank)


@pytest.mark.parametrize(("positives", "candidates"), [(1, 7), (3, 7), (7, 7), (2, 2)])
def test_chance_is_what_a_model_without_opinion_gets(positives: int, candidates: int) -> None:
    positive = (np.arange(candidates) < positives)[None]
    expected = chance_average_precision(np.array([positives]), candidates)
    assert average_precision(np.zeros((1, candidates)), positive)[0] == pytest.approx(expected[0])


def test_chance_of_no_right_answer_is_none() -> None:
    assert np.isnan(chance_average_precision(np.array([0]), 5)[0])


@given(SQUARE, st.floats(0.1, 10), st.floats(-5, 5))
def test_only_the_order_of_scores_counts(scores: NDArray[np.int64], scale: float, shift: float) -> None:
    first, second = standing(scores), standing(np.exp(scores * scale / 10) + shift)
    np.testing.assert_array_equal(first.rank, second.rank)


@given(SQUARE, st.randoms(use_true_random=False))
def test_the_order_of_candidates_does_not_count(scores: NDArray[np.int64], random: object) -> None:
    order = np.arange(len(scores))
    random.shuffle(order)  # type: ignore[attr-defined]
    moved = standing(scores[np.ix_(order, order)])
    np.testing.assert_allclose(moved.reciprocal_rank, standing(scores).reciprocal_rank[order])


def test_a_share_of_the_candidates_may_be_a_fraction() -> None:
    scores = -np.tile(np.arange(10.0), (10, 1))
    assert standing(scores).within(2.5).tolist() == [1, 1, 0.5, 0, 0, 0, 0, 0, 0, 0]
    assert standing(np.zeros((10, 10))).within(0.5) == pytest.approx(np.full(10, 0.05))
