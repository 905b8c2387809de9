"""Conformal answers: against brute force, and the coverage that they state."""

from __future__ import annotations

import importlib
import warnings
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.errors import ConfigError
from cytomol.predict.uncertainty import PredictionIntervals, PredictionSets
from cytomol.predict.uncertainty.conformal import ROUNDING, check_coverage, rows_needed
from cytomol.predict.uncertainty.intervals import interval

NONE = np.nan


def column(values: object) -> np.ndarray:
    return np.asarray(values, dtype=np.float64)[:, None]


def brute_quantile(scores: np.ndarray, coverage: float) -> float:
    """Return the smallest q with at least ceil((n + 1) coverage) scores not above it (Vovk et al.)."""
    rank = int(np.ceil(round((len(scores) + 1) * coverage, 9)))
    return float("inf") if rank > len(scores) else float(np.sort(scores)[rank - 1])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1000), st.integers(0, 49), st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99]))
def test_intervals_are_those_of_brute_force(seed: int, n: int, coverage: float) -> None:
    rng = np.random.default_rng(seed)
    predicted, labels = rng.normal(size=n), rng.normal(size=n)
    fitted = PredictionIntervals.fit(column(predicted), column(np.full(n, NONE)), column(labels))
    asked = column(rng.normal(size=4))
    low, high = fitted.bounds(asked, np.full((4, 1), NONE), coverage)
    half = brute_quantile(np.abs(predicted - labels), coverage)
    np.testing.assert_allclose(low, asked - half)
    np.testing.assert_allclose(high, asked + half)
    assert np.isinf(half) == (n < rows_needed(coverage))


@pytest.fixture(scope="module")
def crepes() -> ModuleType:
    """The library; its import would have every UserWarning of the process shown."""
    with warnings.catch_warnings():
        return importlib.import_module("crepes")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 60), st.floats(0.01, 0.99))
def test_intervals_are_those_of_crepes_to_the_bit(
    crepes: ModuleType, seed: int, n: int, coverage: float
) -> None:
    rng = np.random.default_rng(seed)
    scores, asked, scale = np.sort(rng.exponential(size=n).round(1)), rng.normal(size=4), rng.random(4)
    for difficulty in (None, scale):
        ones = None if difficulty is None else np.ones(n)
        regressor = crepes.ConformalRegressor().fit(scores, sigmas=ones)
        with warnings.catch_warnings():  # too few rows
            warnings.simplefilter("ignore", UserWarning)
            theirs = regressor.predict_int(asked, sigmas=difficulty, confidence=coverage - ROUNDING)
        ours = np.column_stack(interval(scores, asked, difficulty, coverage))
        np.testing.assert_array_equal(ours, theirs)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1000), st.integers(0, 60))
def test_p_values_are_those_of_crepes_to_the_bit(crepes: ModuleType, seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    predicted, labels = rng.random(n).round(1), (rng.random(n) < 0.3).astype(float)  # rounding makes ties
    asked = rng.random(9).round(1)
    ours = PredictionSets.fit(column(predicted), column(labels)).p_values(column(asked))
    for value in (0, 1):
        own = predicted[labels == value]
        score, scores = (1 - asked, 1 - own) if value else (asked, own)
        theirs = crepes.ConformalClassifier().fit(scores).predict_p(score, smoothing=False)
        np.testing.assert_array_equal(ours[:, 0, value], theirs)


@pytest.mark.parametrize(("coverage", "rows"), [(0.9, 9), (0.8, 4), (0.95, 19), (0.99, 99), (0.5, 1)])
def test_the_rows_that_a_coverage_needs(coverage: float, rows: int) -> None:
    assert rows_needed(coverage) == rows


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1000), st.integers(0, 60), st.sampled_from([0.5, 0.8, 0.9, 0.95]))
def test_sets_are_those_of_brute_force(seed: int, n: int, coverage: float) -> None:
    rng = np.random.default_rng(seed)
    predicted, labels = rng.random(n).round(1), (rng.random(n) < 0.3).astype(float)  # rounding makes ties
    asked = rng.random(9).round(1)
    fitted = PredictionSets.fit(column(predicted), column(labels))
    p_values = fitted.p_values(column(asked))
    contains = fitted.contains(p_values, coverage)
    for value in (0, 1):
        own = predicted[labels == value]
        for row, p in enumerate(asked):
            score, scores = (1 - p, 1 - own) if value else (p, own)
            expected = (1 + (scores >= score).sum()) / (len(own) + 1)
            assert p_values[row, 0, value] == pytest.approx(expected)
            # in the set just where the score is within the conformal quantile of its class
            assert contains[row, 0, value] == (score <= brute_quantile(scores, coverage))


def test_too_few_rows_of_a_class_leave_it_in_every_set() -> None:
    predicted, labels = np.linspace(0, 1, 30), np.r_[np.zeros(22), np.ones(8)]
    fitted = PredictionSets.fit(column(predicted), column(labels))
    assert fitted.rows.tolist() == [8]
    contains = fitted.contains(fitted.p_values(column(np.linspace(0, 1, 50))), 0.9)
    assert contains[:, 0, 1].all()
    assert not contains[:, 0, 0].all()


