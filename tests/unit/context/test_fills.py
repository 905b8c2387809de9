"""Other fillings: as the authors' code has it, and the mean of measured neighbours, by plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cytomol.context import distance_matrix, measured_mean, propagate_as_coded


def packed(seed: int, n: int) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    bits = np.random.default_rng(seed).random((n, 24)) < 0.4
    return np.packbits(bits, axis=1, bitorder="little"), bits.astype(float)


@given(seed=st.integers(0, 1000), n=st.integers(1, 14), k=st.integers(1, 5))
def test_distances_by_loops(seed: int, n: int, k: int) -> None:
    fingerprints, bits = packed(seed, n)
    W = distance_matrix(fingerprints, k).toarray()
    for i in range(n):
        others = sorted((j for j in range(n) if j != i), key=lambda j: (((bits[i] - bits[j]) ** 2).sum(), j))[
            :k
        ]
        weight = {j: 1 - ((bits[i] - bits[j]) ** 2).sum() for j in others}
        size = sum(abs(w) for w in weight.values())
        expected = np.zeros(n)
        for j, w in weight.items():
            expected[j] = w / size if size else 0
        np.testing.assert_allclose(W[i], expected, atol=1e-6)


def test_farther_neighbours_weigh_more_and_signs_turn() -> None:
    """What is wrong with the form, so that nobody takes it for the paper's."""
    bits = np.zeros((3, 8), np.uint8)
    bits[1, :2], bits[2, :5] = 1, 1
    W = distance_matrix(np.packbits(bits, axis=1, bitorder="little"), 2).toarray()
    assert W[0, 2] < W[0, 1] < 0
    told = propagate_as_coded(csr_matrix(W), np.ones((3, 1), np.float32), np.arange(3), steps=1)
    assert (told.values < 0).all()


@given(seed=st.integers(0, 1000), steps=st.integers(0, 4))
def test_propagation_by_loops(seed: int, steps: int) -> None:
    draw = np.random.default_rng(seed)
    fingerprints, _ = packed(seed, 9)
    W = distance_matrix(fingerprints, 2)
    rows = np.sort(draw.choice(9, 3, replace=False))
    values = draw.normal(size=(3, 2)).astype(np.float32)
    X = np.zeros((9, 2))
    X[rows] = values
    for _ in range(steps):
        X = np.array([sum(W[i, j] * X[j] for j in range(9)) for i in range(9)])
    mean = X[rows].mean(axis=0)
    for i in range(9):
        if i not in rows and not X[i].any():
            first = W.indices[W.indptr[i] : W.indptr[i + 1]]
            X[i] = X[first[0]] if len(first) else mean
    told = propagate_as_coded(W, values, rows, steps=steps)
    assert told.rows.tolist() == list(range(9))
    np.testing.assert_allclose(told.values, X, atol=1e-5)


def test_mean_of_measured_neighbours() -> None:
    W = csr_matrix(np.array([[0, 0.9, 0.1, 0], [1, 0, 0, 0], [0, 0.5, 0, 0.5], [0, 0, 1, 0]], np.float32))
    values = np.array([[2.0, 4.0], [6.0, 8.0]], np.float32)
    told = measured_mean(W, values, np.array([1, 2]))
    assert told.rows.tolist() == [0, 2, 3]
    # molecule 0: of both, however near; 2: of 1 alone, not its own; 3: of 2
    assert told.values.tolist() == [[4.0, 6.0], [2.0, 4.0], [6.0, 8.0]]


def test_nobody_measured() -> None:
    fingerprints, _ = packed(0, 4)
    W = distance_matrix(fingerprints, 2)
    nothing, none = np.empty((0, 3), np.float32), np.empty(0, np.int64)
    assert len(measured_mean(W, nothing, none).rows) == 0
    assert propagate_as_coded(W, nothing, none).values.shape == (4, 3)
    assert not propagate_as_coded(W, nothing, none).values.any()


@pytest.mark.parametrize("n", [1, 2])
def test_fewer_molecules_than_neighbours(n: int) -> None:
    fingerprints, _ = packed(1, n)
    assert distance_matrix(fingerprints, 5).shape == (n, n)
