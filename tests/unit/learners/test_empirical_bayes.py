from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cytomol.learners.empirical_bayes import shared_posterior


def test_is_the_fixed_point_of_the_expectation_maximisation() -> None:
    likely = np.random.default_rng(0).normal(size=(7, 4)) * 3
    found = shared_posterior(likely)
    prior = (found.sum(axis=0) + 2.0 / 4) / (7 + 2.0)
    again = np.exp(likely) * prior
    np.testing.assert_allclose(found, again / again.sum(axis=1, keepdims=True), atol=1e-3)


@given(st.integers(0, 1000), st.integers(1, 6), st.integers(1, 5))
def test_rows_are_shares_and_a_constant_changes_nothing(seed: int, tasks: int, hypotheses: int) -> None:
    rng = np.random.default_rng(seed)
    likely = rng.normal(size=(tasks, hypotheses)) * 10
    found = shared_posterior(likely)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_allclose(found, shared_posterior(likely + rng.normal(size=(tasks, 1)) * 50), atol=1e-9)


def test_a_task_that_says_little_follows_the_others() -> None:
    likely = np.zeros((10, 2))
    likely[:9, 1] = 4
    assert shared_posterior(likely)[9, 1] > 0.8
    assert shared_posterior(np.zeros((1, 2)))[0, 1] == 0.5
