"""Slopes against non-negative least squares of SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from cytomol.cells.impute.pooled_slopes import Grams


def _drawn(seed: int, sources: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    told = rng.normal(size=(sources, 30, 5))
    told[-1] += 0.7 * told[0]
    return told, np.einsum("snw,s->nw", told, rng.normal(size=sources)) + rng.normal(size=(30, 5))


@given(seed=st.integers(0, 10_000), sources=st.integers(1, 2))
@settings(deadline=None, max_examples=20)
def test_each_feature_by_itself_is_least_squares_without_negative_slopes(seed: int, sources: int) -> None:
    told, truth = _drawn(seed, sources)
    found = Grams.of(told, truth).slopes(0.0)
    for feature in range(5):
        oracle, _ = nnls(told[:, :, feature].T, truth[:, feature])
        np.testing.assert_allclose(found[:, feature], oracle, atol=1e-8)


@given(seed=st.integers(0, 10_000), sources=st.integers(1, 2))
@settings(deadline=None, max_examples=20)
def test_drawn_hard_all_features_have_the_slope_of_all(seed: int, sources: int) -> None:
    told, truth = _drawn(seed, sources)
    oracle, _ = nnls(told.reshape(sources, -1).T, truth.ravel())
    found = Grams.of(told, truth).slopes(1e7)
    np.testing.assert_allclose(found, np.repeat(oracle[:, None], 5, axis=1), atol=1e-4)


def test_what_is_not_measured_does_not_count() -> None:
    told, truth = _drawn(0, 2)
    truth[20:, 1] = np.nan
    found = Grams.of(told, truth).slopes(0.0)[:, 1]
    oracle, _ = nnls(told[:, :20, 1].T, truth[:20, 1])
    np.testing.assert_allclose(found, oracle, atol=1e-8)


def test_sources_that_say_the_same_or_nothing_give_finite_slopes() -> None:
    told, truth = _drawn(0, 1)
    same = Grams.of(np.concatenate([told, told]), truth).slopes(0.0)
    one = Grams.of(told, truth).slopes(0.0)
    np.testing.assert_allclose(same.sum(axis=0), one[0], atol=1e-8)
    assert Grams.of(np.zeros((2, 30, 5)), truth).slopes(1.0) == pytest.approx(np.zeros((2, 5)))
