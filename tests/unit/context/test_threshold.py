"""Bisection against brute force over the grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.context.threshold import bisect_threshold, similarity_grid


def histogram_of(similarity: np.ndarray, grid: np.ndarray) -> np.ndarray:
    bins = np.searchsorted(grid, similarity, side="right") - 1
    return np.bincount(bins[bins >= 0], minlength=len(grid))


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 2**31), st.integers(0, 3000), st.sampled_from([0.0, 0.5, 0.9, 0.995]), st.floats(0.3, 4)
)
def test_lowest_point_that_drops_enough(seed: int, pairs: int, drop: float, shape: float) -> None:
    similarity = np.random.default_rng(seed).beta(shape, 1, pairs).astype(np.float32)
    grid = similarity_grid(0.6, 0.99)
    found = bisect_threshold(grid, histogram_of(similarity, grid), pairs, drop)
    enough = [point for point in grid if (similarity >= point).sum() <= (1 - drop) * pairs + 1e-6]
    assert found.value == (enough[0] if enough else grid[-1])
    assert found.kept == (similarity >= np.float32(found.value)).sum()
    assert found.candidates == pairs


def test_all_dropped_at_minimum_keeps_the_minimum() -> None:
    grid = similarity_grid(0.8, 0.99)
    found = bisect_threshold(grid, np.zeros(len(grid), np.int64), 10, 0.995)
    assert found.value == np.float32(0.8)
    assert found.report() == {"threshold": pytest.approx(0.8, abs=1e-6), "pairs": 0, "compared": 10}


def test_never_above_the_maximum() -> None:
    grid = similarity_grid(0.8, 0.99)
    similarity = np.full(1000, 1.0, np.float32)
    found = bisect_threshold(grid, histogram_of(similarity, grid), 1000, 0.995)
    assert found.value == np.float32(0.99)
    assert found.kept == 1000


def test_exact_share_is_allowed() -> None:
    grid = similarity_grid(0.8, 0.99)
    similarity = np.concatenate([np.full(5, 0.85), np.full(995, 0.1)]).astype(np.float32)
    assert bisect_threshold(grid, histogram_of(similarity, grid), 1000, 0.995).kept == 5
