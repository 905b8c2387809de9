"""Cosine similarity of profiles against correlation coefficients."""

from __future__ import annotations

import numpy as np
import pytest

from cytomol.context import cosine
from cytomol.context.cosine import (
    cluster_profiles,
    comparable_values,
    complete,
    cosine_histogram,
    cosine_pairs,
    standardise_rows,
)


def heavy_tailed(n: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_t(1.5, (n, width)).astype(np.float32)


def test_cosine_of_standardised_rows_is_correlation() -> None:
    values = heavy_tailed(30, 12)
    values[4, 3] = 1e30  # squares beyond float32
    unit = standardise_rows(values)
    np.testing.assert_allclose(unit @ unit.T, np.corrcoef(values.astype(np.float64)), atol=1e-5)


def test_missing_counts_as_column_mean() -> None:
    values = heavy_tailed(10, 4)
    values[0, 1], values[3, 1], values[:, 2] = np.nan, np.inf, np.nan
    filled = complete(values)
    kept = np.delete(values[:, 1], [0, 3])
    np.testing.assert_allclose(filled[[0, 3], 1], kept.mean(), rtol=1e-5)
    assert (filled[:, 2] == 0).all()
    assert np.isnan(values[0, 1])  # the input stays as it was
    np.testing.assert_array_equal(standardise_rows(values), standardise_rows(filled))


def test_constant_profiles_are_similar_to_nothing() -> None:
    values = np.vstack([np.full((2, 5), 0.1), np.full((1, 5), 1e20), heavy_tailed(2, 5)]).astype(np.float32)
    unit = standardise_rows(values)
    assert not unit[:3].any()
    assert cosine_histogram(unit, np.array([0.5], np.float32))[1] == 1


def test_units_are_judged_by_the_features_that_move() -> None:
    values = 1e-4 * np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
    values[:, 4:] = 7  # a constant has no unit
    assert comparable_values(values, "auto") is values
    values[:, 0] *= 1e6
    scaled = comparable_values(values, "auto")
    assert np.abs(np.median(scaled[:, :4], axis=0)).max() < 1e-3
    assert scaled[:, :4].std(axis=0).max() < 3


@pytest.mark.parametrize("block", [7, 1024])
def test_pairs_and_histogram_equal_all_pairs(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cosine, "_BLOCK", block)
    values = heavy_tailed(40, 5)
    values[17] = 2 * values[3] + 1  # same profile up to scale and shift
    groups = np.random.default_rng(1).integers(0, 3, 40)
    similarity = np.corrcoef(values.astype(np.float64))
    unit, edges = standardise_rows(values), np.array([0.4, 0.6, 0.9], np.float32)
    for labels in (None, groups):
        compared = np.triu(np.ones((40, 40), bool), 1)
        if labels is not None:
            compared &= labels[:, None] == labels
        i, j, found = cosine_pairs(unit, 0.4, groups=labels)
        wanted = np.argwhere(compared & (similarity >= 0.4))
        assert set(zip(i.tolist(), j.tolist(), strict=True)) == set(map(tuple, wanted.tolist()))
        np.testing.assert_allclose(found, similarity[i, j], atol=1e-5)
        assert found.max() <= 1
        histogram, candidates = cosine_histogram(unit, edges, groups=labels)
        assert candidates == compared.sum()
        assert histogram.tolist() == [
            int((compared & (similarity >= low) & (similarity < high)).sum())
            for low, high in [(0.4, 0.6), (0.6, 0.9), (0.9, 2)]
        ]


def test_clusters_separate_what_is_far_apart() -> None:
    rng = np.random.default_rng(0)
    centres = np.repeat([[0, 0, 0], [50, 0, 0], [0, 50, 0]], 10, axis=0)
    values = (centres + rng.normal(size=(30, 3))).astype(np.float32)
    labels = cluster_profiles(values, clusters=3)
    assert [len(set(part)) for part in np.split(labels, 3)] == [1, 1, 1]
    assert len(set(labels)) == 3
    np.testing.assert_array_equal(labels, cluster_profiles(values, clusters=3))


@pytest.mark.parametrize("shape", [(0, 4), (1, 4), (5, 1), (3, 0)])
def test_small_tables(shape: tuple[int, int]) -> None:
    values = np.ones(shape, np.float32)
    assert cluster_profiles(values).shape == (shape[0],)
    unit = standardise_rows(values)
    assert unit.shape == shape
    assert len(cosine_pairs(unit, 0.5)[0]) == 0
