"""The typical profile of a modality."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cytomol.corpus.scaling import FeatureScaler
from cytomol.corpus.typical import TypicalProfile

FLOATS = st.floats(-1e3, 1e3, width=32) | st.just(float("nan"))


@given(hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=FLOATS))
def test_mean_and_spread_are_those_of_the_measured_values(values: np.ndarray) -> None:
    scaler = FeatureScaler.fit(values)
    found = TypicalProfile.fit(values, scaler)
    for j in range(values.shape[1]):
        column = values[:, j][~np.isnan(values[:, j])].astype(np.float64)
        expected = (column.mean(), column.std()) if len(column) else (0.0, 0.0)
        np.testing.assert_allclose([found.mean[j], found.spread[j]], expected, rtol=1e-4, atol=1e-3)
    assert ((found.scaled >= 0) & (found.scaled <= 1)).all()
    assert found.profiles == len(values)


def test_it_is_the_same_after_saving() -> None:
    values = np.random.default_rng(0).normal(size=(9, 3)).astype(np.float32)
    first = TypicalProfile.fit(values, FeatureScaler.fit(values))
    again = TypicalProfile.from_arrays(first.arrays())
    for name in ("mean", "spread", "scaled"):
        np.testing.assert_array_equal(getattr(again, name), getattr(first, name))
    assert again.profiles == 9
