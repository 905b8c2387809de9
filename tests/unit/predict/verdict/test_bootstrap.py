from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.stats import norm

from cytomol.predict.verdict.bootstrap import bootstrap_difference, bootstrap_score, estimate, resamples


def data(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    observed = random.normal(size=n)
    return observed, observed + random.normal(size=n)


def test_every_resample_has_as_many_rows_and_all_differ() -> None:
    counts = np.concatenate(list(resamples(50, draws=40, seed=3)), axis=1)
    assert counts.shape == (50, 40)
    assert (counts.sum(axis=0) == 50).all()
    assert len(np.unique(counts, axis=1).T) == 40
    assert counts.mean() == 1


def test_resamples_depend_on_the_seed_alone() -> None:
    first, again, other = (np.concatenate(list(resamples(30, draws=10, seed=s)), axis=1) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_each_row_is_drawn_as_often_as_any_other() -> None:
    counts = np.concatenate(list(resamples(20, draws=5000)), axis=1)
    np.testing.assert_allclose(counts.mean(axis=1), 1, atol=0.06)
    np.testing.assert_allclose(counts.var(axis=1), 0.95, atol=0.1)  # binomial, 20 draws of 1/20


def test_many_rows_are_drawn_in_parts_that_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cytomol.predict.verdict.bootstrap._CELLS", 100)
    parts = list(resamples(30, draws=10))
    assert [part.shape[1] for part in parts] == [3, 3, 3, 1]
    assert all((part.sum(axis=0) == 30).all() for part in parts)


def test_repeats_of_a_molecule_are_drawn_together() -> None:
    groups = np.array(["a", "b", "a", "c", "b", "a"])
    counts = np.concatenate(list(resamples(6, groups=groups, draws=200)), axis=1)
    for name in "abc":
        own = counts[groups == name]
        assert (own == own[0]).all()
    assert (counts[[0, 1, 3]].sum(axis=0) == 3).all()  # three groups each time
    assert counts.sum(axis=0).std() > 0


def test_the_interval_of_a_mean_error_is_that_of_theory() -> None:
    observed, predicted = data(400)
    found = bootstrap_score(observed, predicted, "mae")
    errors = np.abs(observed - predicted)
    half = 1.96 * errors.std() / 20
    assert found.value == pytest.approx(errors.mean())
    assert (found.low, found.high) == pytest.approx((errors.mean() - half, errors.mean() + half), rel=0.02)


def test_repeats_widen_the_interval() -> None:
    observed, predicted = data(100)
    once = bootstrap_score(observed, predicted, "mae")
    four = bootstrap_score(
        np.tile(observed, 4), np.tile(predicted, 4), "mae", groups=np.tile(np.arange(100), 4)
    )
    blind = bootstrap_score(np.tile(observed, 4), np.tile(predicted, 4), "mae")
    assert four.high - four.low == pytest.approx(once.high - once.low, rel=0.1)
    assert blind.high - blind.low == pytest.approx((once.high - once.low) / 2, rel=0.1)


def test_intervals_hold_the_true_roc_auc_in_about_95_of_100() -> None:
    true = norm.cdf(1 / np.sqrt(2))  # two normals one apart
    held = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        observed = (np.arange(120) % 2).astype(float)
        found = bootstrap_score(observed, random.normal(size=120) + observed, "roc_auc", draws=400)
        held += found.low <= true <= found.high
    assert 180 <= held <= 198


@pytest.mark.parametrize(("metric", "sign"), [("mae", -1), ("r2", 1)])
def test_a_difference_is_positive_where_the_first_is_better(metric: str, sign: int) -> None:
    observed, predicted = data(200)
    worse = predicted + np.random.default_rng(5).normal(size=200)
    found = bootstrap_difference(observed, predicted, worse, metric)
    scores = [bootstrap_score(observed, each, metric).value for each in (predicted, worse)]
    assert found.value == pytest.approx(sign * (scores[0] - scores[1]))
    assert 0 < found.low < found.value < found.high


def test_what_is_hard_for_both_cancels() -> None:
    """Paired: two models that differ little have a narrow difference however wide their scores are."""
    observed, predicted = data(100)
    found = bootstrap_difference(observed, predicted, predicted + 0.01, "mae")
    score = bootstrap_score(observed, predicted, "mae")
    assert found.high - found.low < 0.05 * (score.high - score.low)
    same = bootstrap_difference(observed, predicted, predicted, "mae")
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_one_class_has_no_interval() -> None:
    found = bootstrap_score(np.ones(20), np.linspace(0, 1, 20), "roc_auc")
    assert np.isnan([found.value, found.low, found.high]).all()
    assert found.to_dict() == {"value": None, "low": None, "high": None}


def test_too_many_undefined_draws_leave_no_interval() -> None:
    samples = np.full(100, np.nan)
    samples[:50] = 1.0
    assert np.isnan(estimate(1.0, samples).low)
    samples[50] = 1.0
    assert estimate(1.0, samples).low == 1.0


def test_no_rows_at_all() -> None:
    assert np.isnan(bootstrap_score(np.zeros(0), np.zeros(0), "mae").value)


def test_two_thousand_draws_of_five_thousand_molecules_take_seconds() -> None:
    observed = (np.arange(5000) % 3 == 0).astype(float)
    score = np.random.default_rng(0).normal(size=5000) + observed
    started = time.process_time()
    found = bootstrap_score(observed, score, "roc_auc")
    assert time.process_time() - started < 5  # about 0.6 alone on a core
    assert found.low < found.value < found.high
