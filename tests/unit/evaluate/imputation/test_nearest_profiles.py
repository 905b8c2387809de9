"""Nearest neighbours against those of scikit-learn."""

from __future__ import annotations

import numpy as np
from sklearn.neighbors import KNeighborsRegressor

from cytomol.evaluate.imputation.nearest_profiles import nearest_profiles


def test_they_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    known, asked = ((rng.random((n, 512)) < 0.3).astype(np.float32) for n in (60, 15))
    profiles = rng.normal(size=(60, 3))
    for count, found in zip((1, 4), nearest_profiles(known, profiles, asked, (1, 4)), strict=True):
        oracle = KNeighborsRegressor(count, metric="jaccard").fit(known.astype(bool), profiles)
        np.testing.assert_allclose(found, oracle.predict(asked.astype(bool)), atol=1e-12)
