from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri
from sklearn.preprocessing import QuantileTransformer, StandardScaler

from cytomol.learners.feature_scaling import fit_scaler, same_scaling, scaler_from_arrays

RNG = np.random.default_rng(0)
VALUES = RNG.normal(3.0, 2.0, size=(400, 3)).astype(np.float32)


def test_standard_equals_scikit_learn() -> None:
    expected = StandardScaler().fit_transform(VALUES)
    np.testing.assert_allclose(fit_scaler(VALUES, "standard").transform(VALUES), expected, atol=1e-4)


def test_quantile_is_near_scikit_learn() -> None:
    reference = QuantileTransformer(n_quantiles=101, output_distribution="normal").fit(VALUES)
    expected = np.clip(reference.transform(VALUES), -2.5758, 2.5758)
    np.testing.assert_allclose(fit_scaler(VALUES, "quantile").transform(VALUES), expected, atol=1e-3)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1000),
    rows=st.sampled_from([0, 1, 2, 63, 64, 65, 130]),
    distinct=st.sampled_from([2, 3, 10, 1000]),
    power=st.integers(-4, 6),
)
def test_quantile_is_numpys_interpolation_of_each_column(
    seed: int, rows: int, distinct: int, power: int
) -> None:
    rng = np.random.default_rng(seed)
    learnt = (rng.integers(0, distinct, size=(80, 4)) * 10.0**power).astype(np.float32)
    scaler = fit_scaler(learnt, "quantile")
    asked = np.vstack([learnt, rng.normal(scale=10.0**power, size=(60, 4)).astype(np.float32)])
    asked = asked[rng.integers(0, len(asked), size=rows)]
    asked[rng.random(asked.shape) < 0.1] = np.nan
    expected = np.zeros(asked.shape, dtype=np.float32)
    levels = np.linspace(0, 1, 101)
    for column, knots in enumerate(scaler.arrays()["knots"].T):
        if knots[0] < knots[-1]:
            cells = asked[:, column].astype(np.float64)
            low, high = np.interp(cells, knots, levels), 1 - np.interp(-cells, -knots[::-1], levels)
            expected[:, column] = ndtri(np.clip((low + high) / 2, 0.005, 0.995))
    np.testing.assert_allclose(scaler.transform(asked), np.nan_to_num(expected), rtol=0, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), changes=st.integers(0, 3), kept=st.booleans())
def test_what_is_asked_again_is_answered_as_the_first_time(seed: int, changes: int, kept: bool) -> None:
    """Also where the values were altered in their place since then, or are too many to be kept."""
    rng = np.random.default_rng(seed)
    scaler = fit_scaler(VALUES, "quantile")
    asked = rng.normal(3, 2, size=(6, 3)).astype(np.float32)
    asked[rng.random(asked.shape) < 0.2] = np.nan
    with patch("cytomol.learners.feature_scaling._KEPT", 10**6 if kept else 0):
        first = scaler.transform(asked)
        again = scaler.transform(asked.copy())
        np.testing.assert_array_equal(again, first)
        assert not np.shares_memory(again, first)
        again[:] = 7  # nobody else's
        with patch.object(type(scaler), "_scores", lambda *_: first + 1):
            np.testing.assert_array_equal(scaler.transform(asked), first + (not kept))
        asked[:changes] += 1
        np.testing.assert_array_equal(
            scaler.transform(asked), fit_scaler(VALUES, "quantile").transform(asked)
        )
        np.testing.assert_array_equal(scaler.transform(asked[:2]), scaler.transform(asked)[:2])


@pytest.mark.parametrize("method", ["standard", "robust", "quantile"])
def test_scalers_of_other_rows_are_not_the_same(method: str) -> None:
    one = fit_scaler(VALUES, method)
    assert same_scaling(one, fit_scaler(VALUES.copy(), method))
    assert not same_scaling(one, fit_scaler(VALUES[:300], method))
    assert not same_scaling(one, fit_scaler(VALUES, "standard" if method == "quantile" else "quantile"))


def test_robust_does_not_follow_outliers() -> None:
    dirty = VALUES.copy()
    dirty[0] = 1e9
    clean = fit_scaler(VALUES, "robust").transform(VALUES[1:])
    np.testing.assert_allclose(fit_scaler(dirty, "robust").transform(VALUES[1:]), clean, rtol=0.02, atol=0.02)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), method=st.sampled_from(["standard", "robust", "quantile"]))
def test_output_is_finite_and_bounded_whatever_comes(seed: int, method: str) -> None:
    rng = np.random.default_rng(seed)
    values = (rng.normal(size=(30, 5)) * 10.0 ** rng.integers(-6, 6, size=5)).astype(np.float32)
    values[rng.random(values.shape) < 0.2] = np.nan
    values[:, 1] = 7.0
    values[:, 2] = np.nan
    values[0, 3] = np.inf
    scaler = fit_scaler(values, method)
    wild = np.concatenate([values, values * 1e6, np.full((1, 5), np.inf), np.full((1, 5), -np.inf)])
    with np.errstate(all="ignore"):
        result = scaler.transform(wild.astype(np.float32))
    assert result.dtype == np.float32
    assert np.isfinite(result).all()
    assert np.abs(result).max() <= 5
    np.testing.assert_array_equal(result[:30, 1], 0)


@pytest.mark.parametrize("method", ["standard", "robust", "quantile"])
def test_arrays_make_the_same_scaler(method: str) -> None:
    scaler = fit_scaler(VALUES, method)
    again = scaler_from_arrays(scaler.arrays())
    np.testing.assert_array_equal(again.transform(VALUES), scaler.transform(VALUES))


def test_quantile_is_monotone_and_takes_the_middle_of_ties() -> None:
    values = np.array([[0.0]] * 50 + [[1.0]] * 50, dtype=np.float32)
    low, middle, high = fit_scaler(values, "quantile").transform(
        np.array([[0.0], [0.5], [1.0]], dtype=np.float32)
    )[:, 0]
    assert low < middle < high
    assert low == pytest.approx(-high, abs=0.05)
