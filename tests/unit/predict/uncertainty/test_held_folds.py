"""Folds that keep groups whole, and spread classes over them."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.predict.uncertainty.held_folds import folds_of


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 999), st.integers(1, 200), st.integers(1, 60))
def test_groups_stay_whole_and_folds_even(seed: int, n: int, kinds: int) -> None:
    groups = np.random.default_rng(seed).integers(0, kinds, n) * 7 - 3
    folds = folds_of(n, groups, seed=seed)
    assert folds.min() >= 0
    assert folds.max() < 5
    for group in np.unique(groups):
        assert len(set(folds[groups == group])) == 1
    sizes = np.bincount(folds, minlength=5)
    assert sizes.max() - sizes.min() <= np.bincount(groups + 3).max()


def test_classes_are_spread_evenly() -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(103) < 0.2).astype(float)
    folds = folds_of(103, classes=y)
    counts = np.bincount(folds[y == 1], minlength=5)
    assert np.ptp(counts) <= 1
    groups = np.arange(103) // 3
    positives = np.bincount(folds_of(103, groups, classes=y)[y == 1], minlength=5)
    assert positives.min() >= 1
    assert np.ptp(positives) <= 3


def test_the_seed_divides_and_repeats() -> None:
    a, b, c = (folds_of(50, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(a, b)
    assert (a != c).any()
    assert np.bincount(a).tolist() == [10] * 5