@pytest.mark.parametrize("coverage", [0.8, 0.9])
@pytest.mark.parametrize("n", [9, 25, 80])
@pytest.mark.parametrize("members", [1, 5])
def test_intervals_cover_what_they_state(n: int, coverage: float, members: int) -> None:
    """Over many draws of held-out and new rows, errors that grow with the spread among them."""
    rng = np.random.default_rng(n)
    covered = []
    for _ in range(400):
        difficulty = rng.gamma(2.0, 1.0, n + 20)
        error = rng.standard_t(4, n + 20) * difficulty
        spread = column(difficulty * rng.uniform(0.7, 1.3, n + 20))
        if members == 1:
            spread[:] = NONE
        center = column(rng.normal(size=n + 20))
        labels = center + column(error)
        fitted = PredictionIntervals.fit(center[:n], spread[:n], labels[:n])
        low, high = fitted.bounds(center[n:], spread[n:], coverage)
        covered.append(((low <= labels[n:]) & (labels[n:] <= high)).mean())
    error = np.std(covered) / np.sqrt(len(covered))
    assert np.mean(covered) >= coverage - 3 * error
    if n == 80:
        assert np.mean(covered) <= coverage + 0.03


@pytest.mark.parametrize("rate", [0.5, 0.1])
def test_sets_cover_either_class(rate: float) -> None:
    rng = np.random.default_rng(0)
    found: dict[int, list[float]] = {0: [], 1: []}
    for _ in range(300):
        labels = (rng.random(260) < rate).astype(float)
        predicted = 1 / (1 + np.exp(-rng.normal(2 * labels - 3, 1.0)))
        fitted = PredictionSets.fit(column(predicted[:200]), column(labels[:200]))
        contains = fitted.contains(fitted.p_values(column(predicted[200:])), 0.9)[:, 0]
        for value in (0, 1):
            found[value] += contains[labels[200:] == value, value].tolist()
    for value in (0, 1):
        assert 0.885 <= np.mean(found[value]) <= 0.96


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_a_higher_coverage_never_answers_more_narrowly(seed: int, a: float, b: float) -> None:
    less, more = sorted((a, b))
    rng = np.random.default_rng(seed)
    predicted, labels = column(rng.random(60)), column((rng.random(60) < 0.5).astype(float))
    asked = column(rng.random(20))
    sets = PredictionSets.fit(predicted, labels)
    p_values = sets.p_values(asked)
    assert (sets.contains(p_values, more) >= sets.contains(p_values, less)).all()
    spread = column(rng.random(60))
    intervals = PredictionIntervals.fit(predicted, spread, labels)
    (low, high), (lower, higher) = (intervals.bounds(asked, spread[:20], c) for c in (less, more))
    assert (lower <= low).all()
    assert (higher >= high).all()


def test_the_spread_is_used_only_where_it_helps() -> None:
    rng = np.random.default_rng(1)
    difficulty = rng.gamma(1.0, 1.0, (500, 1))
    predicted = np.zeros((500, 2))
    labels = np.column_stack([rng.normal(size=500) * difficulty[:, 0], rng.normal(size=500)])
    fitted = PredictionIntervals.fit(predicted, np.repeat(difficulty, 2, axis=1), labels)
    assert [difficulty.name for difficulty in fitted.difficulty] == ["spread", "constant"]
    low, high = fitted.bounds(predicted, np.repeat(difficulty, 2, axis=1), 0.9)
    width = high - low
    assert np.corrcoef(width[:, 0], difficulty[:, 0])[0, 1] > 0.99
    assert np.ptp(width[:, 1]) < 1e-12


def test_missing_predictions_have_no_answer() -> None:
    asked = np.array([[NONE, 0.4]])
    labels = np.tile([0.0, 1.0], 15)[:, None] * np.ones((1, 2))
    predicted = np.random.default_rng(0).random((30, 2))
    sets = PredictionSets.fit(predicted, labels)
    p_values = sets.p_values(asked)
    assert np.isnan(p_values[0, :, 0]).tolist() == [True, False]
    assert not sets.contains(p_values, 0.9)[0, 0].any()
    low, high = PredictionIntervals.fit(predicted, predicted * NONE, labels).bounds(asked, asked * NONE, 0.9)
    assert np.isnan(low[0]).tolist() == np.isnan(high[0]).tolist() == [True, False]


def test_the_library_leaves_the_warnings_of_the_process_alone() -> None:
    before = list(warnings.filters)
    fitted = PredictionIntervals.fit(np.zeros((3, 1)), np.full((3, 1), NONE), np.ones((3, 1)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        low, _ = fitted.bounds(np.zeros((2, 1)), np.full((2, 1), NONE), 0.9)
    assert np.isinf(low).all()
    assert list(warnings.filters) == before


@pytest.mark.parametrize("coverage", [0.0, 1.0, 90.0, float("nan")])
def test_a_coverage_that_is_none(coverage: float) -> None:
    with pytest.raises(ConfigError, match="is not between 0 and 1"):
        check_coverage(coverage)
