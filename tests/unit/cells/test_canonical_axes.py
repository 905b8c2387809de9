"""Canonical axes against scikit-learn's, and what they do with weights and noise."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cross_decomposition import CCA

from cytomol.cells.canonical_axes import CanonicalAxes
from cytomol.errors import InputError


def pairs(rows: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    signal = rng.normal(size=(rows, 2))
    left = np.hstack([signal, rng.normal(size=(rows, 3))]) @ rng.normal(size=(5, 5))
    right = np.hstack([signal + rng.normal(0, 0.5, (rows, 2)), rng.normal(size=(rows, 2))])
    return left, right @ rng.normal(size=(4, 4))


def test_without_a_ridge_they_are_those_of_scikit_learn() -> None:
    left, right = pairs()
    axes = CanonicalAxes.fit(left, right, np.ones(len(left)), ridge=1e-9)
    ours = axes.place_predicted(left), axes.place_measured(right)
    theirs = CCA(2, max_iter=5000, tol=1e-12).fit(left, right).transform(left, right)
    for axis in range(2):
        for mine, other in zip(ours, theirs, strict=True):
            assert abs(np.corrcoef(mine[:, axis], other[:, axis])[0, 1]) == pytest.approx(1, abs=1e-3)
        agreed = np.corrcoef(theirs[0][:, axis], theirs[1][:, axis])[0, 1]
        assert axes.correlations[axis] == pytest.approx(agreed, abs=1e-3)


def test_an_axis_counts_as_much_as_it_agrees() -> None:
    left, right = pairs()
    axes = CanonicalAxes.fit(left, right, np.ones(len(left)), ridge=1e-9)
    spread = axes.place_measured(right).std(axis=0)
    np.testing.assert_allclose(spread, axes.correlations, rtol=1e-6)
    assert (np.diff(axes.correlations) <= 0).all()


def test_a_weight_is_a_number_of_copies() -> None:
    left, right = pairs(60)
    copies = np.arange(60) % 3 + 1
    weighted = CanonicalAxes.fit(left, right, copies.astype(float))
    repeated = CanonicalAxes.fit(left.repeat(copies, 0), right.repeat(copies, 0), np.ones(copies.sum()))
    np.testing.assert_allclose(weighted.correlations, repeated.correlations)


def test_saved_and_read_they_are_the_same() -> None:
    left, right = pairs(50)
    axes = CanonicalAxes.fit(left, right, np.ones(50))
    again = CanonicalAxes.from_arrays(axes.arrays())
    np.testing.assert_array_equal(axes.place_measured(right), again.place_measured(right))


def test_two_pairs_are_too_few() -> None:
    with pytest.raises(InputError, match="2 pairs"):
        CanonicalAxes.fit(np.eye(2), np.eye(2), np.ones(2))
