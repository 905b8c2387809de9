"""Tests over folds agree with linear models, integrals and Student's t that are computed another way."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from benchmarks.quality.repeated.paired import anova, resampled, tukey
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

seeds = st.integers(0, 10_000)


def drawn(seed: int, folds: int = 6, models: int = 4) -> np.ndarray:
    random = np.random.default_rng(seed)
    fold, model = random.normal(size=(folds, 1)), random.normal(size=models)
    return 0.8 + 0.05 * fold + 0.01 * model + 0.01 * random.normal(size=(folds, models))


def left_over(values: np.ndarray, *columns: np.ndarray) -> float:
    design = np.hstack(columns)
    target = values.ravel()
    fitted = design @ np.linalg.lstsq(design, target, rcond=None)[0]
    return float(((target - fitted) ** 2).sum())


@pytest.mark.parametrize("shape", [(5, 3), (25, 8), (2, 2)])
def test_the_variance_is_that_of_two_linear_models(shape: tuple[int, int]) -> None:
    values = drawn(1, *shape)
    folds, models = shape
    by_fold = np.kron(np.eye(folds), np.ones((models, 1)))
    by_model = np.kron(np.ones((folds, 1)), np.eye(models))
    rest = left_over(values, by_fold, by_model)
    freedom = (folds - 1) * (models - 1)
    ratio = (left_over(values, by_fold) - rest) / (models - 1) / (rest / freedom)
    found = anova(values)
    assert found.freedom == freedom
    assert found.error == pytest.approx(rest / freedom)
    assert found.f == pytest.approx(ratio)
    assert found.p == pytest.approx(stats.f.sf(ratio, models - 1, freedom))


def test_an_analysis_by_hand() -> None:
    # means 3, 4, 8 of the models and 3, 5, 7 of the folds: 42 between models, 4 left over
    found = anova(np.array([[1.0, 2.0, 6.0], [4.0, 4.0, 7.0], [4.0, 6.0, 11.0]]))
    assert found.f == pytest.approx((42 / 2) / (4 / 4))
    assert found.error == pytest.approx(1.0)


@settings(max_examples=10, deadline=None)
@given(seeds, st.integers(2, 12))
def test_two_models_alone_give_the_paired_t_test(seed: int, folds: int) -> None:
    values = drawn(seed, folds, 2)
    student = stats.ttest_rel(values[:, 0], values[:, 1])
    assert anova(values).f == pytest.approx(student.statistic**2)
    assert tukey(values)[0, 1].p == pytest.approx(student.pvalue, abs=1e-6)
    alone = resampled(values[:, 0] - values[:, 1], 0.0)
    assert alone.p == pytest.approx(student.pvalue)
    ends = student.confidence_interval(0.95)
    assert (alone.low, alone.high) == pytest.approx((ends.low, ends.high))
    assert tukey(values)[0, 1][:2] == pytest.approx((ends.low, ends.high), rel=1e-4, abs=1e-6)


def test_tukey_holds_together_over_all_pairs() -> None:
    """Drawn folds of models that are alike: one in twenty families has an interval that leaves 0 out."""
    random = np.random.default_rng(0)
    values = random.normal(size=(2_000, 5, 4)) + random.normal(size=(2_000, 5, 1))
    means = values.mean(axis=1)
    widest = np.ptp(means, axis=1)
    one = next(iter(tukey(values[0]).values()))
    scale = (one.high - one.low) / 2 / np.sqrt(anova(values[0]).error)
    half = [scale * np.sqrt(anova(each).error) for each in values]
    assert (widest > half).mean() == pytest.approx(0.05, abs=0.015)


def test_shared_training_rows_widen_the_test() -> None:
    gaps = np.array([0.02, 0.01, 0.03, 0.0, 0.04])  # mean 0.02, variance 0.00025
    found = resampled(gaps, 0.25)
    t = 0.02 / np.sqrt((1 / 5 + 1 / 4) * 0.00025)
    assert found.p == pytest.approx(2 * stats.t.sf(t, 4))
    assert found.d == pytest.approx(0.02 / np.sqrt(0.00025))
    half = 2.776445 * np.sqrt(0.45 * 0.00025)
    assert (found.low, found.high) == pytest.approx((0.02 - half, 0.02 + half))
    many = resampled(gaps, 0.25, comparisons=7)
    assert many.p == found.p
    assert many.high - many.low > found.high - found.low


def below(t: float, freedom: int, centre: float) -> float:
    """Share of (Z + centre) / sqrt(V / freedom) below t, integrated over V."""

    def part(v: float) -> float:
        return float(stats.norm.cdf(t * np.sqrt(v / freedom) - centre) * stats.chi2.pdf(v, freedom))

    return float(quad(part, 0, np.inf, limit=200)[0])


@pytest.mark.parametrize("folds", [3, 5, 15, 25])
@pytest.mark.parametrize("shift", [0.0, 0.7, -3.0])
def test_the_interval_of_the_effect_size_is_that_of_a_noncentral_t(folds: int, shift: float) -> None:
    gaps = np.random.default_rng(folds).normal(size=folds) + shift
    found, factor = resampled(gaps, 0.25), np.sqrt(1 / folds + 0.25)
    t = found.d / factor
    assert below(t, folds - 1, found.d_low / factor) == pytest.approx(0.975, abs=1e-5)
    assert below(t, folds - 1, found.d_high / factor) == pytest.approx(0.025, abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(seeds, st.floats(0, 1))
def test_the_interval_of_the_effect_size_agrees_with_p(seed: int, ratio: float) -> None:
    random = np.random.default_rng(seed)
    found = resampled(random.normal(random.normal(), 1, size=8), ratio)
    assume(abs(found.p - 0.05) > 1e-6)
    assert (found.d_low > 0 or found.d_high < 0) == (found.p < 0.05)
    assert (found.low > 0 or found.high < 0) == (found.p < 0.05)
    assert found.d_low < found.d < found.d_high


@settings(max_examples=10, deadline=None)
@given(seeds, st.integers(0, 10_000))
def test_what_a_fold_does_to_all_models_changes_nothing(seed: int, other: int) -> None:
    values = drawn(seed)
    moved = values + np.random.default_rng(other).normal(size=(len(values), 1))
    assert anova(moved) == pytest.approx(anova(values))
    before, after = tukey(values), tukey(moved)
    assert all(after[pair] == pytest.approx(before[pair], abs=1e-9) for pair in before)


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_swapped_models_change_the_sign(seed: int) -> None:
    values = drawn(seed, 5, 3)
    one, two = tukey(values)[0, 2], tukey(values[:, ::-1])[0, 2]
    assert (one.low, one.high, one.p) == pytest.approx((-two.high, -two.low, two.p))
    first, second = resampled(values[:, 0] - values[:, 2], 0.3), resampled(values[:, 2] - values[:, 0], 0.3)
    assert first.p == pytest.approx(second.p)
    assert (first.d, first.d_low, first.d_high) == pytest.approx((-second.d, -second.d_high, -second.d_low))


@pytest.mark.parametrize(
    ("gaps", "p"), [(np.zeros(5), 1.0), (np.full(5, 0.1), np.nan), (np.array([0.1]), np.nan)]
)
def test_without_chance_there_is_no_test(gaps: np.ndarray, p: float) -> None:
    found = resampled(gaps, 0.25)
    assert found.p == pytest.approx(p, nan_ok=True)
    assert np.isnan([found.low, found.high, found.d, found.d_low, found.d_high]).all()
    assert found.difference == pytest.approx(gaps.mean())


@pytest.mark.parametrize("make", [lambda: np.ones((1, 3)), lambda: np.arange(5.0)[:, None] + np.arange(3.0)])
def test_a_single_fold_or_no_error_leave_nothing_to_compare_with(make: Callable[[], np.ndarray]) -> None:
    assert np.isnan(anova(make()).p)
    assert all(np.isnan(pair.p) for pair in tukey(make()).values())
