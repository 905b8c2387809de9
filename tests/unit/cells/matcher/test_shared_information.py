"""Shared information against SciPy's normal densities, and the cosine that orders by it."""

from __future__ import annotations

import numpy as np
from scipy.stats import multivariate_normal, norm

from cytomol.cells.matcher.shared_information import SharedInformation

CORRELATIONS = np.array([0.9, 0.5, 0.0])


def variates(rows: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 3))
    return x, CORRELATIONS * x + np.sqrt(1 - CORRELATIONS**2) * rng.normal(size=(rows, 3))


def test_it_is_the_log_ratio_of_densities_up_to_a_constant() -> None:
    x, y = variates(12)
    found = SharedInformation(CORRELATIONS, np.ones(2)).information(x, y)
    expected = np.zeros_like(found)
    for axis, r in enumerate(CORRELATIONS):
        joint = multivariate_normal(cov=[[1, r], [r, 1]])
        for i, j in np.ndindex(found.shape):
            a, b = x[i, axis], y[j, axis]
            expected[i, j] += joint.logpdf([a, b]) - norm.logpdf(a) - norm.logpdf(b)
    np.testing.assert_allclose(found - found[0, 0], expected - expected[0, 0], atol=1e-9)


def test_the_cosine_orders_both_directions_by_it() -> None:
    x, y = variates()
    shared = SharedInformation.fit(CORRELATIONS, x, y)
    shared = SharedInformation(CORRELATIONS, shared.lengths * 100)  # nothing is cut
    molecules, profiles = shared.molecules(x), shared.profiles(y)
    for places in (molecules, profiles):
        np.testing.assert_allclose(np.linalg.norm(places, axis=1), 1, atol=1e-6)
    cosine = molecules.astype(float) @ profiles.T.astype(float)
    information = shared.information(x, y)
    apart = np.abs(np.diff(np.sort(information, axis=1), axis=1)).min()
    assert apart > 0
    np.testing.assert_allclose(cosine * np.prod(shared.lengths), information, atol=0.05)
    for mine, true in ((cosine, information), (cosine.T, information.T)):
        ranks = [rows.argsort(axis=1).argsort(axis=1) for rows in (mine, true)]
        agreement = [np.corrcoef(one, other)[0, 1] for one, other in zip(*ranks, strict=True)]
        assert min(agreement) > 0.999


def test_few_rows_are_cut_and_keep_length_one() -> None:
    x, y = variates()
    shared = SharedInformation.fit(CORRELATIONS, x, y)
    far = shared.profiles(np.vstack([y, 1e3 * y[:1]]))
    np.testing.assert_allclose(np.linalg.norm(far, axis=1), 1, atol=1e-6)
    cut = shared.profiles(y)[:, -1] < 1e-3
    assert 0 < cut.mean() < 0.03


def test_without_correlation_all_pairs_are_alike() -> None:
    x, y = variates()
    shared = SharedInformation.fit(np.zeros(3), x, y)
    scores = shared.molecules(x) @ shared.profiles(y).T
    np.testing.assert_allclose(scores, scores[0, 0], atol=1e-6)
