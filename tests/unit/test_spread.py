from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytomol.spread import columns_middle_and_spread, middle_and_spread, quartile_spread

NUMBERS = st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 3)), min_size=1, max_size=30)


def test_of_normal_values_it_is_their_deviation_whatever_a_few_are() -> None:
    values = np.random.default_rng(0).normal(5, 3, size=100_000)
    values[:100] = 1e9
    assert quartile_spread(values) == pytest.approx((5, 3), rel=0.02)
    assert middle_and_spread(values) == quartile_spread(values)


def test_half_of_the_values_equal() -> None:
    values = np.array([0.0] * 9 + [10.0])
    assert quartile_spread(values) == (0, 0)
    assert middle_and_spread(values) == pytest.approx((0, 3))  # the deviation of one ten among nine zeros


@pytest.mark.parametrize("values", [[0.1] * 7, [-3.0]])
def test_a_constant_has_no_spread(values: list[float]) -> None:
    assert middle_and_spread(np.array(values)) == (values[0], 0)


def test_nothing_has_no_spread() -> None:
    assert middle_and_spread(np.array([])) == (0, 0)


@given(NUMBERS, st.floats(-100, 100), st.sampled_from([0.25, 2.0, 64.0]))
def test_it_moves_and_grows_with_the_values(numbers: list[float], shift: float, factor: float) -> None:
    values = np.array(numbers)
    middle, spread = middle_and_spread(values)
    moved, wide = middle_and_spread(values * factor + shift)
    assert moved == pytest.approx(middle * factor + shift, rel=1e-6, abs=1e-6)
    assert wide == pytest.approx(spread * factor, rel=1e-6, abs=1e-6)
    assert (spread > 0) == (len(set(numbers)) > 1)


def test_columns_leave_out_what_is_not_finite() -> None:
    table = np.array([[1.0, np.nan, 4.0], [np.inf, np.nan, 4.0], [3.0, np.nan, 4.0]], np.float32)
    middle, spread = columns_middle_and_spread(table)
    assert middle.tolist() == [2.0, 0.0, 4.0]
    assert spread[0] == middle_and_spread(np.array([1.0, 3.0]))[1] > 0
    assert spread[1:].tolist() == [0.0, 0.0]
