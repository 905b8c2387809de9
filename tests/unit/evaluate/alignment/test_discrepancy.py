"""MMD against its definition as loops, and on samples of one distribution."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from cytomol.errors import InputError
from cytomol.evaluate.alignment.discrepancy import median_bandwidth, squared_mmd

SIZES = {
    "n": st.integers(2, 12),
    "m": st.integers(2, 12),
    "d": st.integers(1, 5),
    "seed": st.integers(0, 9999),
}


def draw(n: int, m: int, d: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=(m, d)) + 0.5


def loops(X: NDArray[np.float64], Y: NDArray[np.float64], s: float) -> float:
    def k(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
        return math.exp(-sum((p - q) ** 2 for p, q in zip(a, b, strict=True)) / (2 * s * s))

    n, m = len(X), len(Y)
    own_x = sum(k(X[i], X[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    own_y = sum(k(Y[i], Y[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return own_x + own_y - 2 * sum(k(x, y) for x in X for y in Y) / (n * m)


@settings(max_examples=40, deadline=None)
@given(**SIZES)
def test_it_is_its_definition(n: int, m: int, d: int, seed: int) -> None:
    X, Y = draw(n, m, d, seed)
    s = float(np.median(pdist(np.concatenate([X, Y]))))
    assert median_bandwidth(X, Y) == pytest.approx(s)
    assert squared_mmd(X, Y, bandwidth=s) == pytest.approx(loops(X, Y, s), abs=1e-9)
    assert squared_mmd(X, Y) == pytest.approx(loops(X, Y, median_bandwidth(X, Y)), abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(**SIZES)
def test_order_shift_rotation_and_common_scale_do_not_count(n: int, m: int, d: int, seed: int) -> None:
    X, Y = draw(n, m, d, seed)
    rng = np.random.default_rng(seed)
    rotation = np.linalg.qr(rng.normal(size=(d, d)))[0]
    found = squared_mmd(X, Y)
    assert squared_mmd(Y, X) == pytest.approx(found, abs=1e-9)
    assert squared_mmd(X[::-1], Y) == pytest.approx(found, abs=1e-9)
    assert squared_mmd(7 * X @ rotation + 100, 7 * Y @ rotation + 100) == pytest.approx(found, abs=1e-7)


def test_nought_on_average_for_one_distribution() -> None:
    rng = np.random.default_rng(0)
    found = [squared_mmd(*rng.normal(size=(2, 40, 3))) for _ in range(200)]
    error = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found)) < 4 * error
    assert min(found) < 0 < max(found)
    far = squared_mmd(rng.normal(size=(40, 3)), rng.normal(size=(40, 3)) + 3)
    assert far > 20 * np.std(found)


def test_where_there_is_nothing_to_tell() -> None:
    assert np.isnan(squared_mmd(np.zeros((1, 2)), np.zeros((5, 2))))
    assert squared_mmd(np.zeros((3, 2)), np.zeros((5, 2))) == 0
    with pytest.raises(InputError, match="2 and 3 columns"):
        squared_mmd(np.zeros((4, 2)), np.zeros((4, 3)))
