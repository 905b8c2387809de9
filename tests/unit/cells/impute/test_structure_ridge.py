"""Ridge regression against that of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from cytomol.cells.impute.structure_ridge import StructureRidge, fingerprint_matrix


@pytest.mark.parametrize("rows", [20, 200])
def test_it_is_the_ridge_of_scikit_learn(rows: int) -> None:
    rng = np.random.default_rng(rows)
    bits = (rng.random((rows, 64)) < 0.2).astype(np.float32)
    profiles = rng.normal(size=(rows, 3)) + bits[:, :3]
    for penalty, found in zip((1.0, 30.0), StructureRidge.fit(bits, profiles, (1.0, 30.0)), strict=True):
        oracle = Ridge(alpha=penalty).fit(bits, profiles)
        np.testing.assert_allclose(found.expected(bits), oracle.predict(bits), atol=1e-4)


def test_a_value_that_is_missing_counts_as_the_mean() -> None:
    bits = np.eye(8, dtype=np.float32)
    profiles = np.ones((8, 1))
    profiles[3] = np.nan
    filled = np.nan_to_num(profiles)
    one, other = (StructureRidge.fit(bits, each, (1.0,))[0] for each in (profiles, filled))
    np.testing.assert_array_equal(one.weights, other.weights)


def test_fingerprints_are_of_bits() -> None:
    found = fingerprint_matrix(["CCO", "c1ccccc1", "nothing"])
    assert found.shape == (3, 2048)
    assert set(np.unique(found)) == {0.0, 1.0}
    assert found[2].sum() == 0
