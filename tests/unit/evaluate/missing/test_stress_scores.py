"""Matching against a search by hand, imputation against scikit-learn and SciPy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr
from sklearn.metrics import r2_score

from cytomol.evaluate.missing.stress_scores import imputation_scores, matching_scores


@given(
    table=st.integers(1, 5).flatmap(
        lambda n: st.lists(st.lists(st.integers(0, 3), min_size=n, max_size=n), min_size=n, max_size=n)
    )
)
def test_matching_is_the_mean_over_all_orders_of_ties(table: list[list[int]]) -> None:
    similarity = np.array(table, np.float32)
    n = len(similarity)
    reciprocal = []
    for row in range(n):
        found = []
        for order in itertools.permutations(range(n)):  # candidates in any order, then sorted by likeness
            ranked = sorted(order, key=lambda column: -similarity[row, column])
            found.append(1 / (ranked.index(row) + 1))
        reciprocal.append(np.mean(found))
    scores = {(score.task, score.metric): score for score in matching_scores(similarity)}
    assert scores["molecule to profile", "mrr"].score == pytest.approx(np.mean(reciprocal))
    turned = {(score.task, score.metric): score for score in matching_scores(similarity.T)}
    assert turned["profile to molecule", "mrr"].score == scores["molecule to profile", "mrr"].score


def test_an_answer_that_knows_nothing_scores_by_chance() -> None:
    for score in matching_scores(np.zeros((37, 37))):
        assert score.score == pytest.approx(score.chance)
        assert score.n == 37
    # equal profiles, whose cosines differ by the order in which they were summed
    similarity = np.full((37, 37), 0.5) + 1e-9 * np.random.default_rng(0).normal(size=(37, 37))
    assert all(score.score == pytest.approx(score.chance) for score in matching_scores(similarity))


def test_the_share_in_the_top_is_counted() -> None:
    similarity = np.random.default_rng(1).normal(size=(40, 40))
    share = np.mean([(similarity[row] > similarity[row, row]).sum() < 2 for row in range(40)])
    found = {(score.task, score.metric): score.score for score in matching_scores(similarity)}
    assert found["molecule to profile", "top5"] == share


def test_imputation_against_other_programs() -> None:
    rng = np.random.default_rng(2)
    measured = rng.normal(size=(60, 5))
    imputed = 0.5 * measured + rng.normal(size=(60, 5))
    mean, spread = measured.mean(axis=0), measured.std(axis=0)
    r2, correlation = imputation_scores(measured, imputed, mean, spread)
    assert r2.score == pytest.approx(r2_score(measured, imputed, multioutput="uniform_average"))
    apart, told = (measured - mean) / spread, (imputed - mean) / spread
    each = [pearsonr(one, other).statistic for one, other in zip(apart, told, strict=True)]
    assert correlation.score == pytest.approx(np.mean(each))
    assert r2.low < r2.score < r2.high
    assert correlation.low < correlation.score < correlation.high


def test_the_mean_has_no_r2_and_what_was_not_measured_does_not_count() -> None:
    rng = np.random.default_rng(3)
    measured = rng.normal(size=(30, 4))
    mean, spread = np.zeros(4), np.ones(4)
    scores = imputation_scores(measured, np.broadcast_to(mean, (30, 4)), mean, spread)
    assert [score.score for score in scores] == [0.0, 0.0]
    gaps = measured.copy()
    gaps[0], gaps[1, 2] = np.nan, np.nan
    full = imputation_scores(gaps, measured, mean, spread)
    assert [score.score for score in full] == pytest.approx([1.0, 1.0])
    assert full[0].n == 29
    # a feature that did not vary in training says nothing
    flat = imputation_scores(measured, measured + np.array([0, 0, 0, 9.0]), mean, np.array([1, 1, 1, 0.0]))
    assert flat[0].score == pytest.approx(1.0)


@pytest.mark.parametrize("measured", [np.full((3, 2), np.nan), np.zeros((3, 2)), np.zeros((1, 1))])
def test_nothing_to_tell_apart_is_a_number(measured: np.ndarray) -> None:
    width = measured.shape[1]
    for score in imputation_scores(measured, np.ones(measured.shape), np.zeros(width), np.ones(width)):
        assert np.isfinite([score.score, score.low, score.high]).all()


def test_an_interval_holds_what_it_should() -> None:
    """Of samples with a known share in the top, about 95% have it in their interval."""
    rng = np.random.default_rng(4)
    inside = 0
    for trial in range(60):
        hits = rng.random(80) < 0.4
        similarity = np.where(np.eye(80, dtype=bool), np.where(hits, 1.0, -1.0)[:, None], 0.0)
        score = matching_scores(similarity, seed=trial)[1]
        inside += score.low <= 0.4 <= score.high
    assert inside >= 50
