"""Slopes, intervals and the mean where nothing better is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.cells.impute.feature_calibration import FeatureCalibration, deal_groups
from cytomol.corpus.typical import TypicalProfile
from cytomol.errors import ConfigError, InputError


def _typical(width: int, mean: float = 3.0) -> TypicalProfile:
    one = np.ones(width, np.float32)
    return TypicalProfile(mean * one, 2 * one, one / 2, 100)


def _drawn(seed: int, rows: int = 600, width: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Return decoded and measured profiles; the last half of the features is noise, slopes are 0.5."""
    rng = np.random.default_rng(seed)
    decoded = rng.normal(size=(rows, width))
    known = np.arange(width) < width // 2
    measured = 0.5 * decoded * known + rng.normal(scale=0.5, size=(rows, width))
    return (decoded + 3).astype(np.float32), (measured + 3).astype(np.float32)


def test_overstated_features_are_drawn_back_and_noise_gets_the_mean() -> None:
    decoded, measured = _drawn(0)
    found = FeatureCalibration.fit([decoded], measured, [f"s{i // 2}" for i in range(600)], _typical(8))
    np.testing.assert_allclose(found.slope[0, :4], 0.5, atol=0.07)
    assert (found.slope[0, 4:] < 0.1).all()
    assert (found.slope[0, 4:] == 0).any()
    assert found.mean_alone == (found.slope == 0).sum()
    expected = found.expected([decoded])
    unknown = found.slope[0] == 0
    np.testing.assert_array_equal(expected[:, unknown], np.float32(3.0))
    np.testing.assert_allclose(found.half_width, 0.5 * 1.645, rtol=0.2)  # of the noise, by the normal law
    assert found.calibrated
    assert (found.molecules, found.scaffolds) == (600, 300)


def test_two_sources_are_joined_better_than_either() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 900, 8))
    measured = 0.6 * one + 0.3 * other + rng.normal(size=(900, 8))
    told = [(source * 2 + 3).astype(np.float32) for source in (one, other)]
    measured = (measured * 2 + 3).astype(np.float32)
    joint = FeatureCalibration.fit(told, measured, [""] * 900, _typical(8))
    np.testing.assert_allclose(joint.slope.mean(axis=1), [0.6, 0.3], atol=0.05)
    alone = [FeatureCalibration.fit([source], measured, [""] * 900, _typical(8)) for source in told]
    assert joint.error < min(one.error for one in alone)
    assert joint.half_width.mean() < min(one.half_width.mean() for one in alone)


def test_a_source_that_only_harms_is_left_out() -> None:
    decoded, measured = _drawn(3)
    noise = (np.random.default_rng(9).normal(size=decoded.shape, scale=5) + 3).astype(np.float32)
    found = FeatureCalibration.fit([decoded, noise], measured, [""] * 600, _typical(8))
    assert found.slope[0, :4] == pytest.approx(0.5, abs=0.07)
    assert (found.slope[1] < 0.02).all()


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9])
def test_intervals_hold_what_they_promise(coverage: float) -> None:
    shares = []
    for seed in range(12):
        decoded, measured = _drawn(seed, rows=1200)
        half = slice(0, 400), slice(400, None)
        found = FeatureCalibration.fit(
            [decoded[half[0]]], measured[half[0]], [""] * 400, _typical(8), coverage=coverage
        )
        inside = np.abs(measured[half[1]] - found.expected([decoded[half[1]]])) <= found.half_width
        shares.append(inside.mean())
    assert np.mean(shares) == pytest.approx(coverage, abs=0.015)


@given(seed=st.integers(0, 50), missing=st.floats(0, 0.6), width=st.integers(1, 6))
@settings(max_examples=25, deadline=None)
def test_missing_values_shift_nothing(seed: int, missing: float, width: int) -> None:
    rng = np.random.default_rng(seed)
    decoded, measured = _drawn(seed, rows=80, width=width)
    measured[rng.random(measured.shape) < missing] = np.nan
    measured[:, 0] = np.nan
    groups = [f"s{i}" for i in rng.integers(0, 40, 80)]
    found = FeatureCalibration.fit([decoded], measured, groups, _typical(width))
    assert (found.slope >= 0).all()
    assert np.isfinite(found.slope).all()
    assert np.isinf(found.half_width[0])
    assert (found.half_width > 0).all()
    order = rng.permutation(80)
    again = FeatureCalibration.fit([decoded], measured, groups, _typical(width))
    np.testing.assert_array_equal(found.half_width, again.half_width)
    alone = FeatureCalibration.fit(
        [decoded[order]], measured[order], [groups[i] for i in order], _typical(width)
    )
    assert (alone.molecules, alone.scaffolds) == (found.molecules, found.scaffolds)
    assert np.isinf(alone.half_width[0])


def test_a_feature_of_few_scaffolds_has_no_interval() -> None:
    decoded, measured = _drawn(0, rows=80)
    groups = [f"s{row // 2}" for row in range(80)]
    measured[16:, 0] = np.nan  # 16 molecules of 8 scaffolds; 9 are needed
    measured[18:, 1] = np.nan
    half_width = FeatureCalibration.fit([decoded], measured, groups, _typical(8)).half_width
    assert np.isinf(half_width).tolist() == [True] + [False] * 7


@given(sizes=st.lists(st.integers(1, 9), min_size=5, max_size=30), folds=st.integers(2, 5))
@settings(deadline=None, max_examples=20)
def test_groups_are_dealt_whole_and_evenly(sizes: list[int], folds: int) -> None:
    number = np.repeat(np.arange(len(sizes)), sizes)
    fold = deal_groups(number, folds)
    assert all(len(set(fold[number == group])) == 1 for group in range(len(sizes)))
    counts = np.bincount(fold, minlength=folds)
    assert counts.max() - counts.min() <= max(sizes)


def test_too_few_scaffolds_and_a_coverage_beyond_bounds_are_errors() -> None:
    decoded, measured = _drawn(0, rows=30)
    with pytest.raises(InputError, match="30 molecules of 3 scaffolds cannot calibrate"):
        FeatureCalibration.fit([decoded], measured, ["a", "b", "c"] * 10, _typical(8))
    with pytest.raises(InputError, match="at least 99 scaffolds"):
        FeatureCalibration.fit([decoded], measured, [""] * 30, _typical(8), coverage=0.99)
    with pytest.raises(ConfigError, match="coverage 1"):
        FeatureCalibration.from_spread(_typical(2), 1.0)
