"""Scores of drawn molecules against scikit-learn on the drawn rows, one draw at a time."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.quality.resampled import drawn_scores, molecule_interval
from sklearn.metrics import mean_absolute_error, roc_auc_score

SCORES = {"roc_auc": roc_auc_score, "mae": mean_absolute_error}


def drawn(metric: str, draws: int = 20) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return labels with gaps, predictions with ties and how often each molecule was drawn."""
    random = np.random.default_rng(0)
    observed = random.integers(0, 2, (40, 3)).astype(float)
    predicted = (observed + random.normal(0, 1, observed.shape)).round(1)
    if metric == "mae":
        observed += random.normal(0, 1, observed.shape)
    observed[random.random(observed.shape) < 0.2] = np.nan
    weights = random.multinomial(40, np.full(40, 1 / 40), size=draws).astype(float)
    return observed, predicted, weights


@pytest.mark.parametrize("metric", SCORES)
def test_drawn_scores_are_those_of_the_drawn_rows(metric: str) -> None:
    observed, predicted, weights = drawn(metric)
    found = drawn_scores(observed, predicted, weights, metric)
    for draw, task in np.ndindex(found.shape):
        rows = np.repeat(np.arange(40), weights[draw].astype(int))
        rows = rows[~np.isnan(observed[rows, task])]
        expected = SCORES[metric](observed[rows, task], predicted[rows, task])
        assert found[draw, task] == pytest.approx(expected, abs=1e-12)


def test_a_draw_of_one_class_or_of_nothing_has_no_score() -> None:
    observed = np.array([[1.0, np.nan], [0.0, np.nan], [1.0, np.nan]])
    weights = np.array([[1.0, 1.0, 1.0], [1.0, 0.0, 2.0]])
    found = drawn_scores(observed, np.array([[0.9, 0.1], [0.2, 0.1], [0.2, 0.1]]), weights, "roc_auc")
    np.testing.assert_array_equal(found, [[0.75, np.nan], [np.nan, np.nan]])


@pytest.mark.parametrize("metric", SCORES)
def test_the_interval_is_that_of_drawing_rows_one_by_one(metric: str) -> None:
    observed, worse, _ = drawn(metric)
    observed[:, 1] = np.nan  # a task of which a group has nothing
    better = np.where(np.isnan(observed), 0.0, observed) * 0.3 + worse * 0.7
    sign = 1 if metric == "roc_auc" else -1
    random, gains = np.random.default_rng(7), []
    for _ in range(400):
        rows = random.integers(0, 40, 40)
        by_task = []
        for task in (0, 2):
            kept = rows[~np.isnan(observed[rows, task])]
            ours, theirs = (
                SCORES[metric](observed[kept, task], side[kept, task]) for side in (better, worse)
            )
            by_task.append(sign * (ours - theirs))
        gains.append(np.mean(by_task))
    low, high = molecule_interval(observed, [better, better], [worse, worse], metric)
    width = high - low
    assert low == pytest.approx(np.quantile(gains, 0.025), abs=0.15 * width)
    assert high == pytest.approx(np.quantile(gains, 0.975), abs=0.15 * width)
    assert low > 0
    assert molecule_interval(observed, [worse], [worse], metric) == (0.0, 0.0)


def test_seeds_that_differ_widen_the_interval() -> None:
    observed, predicted, _ = drawn("mae")
    alike = molecule_interval(observed, [predicted] * 3, [predicted + 0.2] * 3, "mae")
    shifts = [predicted, predicted + 0.2, predicted - 0.5]
    apart = molecule_interval(observed, shifts, [predicted + 0.2] * 3, "mae")
    assert apart[1] - apart[0] > alike[1] - alike[0]
