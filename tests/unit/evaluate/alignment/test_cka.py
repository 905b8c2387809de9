"""CKA against its definition as loops, and what it must not notice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cytomol.errors import InputError
from cytomol.evaluate.alignment.cka import linear_cka

SIZES = {
    "n": st.integers(5, 25),
    "d": st.integers(1, 12),
    "e": st.integers(1, 30),
    "seed": st.integers(0, 9999),
}


def draw(n: int, d: int, e: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    return X, X @ rng.normal(size=(d, e)) + rng.normal(size=(n, e))


def hsic(K: NDArray[np.float64], L: NDArray[np.float64]) -> float:
    """HSIC with the centring matrix, as it is defined."""
    n = len(K)
    H = np.eye(n) - 1 / n
    return float(np.trace(K @ H @ L @ H)) / (n - 1) ** 2


def unbiased_hsic(K: NDArray[np.float64], L: NDArray[np.float64]) -> float:
    """The U-statistic of HSIC over all quadruples of different rows (Song et al.), as a loop."""
    n, total, number = len(K), 0.0, 0
    for i in range(n):
        for j in range(n):
            for q in range(n):
                for r in range(n):
                    if len({i, j, q, r}) == 4:
                        total += K[i, j] * (L[i, j] + L[q, r] - 2 * L[i, q])
                        number += 1
    return total / number


@settings(max_examples=40, deadline=None)
@given(**SIZES)
def test_plain_is_its_definition(n: int, d: int, e: int, seed: int) -> None:
    X, Y = draw(n, d, e, seed)
    K, L = X @ X.T, Y @ Y.T
    assert linear_cka(X, Y) == pytest.approx(hsic(K, L) / np.sqrt(hsic(K, K) * hsic(L, L)), rel=1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_debiased_is_its_definition(seed: int) -> None:
    X, Y = draw(8, 3, 4, seed)
    K, L = X @ X.T, Y @ Y.T
    wanted = unbiased_hsic(K, L) / np.sqrt(unbiased_hsic(K, K) * unbiased_hsic(L, L))
    assert linear_cka(X, Y, debiased=True) == pytest.approx(wanted, rel=1e-8)


@settings(max_examples=40, deadline=None)
@given(**SIZES, debiased=st.booleans())
def test_rotation_scale_shift_and_order_do_not_count(
    n: int, d: int, e: int, seed: int, debiased: bool
) -> None:
    X, Y = draw(n, d, e, seed)
    rng = np.random.default_rng(seed)
    rotation = np.linalg.qr(rng.normal(size=(e, e)))[0]
    found = linear_cka(X, Y, debiased=debiased)
    other = linear_cka(-3 * X + 5, 0.01 * Y @ rotation - 2, debiased=debiased)
    assert other == pytest.approx(found, rel=1e-6, abs=1e-9, nan_ok=True)
    order = rng.permutation(n)
    assert linear_cka(X[order], Y[order], debiased=debiased) == pytest.approx(found, rel=1e-6, nan_ok=True)
    assert linear_cka(Y, X, debiased=debiased) == pytest.approx(found, rel=1e-8, nan_ok=True)


@settings(max_examples=30, deadline=None)
@given(**SIZES)
def test_between_nought_and_one(n: int, d: int, e: int, seed: int) -> None:
    X, Y = draw(n, d, e, seed)
    assert -1e-9 <= linear_cka(X, Y) <= 1 + 1e-9
    assert linear_cka(X, X) == pytest.approx(1)
    assert linear_cka(X, X, debiased=True) == pytest.approx(1)


def test_what_has_nothing_in_common_is_nought_without_bias_alone() -> None:
    rng = np.random.default_rng(0)
    found = [
        [linear_cka(*rng.normal(size=(2, 60, 100)), debiased=debiased) for _ in range(20)]
        for debiased in (False, True)
    ]
    assert np.mean(found[0]) > 0.5
    assert abs(np.mean(found[1])) < 0.02


def test_where_there_is_nothing_to_tell() -> None:
    X = np.ones((6, 2))
    assert np.isnan(linear_cka(X, np.arange(12.0).reshape(6, 2)))
    assert np.isnan(linear_cka(X[:1], X[:1]))
    assert np.isnan(linear_cka(np.eye(3), np.eye(3), debiased=True))
    with pytest.raises(InputError, match="6 rows beside 5"):
        linear_cka(X, X[:5])
