"""Canonical axes against scikit-learn's, and what they do with weights and noise."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cross_decomposition import CCA

from cytomol.cells.matcher.canonical_axes import CanonicalAxes
from cytomol.errors import InputError

BARE = (1e-9, 1e-9)


def fitted(left: np.ndarray, right: np.ndarray, **more: tuple[float, float]) -> CanonicalAxes:
    return CanonicalAxes.fit(left, right, np.ones(len(left)), np.arange(len(left)) % 4, **more)


def pairs(rows: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    signal = rng.normal(size=(rows, 2))
    left = np.hstack([signal, rng.normal(size=(rows, 3))]) @ rng.normal(size=(5, 5))
    right = np.hstack([signal + rng.normal(0, 0.5, (rows, 2)), rng.normal(size=(rows, 2))])
    return left, right @ rng.normal(size=(4, 4))


def test_without_a_ridge_they_are_those_of_scikit_learn() -> None:
    left, right = pairs()
    axes = fitted(left, right, ridges=BARE)
    ours = axes.place_predicted(left), axes.place_measured(right)
    theirs = CCA(2, max_iter=5000, tol=1e-12).fit(left, right).transform(left, right)
    for axis in range(2):
        for mine, other in zip(ours, theirs, strict=True):
            assert abs(np.corrcoef(mine[:, axis], other[:, axis])[0, 1]) == pytest.approx(1, abs=1e-3)
        agreed = np.corrcoef(theirs[0][:, axis], theirs[1][:, axis])[0, 1]
        assert axes.correlations[axis] == pytest.approx(agreed, abs=0.06)


def test_axes_have_variance_one_and_correlate_as_they_say() -> None:
    left, right = pairs(2000)
    axes = fitted(left, right)
    x, y = axes.place_predicted(left), axes.place_measured(right)
    for rows in (x, y):
        np.testing.assert_allclose(rows.mean(axis=0), 0, atol=1e-10)
        np.testing.assert_allclose(rows.std(axis=0), 1)
    own = [np.corrcoef(x[:, axis], y[:, axis])[0, 1] for axis in range(len(axes.correlations))]
    np.testing.assert_allclose(axes.correlations, own, atol=0.08)


def test_chance_is_not_believed() -> None:
    rng = np.random.default_rng(1)
    left, right = rng.normal(size=(100, 20)), rng.normal(size=(100, 20))
    axes = fitted(left, right, ridges=BARE)
    x, y = axes.place_predicted(left), axes.place_measured(right)
    assert np.corrcoef(x[:, 0], y[:, 0])[0, 1] > 0.6
    assert axes.correlations[0] < 0.3


def test_a_weight_is_a_number_of_copies() -> None:
    left, right = pairs(60)
    copies, folds = np.arange(60) % 3 + 1, np.arange(60) % 4
    weighted = CanonicalAxes.fit(left, right, copies.astype(float), folds)
    repeated = CanonicalAxes.fit(
        left.repeat(copies, 0), right.repeat(copies, 0), np.ones(copies.sum()), folds.repeat(copies)
    )
    np.testing.assert_allclose(weighted.correlations, repeated.correlations)


def test_saved_and_read_they_are_the_same() -> None:
    left, right = pairs(50)
    axes = fitted(left, right)
    again = CanonicalAxes.from_arrays(axes.arrays())
    np.testing.assert_array_equal(axes.place_measured(right), again.place_measured(right))


def test_two_pairs_are_too_few() -> None:
    with pytest.raises(InputError, match="2 pairs"):
        fitted(np.eye(2), np.eye(2))
