"""Feature scaling: range, inverse, degenerate columns, saving."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cytomol.corpus.scaling import FeatureScaler
from cytomol.errors import ConfigError, InputError

finite = st.floats(-1e6, 1e6, width=32, allow_nan=False)
cell = st.one_of(finite, st.just(float("nan")))
table = st.tuples(st.integers(1, 12), st.integers(1, 5)).flatmap(
    lambda s: arrays(np.float32, s, elements=cell)
)


@pytest.mark.parametrize("method", ["robust", "minmax"])
@given(values=table)
@settings(max_examples=150, deadline=None)
def test_training_values_lie_in_unit_interval_and_come_back(values: np.ndarray, method: str) -> None:
    scaler = FeatureScaler.fit(values, method)
    scaled = scaler.transform(values)
    assert scaled.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(scaled), np.isnan(values))
    inside = scaled[~np.isnan(scaled)]
    assert ((inside >= 0) & (inside <= 1)).all()
    back = scaler.inverse(scaled)
    for j in range(values.shape[1]):
        column = values[:, j][~np.isnan(values[:, j])].astype(np.float64)
        # float32 holds 24 bits of the scaled value: an error of 2^-24 there grows by the slope of the
        # inverse, which is at most span * (distance from the centre + scale) for sinh, span for a line.
        slope = scaler.span[j]
        if method == "robust":
            slope = slope * (np.abs(column - scaler.center[j]) + scaler.scale[j])
        tolerance = 2.0**-23 * (slope + np.abs(column)) + 1e-30
        assert (np.abs(back[:, j][~np.isnan(values[:, j])] - column) <= tolerance).all()


@given(
    values=arrays(np.float32, (9, 2), elements=st.floats(-100, 100, width=32)),
    new=st.floats(-1e4, 1e4, width=32),
)
@settings(max_examples=100, deadline=None)
def test_values_outside_the_training_range_are_not_clipped(values: np.ndarray, new: float) -> None:
    values = np.concatenate([values, [[-3, -3], [-1, -1], [1, 1], [3, 3]]]).astype(np.float32)
    scaler = FeatureScaler.fit(values)
    outside = np.full((1, 2), new, np.float32)
    back = scaler.inverse(scaler.transform(outside))
    np.testing.assert_allclose(back, outside, rtol=2e-5, atol=1e-3)


def test_minmax_is_the_papers_formula() -> None:
    values = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    low, high = values.min(axis=0), values.max(axis=0)
    np.testing.assert_allclose(
        FeatureScaler.fit(values, "minmax").transform(values), (values - low) / (high - low), atol=1e-6
    )


def test_one_outlier_does_not_squeeze_the_rest() -> None:
    values = np.concatenate([np.random.default_rng(0).normal(size=(999, 1)), [[207.0]]]).astype(np.float32)
    spread = {
        method: np.subtract(*np.quantile(FeatureScaler.fit(values, method).transform(values), [0.95, 0.05]))
        for method in ("robust", "minmax")
    }
    assert spread["robust"] > 10 * spread["minmax"]


@pytest.mark.parametrize("method", ["robust", "minmax"])
def test_order_is_kept(method: str) -> None:
    values = np.sort(np.random.default_rng(1).standard_cauchy((200, 1)), axis=0).astype(np.float32)
    assert (np.diff(FeatureScaler.fit(values, method).transform(values), axis=0) >= 0).all()


@pytest.mark.parametrize("method", ["robust", "minmax"])
def test_constant_and_empty_columns(method: str) -> None:
    values = np.array([[7.0, np.nan, 0.0], [7.0, np.nan, np.nan]], np.float32)
    scaler = FeatureScaler.fit(values, method)
    scaled = scaler.transform(values)
    np.testing.assert_array_equal(scaled[:, 0], [0.5, 0.5])
    assert np.isnan(scaled[:, 1]).all()
    np.testing.assert_array_equal(scaler.inverse(scaled)[:, 0], [7.0, 7.0])
    other = np.array([[9.0, 1.0, 2.0]], np.float32)
    np.testing.assert_allclose(scaler.inverse(scaler.transform(other)), other, rtol=1e-5)


def test_more_than_half_the_values_equal() -> None:
    values = np.array([[0.0]] * 9 + [[5.0]], np.float32)
    np.testing.assert_allclose(FeatureScaler.fit(values).transform(values).ravel(), [0] * 9 + [1])


def test_round_trip_through_arrays() -> None:
    values = np.random.default_rng(2).normal(size=(30, 3)).astype(np.float32)
    for method in ("robust", "minmax"):
        scaler = FeatureScaler.fit(values, method)
        again = FeatureScaler.from_arrays(scaler.arrays())
        assert again.method == method
        np.testing.assert_array_equal(again.transform(values), scaler.transform(values))


def test_bad_input() -> None:
    values = np.ones((3, 2), np.float32)
    with pytest.raises(ConfigError, match="unknown scaling 'log'"):
        FeatureScaler.fit(values, "log")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="row 1, column 0"):
        FeatureScaler.fit(np.array([[1.0], [np.inf]], np.float32))
    with pytest.raises(InputError, match="2 columns"):
        FeatureScaler.fit(values).transform(np.ones((3, 5), np.float32))
    with pytest.raises(InputError, match="lack span"):
        FeatureScaler.from_arrays(
            {k: v for k, v in FeatureScaler.fit(values).arrays().items() if k != "span"}
        )
    with pytest.raises(InputError, match="shape"):
        FeatureScaler.fit(np.ones(3, np.float32))


@pytest.mark.real_data
def test_real_expression(real_data) -> None:
    from cytomol.corpus import read_corpus

    values = read_corpus(real_data / "corpus").modalities["expression_l1000_978"].values
    scaler = FeatureScaler.fit(values)
    scaled = scaler.transform(values)
    assert scaled.min() >= 0
    assert scaled.max() <= 1
    np.testing.assert_allclose(scaler.inverse(scaled), values, rtol=1e-5, atol=1e-5)
