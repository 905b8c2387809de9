"""Propagation against dense matrices, step by step and at its fixed point."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.context import held_out_propagate, neighbour_matrix, propagate
from cytomol.errors import ConfigError, InputError

Fill = Literal["renormalise", "mean"]


def neighbours(n: int, k: int, seed: int = 0, *, missing: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Random directed neighbours, some of them missing, some rows with none."""
    rng = np.random.default_rng(seed)
    indices = np.array([rng.choice(np.delete(np.arange(n), i), k, replace=False) for i in range(n)])
    similarity = rng.uniform(0.1, 1, (n, k)).astype(np.float32)
    gone = rng.random((n, k)) < missing
    gone[n // 2] = True
    return np.where(gone, -1, indices).astype(np.int32), np.where(gone, 0, similarity).astype(np.float32)


def dense_propagation(
    W: np.ndarray, values: np.ndarray, rows: np.ndarray, steps: int, *, restore: bool, fill: Fill
) -> tuple[np.ndarray, np.ndarray]:
    """The definition, one molecule at a time: values of all molecules, and who holds one."""
    n = len(W)
    x = np.tile(values.mean(0), (n, 1)) if fill == "mean" else np.zeros((n, values.shape[1]))
    x[rows] = values
    held = np.isin(np.arange(n), rows)
    for _ in range(steps):
        new, new_held = x.copy(), held.copy()
        for i in range(n):
            new_held[i] |= (W[i] * held).sum() > 0
            weight = W[i] if fill == "mean" else W[i] * held
            if weight.sum() > 0:
                new[i] = weight @ x / weight.sum()
        if restore:
            new[rows] = values
        x, held = new, new_held
    return x, held


def test_neighbour_matrix_rows_sum_to_one() -> None:
    indices, similarity = neighbours(12, 3)
    W = neighbour_matrix(indices, similarity)
    wanted = np.zeros((12, 12))
    for i, (js, values) in enumerate(zip(indices, similarity, strict=True)):
        for j, value in zip(js, values, strict=True):
            if j >= 0:
                wanted[i, j] = value / values.sum()
    np.testing.assert_allclose(W.toarray(), wanted, rtol=1e-6)
    assert W.dtype == np.float32


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 10_000),
    st.integers(1, 8),
    st.integers(0, 6),
    st.booleans(),
    st.sampled_from(["renormalise", "mean"]),
)
def test_equals_the_dense_iteration(seed: int, observed: int, steps: int, restore: bool, fill: Fill) -> None:
    rng = np.random.default_rng(seed)
    W = neighbour_matrix(*neighbours(14, 3, seed))
    rows = rng.choice(14, observed, replace=False)
    values = rng.standard_t(2, (observed, 5)).astype(np.float32)
    found = propagate(W, values, rows, steps=steps, restore=restore, fill=fill)
    x, held = dense_propagation(
        W.toarray().astype(float), values.astype(float), rows, steps, restore=restore, fill=fill
    )
    np.testing.assert_array_equal(found.rows, np.flatnonzero(held))
    scale = np.abs(values).max()
    np.testing.assert_allclose(found.values / scale, x[held] / scale, atol=2e-5)
    if restore:
        np.testing.assert_array_equal(found.values[np.searchsorted(found.rows, rows)], values)


@given(
    seed=st.integers(0, 50),
    observed=st.integers(0, 30),
    restore=st.booleans(),
    fill=st.sampled_from(["renormalise", "mean"]),
    share=st.floats(0, 1),
)
@settings(max_examples=40, deadline=None)
def test_the_wanted_ones_are_those_of_all(
    seed: int, observed: int, restore: bool, fill: Fill, share: float
) -> None:
    rng = np.random.default_rng(seed)
    W = neighbour_matrix(*neighbours(30, 3, seed))
    rows = rng.permutation(30)[:observed]
    values = rng.random((observed, 5), np.float32)
    wanted = rng.random(30) < share
    everyone = propagate(W, values, rows, steps=3, restore=restore, fill=fill)
    some = propagate(W, values, rows, steps=3, restore=restore, fill=fill, wanted=wanted)
    keep = wanted[everyone.rows] if observed else slice(None)
    np.testing.assert_array_equal(some.rows, everyone.rows[keep])
    np.testing.assert_array_equal(some.values, everyone.values[keep])


