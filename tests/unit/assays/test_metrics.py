from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics as reference

from cytomol.assays.metrics import metrics, score_tasks
from cytomol.errors import ConfigError

SCORES = arrays(np.float64, st.integers(2, 40), elements=st.integers(-4, 4).map(float))  # many ties


@settings(max_examples=60, deadline=None)
@given(score=SCORES, data=st.data())
def test_classification_metrics_equal_scikit_learn(score: np.ndarray, data: st.DataObject) -> None:
    labels = np.array(
        data.draw(st.lists(st.sampled_from([0.0, 1.0]), min_size=len(score), max_size=len(score)))
    )
    if 0 < labels.sum() < len(labels):
        assert metrics["roc_auc"].function(labels, score) == pytest.approx(
            reference.roc_auc_score(labels, score)
        )
        assert metrics["average_precision"].function(labels, score) == pytest.approx(
            reference.average_precision_score(labels, score)
        )
    else:
        assert np.isnan(metrics["roc_auc"].function(labels, score))
        assert np.isnan(metrics["average_precision"].function(labels, score))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(2, 50))
def test_regression_metrics_equal_scikit_learn(seed: int, n: int) -> None:
    observed, predicted = np.random.default_rng(seed).normal(size=(2, n))
    assert metrics["mae"].function(observed, predicted) == pytest.approx(
        reference.mean_absolute_error(observed, predicted)
    )
    assert metrics["rmse"].function(observed, predicted) == pytest.approx(
        reference.root_mean_squared_error(observed, predicted)
    )
    assert metrics["r2"].function(observed, predicted) == pytest.approx(
        reference.r2_score(observed, predicted)
    )


def test_tasks_are_scored_over_measured_rows_and_averaged_where_both_classes_are() -> None:
    nan = np.nan
    observed = np.array([[1, nan, 1], [0, nan, 1], [1, nan, nan], [0, nan, nan], [nan, nan, 1]], dtype=float)
    predicted = np.array([[0.9, 0, 0], [0.1, 0, 0], [0.4, 0, 0], [0.6, 0, 0], [5.0, 0, 0]])
    mean, tasks = score_tasks(observed, predicted, "roc_auc")
    expected = reference.roc_auc_score(observed[:4, 0], predicted[:4, 0])
    assert mean == pytest.approx(expected)
    np.testing.assert_allclose(tasks, [expected, nan, nan])


def test_no_task_with_a_score_gives_nan() -> None:
    mean, tasks = score_tasks(np.ones((3, 2)), np.zeros((3, 2)), "roc_auc")
    assert np.isnan(mean)
    assert np.isnan(tasks).all()


def test_constant_observations_have_no_r2() -> None:
    assert np.isnan(metrics["r2"].function(np.ones(3), np.arange(3.0)))


def test_shapes_must_agree() -> None:
    with pytest.raises(ConfigError, match=r"\(2, 1\).*\(3, 1\)"):
        score_tasks(np.ones((2, 1)), np.ones((3, 1)), "mae")


def test_unknown_metric_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="average_precision, mae, r2, rmse, roc_auc"):
        score_tasks(np.ones((2, 1)), np.ones((2, 1)), "auc")
