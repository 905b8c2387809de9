from __future__ import annotations

import numpy as np
import pytest

from cytomol.assays.digits import shown


@pytest.mark.parametrize(
    ("value", "spread", "text"),
    [
        (0.29412, 1.2, "0.29"),
        (0.29412, 0.12, "0.294"),
        (-250000.123, 1.0, "-250000.12"),
        (3.14159e-14, 1e-14, "3.14e-14"),
        (1.23456e30, 1e29, "1.235e+30"),
        (1.23456e-6, 1e-6, "1.23e-06"),
        (12345.6, 5000.0, "12346"),
        (0.0, 1e-14, "0e+00"),
        (-0.001, 1.0, "0.00"),
        (-1e-16, 1e-14, "-1e-16"),
        (0.123456, 0.0, "0.1235"),
        (0.123456, np.nan, "0.1235"),
        (np.nan, 1.0, "-"),
        (np.inf, 1.0, "inf"),
    ],
)
def test_digits_follow_the_spread(value: float, spread: float, text: str) -> None:
    assert shown(value, spread) == text


@pytest.mark.parametrize("scale", [1e-14, 1e-6, 1e-3, 1.0, 1e3, 1e30])
def test_what_is_shown_is_right_to_a_hundredth_of_the_spread(scale: float) -> None:
    for value in np.random.default_rng(0).normal(3, 1, 50) * scale:
        assert abs(float(shown(value, scale)) - value) <= 0.0051 * scale