@pytest.mark.parametrize("fill", ["renormalise", "mean"])
def test_many_steps_reach_the_harmonic_solution(fill: Fill) -> None:
    n, rows = 20, np.array([1, 5, 11, 17])
    W = neighbour_matrix(*neighbours(n, 4, missing=0.0))
    full = W.toarray().astype(float)
    full[n // 2] = 0  # the one without neighbours is never reached
    free = np.setdiff1d(np.arange(n), [*rows, n // 2])
    full[:, n // 2] = 0
    full /= np.maximum(full.sum(1, keepdims=True), 1e-12)
    values = np.random.default_rng(3).normal(size=(4, 3)).astype(np.float32)
    from scipy.sparse import csr_matrix

    solution = np.linalg.solve(
        np.eye(len(free)) - full[np.ix_(free, free)], full[np.ix_(free, rows)] @ values.astype(float)
    )
    found = propagate(csr_matrix(full.astype(np.float32)), values, rows, steps=400, fill=fill)
    np.testing.assert_array_equal(found.rows, np.sort([*free, *rows]))
    np.testing.assert_allclose(found.values[np.searchsorted(found.rows, free)], solution, atol=1e-5)


def test_restoring_matters() -> None:
    W = neighbour_matrix(np.array([[1], [0]]), np.ones((2, 1), np.float32))
    values = np.array([[1.0], [5.0]], np.float32)
    assert propagate(W, values, np.array([0, 1]), steps=1).values.ravel().tolist() == [1, 5]
    swapped = propagate(W, values, np.array([0, 1]), steps=1, restore=False)
    assert swapped.values.ravel().tolist() == [5, 1]


def test_placeholder_leaks_only_with_mean() -> None:
    # 0 is observed, 1 hears 0 and the unobserved 2 with equal weight, 3 is observed elsewhere.
    indices = np.array([[-1, -1], [0, 2], [-1, -1], [-1, -1]])
    W = neighbour_matrix(indices, (indices >= 0).astype(np.float32))
    values, rows = np.array([[1.0], [0.0]], np.float32), np.array([0, 3])
    assert propagate(W, values, rows, steps=1).values.ravel().tolist() == [1, 1, 0]
    assert propagate(W, values, rows, steps=1, fill="mean").values.ravel().tolist() == [1, 0.75, 0]


def test_wide_profiles_missing_entries_and_order_of_rows() -> None:
    rng = np.random.default_rng(0)
    W = neighbour_matrix(*neighbours(30, 3))
    rows = np.array([20, 3, 9, 14])
    values = rng.normal(size=(4, 300)).astype(np.float32)
    values[1, 7] = np.nan
    filled = values.copy()
    filled[1, 7] = np.nanmean(values[:, 7])
    found, wanted = propagate(W, values, rows), propagate(W, filled, rows)
    np.testing.assert_allclose(found.values, wanted.values, rtol=1e-5)
    one = propagate(W, filled[:, 200:201], rows)
    np.testing.assert_allclose(found.values[:, 200], one.values[:, 0], atol=1e-6)


@pytest.mark.parametrize("fill", ["renormalise", "mean"])
def test_held_out_never_sees_the_own_value(fill: Fill) -> None:
    rng = np.random.default_rng(5)
    W = neighbour_matrix(*neighbours(25, 4))
    rows = rng.permutation(25)[:12]
    values = rng.normal(size=(12, 4)).astype(np.float32)
    values[3, 2] = np.nan
    found = held_out_propagate(W, values, rows, folds=12, fill=fill)
    assert np.isin(found.rows, rows).all()
    assert (np.diff(found.rows) > 0).all()
    for row, estimate in zip(found.rows, found.values, strict=True):
        others = rows != row
        alone = propagate(W, values[others], rows[others], fill=fill)
        np.testing.assert_allclose(estimate, alone.values[np.searchsorted(alone.rows, row)], atol=1e-6)
    unreached = np.setdiff1d(rows, found.rows)
    for row in unreached:
        others = rows != row
        assert row not in propagate(W, values[others], rows[others], fill=fill).rows


def test_held_out_is_seeded_and_copes_with_few_rows() -> None:
    W = neighbour_matrix(*neighbours(25, 4))
    values = np.random.default_rng(0).normal(size=(9, 2)).astype(np.float32)
    rows = np.arange(9)
    runs = [held_out_propagate(W, values, rows, folds=3, seed=seed).values for seed in (0, 0, 1)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert runs[0].shape != runs[2].shape or (runs[0] != runs[2]).any()
    assert len(held_out_propagate(W, values[:1], rows[:1]).rows) == 0
    assert held_out_propagate(W, values[:0], rows[:0]).values.shape == (0, 2)
    assert propagate(W, values[:0], rows[:0]).values.shape == (0, 2)


def test_bad_input() -> None:
    W = neighbour_matrix(*neighbours(5, 2))
    values = np.ones((2, 3), np.float32)
    with pytest.raises(InputError, match="several observed profiles"):
        propagate(W, values, np.array([1, 1]))
    with pytest.raises(InputError, match="for 5 molecules"):
        propagate(W, values, np.array([1, 5]))
    with pytest.raises(InputError, match="3 rows"):
        propagate(W, values, np.array([1, 2, 3]))
    with pytest.raises(ConfigError, match="fill"):
        propagate(W, values, np.array([1, 2]), fill="zero")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="with 1 fold"):
        held_out_propagate(W, values, np.array([1, 2]), folds=1)
