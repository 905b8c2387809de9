"""Agreement of replicates against pandas, and where there is none."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from cytomol.corpus.replicate_correlation import replicate_correlations


def test_it_is_the_median_of_pandas_correlations() -> None:
    rng = np.random.default_rng(0)
    rows = np.array([5, 3, 5, 3, 3, 9, 5])
    values = rng.normal(size=(7, 12)).astype(np.float32) * 10 + 3
    scaled = pd.DataFrame(values.astype(np.float64))
    scaled = (scaled - scaled.mean()) / scaled.std(ddof=0)
    found = replicate_correlations(rows, values)
    assert found is not None
    for place, entity in enumerate((3, 5)):
        wells = np.flatnonzero(rows == entity)
        pairs = [scaled.loc[i].corr(scaled.loc[j]) for i, j in combinations(wells, 2)]
        np.testing.assert_allclose(found[place], np.median(pairs), rtol=1e-5)
    assert np.isnan(found[2])


def test_replicates_that_agree_and_those_that_do_not() -> None:
    rng = np.random.default_rng(1)
    signal = np.repeat(rng.normal(size=(20, 50)), 4, axis=0)
    rows = np.repeat(np.arange(20), 4)
    noise = rng.normal(size=(80, 50))
    alike = replicate_correlations(rows, (signal + 0.1 * noise).astype(np.float32))
    nothing = replicate_correlations(rows, noise.astype(np.float32))
    assert alike is not None
    assert nothing is not None
    assert alike.min() > 0.9
    assert abs(nothing.mean()) < 0.1


def test_single_wells_and_empty_ones_say_nothing() -> None:
    assert replicate_correlations(np.arange(3), np.ones((3, 2), np.float32)) is None
    empty = np.full((2, 2), np.nan, np.float32)
    found = replicate_correlations(np.array([0, 0]), empty)
    assert found is not None
    assert found.tolist() == [0]
