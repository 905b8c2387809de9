from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import spearmanr
from sklearn import metrics as reference

from cytomol.assays.metrics import MAIN_METRIC, metrics, metrics_of, score_tasks
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
    with pytest.raises(ConfigError, match=r"accuracy, average_precision, brier, .*rmse, roc_auc, spearman"):
        score_tasks(np.ones((2, 1)), np.ones((2, 1)), "auc")


SHARES = st.integers(0, 8).map(lambda i: i / 8)  # 0, 0.5 and 1 too, with many ties


@settings(max_examples=80, deadline=None)
@given(rows=st.lists(st.tuples(st.sampled_from([0.0, 1.0]), SHARES), min_size=1, max_size=40))
def test_metrics_of_probabilities_equal_scikit_learn(rows: list[tuple[float, float]]) -> None:
    labels, probability = np.array(rows).T
    assert metrics["brier"].function(labels, probability) == pytest.approx(
        reference.brier_score_loss(labels, probability, pos_label=1)
    )
    found = metrics["mcc"].function(labels, probability)
    if 0 < labels.sum() < len(labels):
        assert found == pytest.approx(reference.matthews_corrcoef(labels, probability >= 0.5))
    else:
        assert np.isnan(found)


def test_calibration_error_by_hand() -> None:
    error = metrics["calibration_error"].function
    labels, probability = np.array([0.0, 1, 1, 0]), np.array([0.12, 0.18, 1.0, 0.9])
    # bin 0.1 to 0.2: share 1/2 against 0.15; bin 0.9 to 1: share 1/2 against 0.95
    assert error(labels, probability) == pytest.approx(0.5 * 0.35 + 0.5 * 0.45)
    assert np.isnan(error(labels[:0], probability[:0]))
    assert error(np.array([0.0, 1.0]), np.array([0.5, 0.5])) == 0
    assert np.isnan(error(np.zeros(0), np.zeros(0)))


@settings(max_examples=60, deadline=None)
@given(pairs=st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=2, max_size=30))
def test_spearman_equals_scipy_with_ties_and_is_undefined_for_constants(pairs: list[tuple[int, int]]) -> None:
    observed, predicted = np.array(pairs, dtype=float).T
    found = metrics["spearman"].function(observed, predicted)
    if np.ptp(observed) == 0 or np.ptp(predicted) == 0:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(spearmanr(observed, predicted).statistic)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(3, 40))
def test_metrics_of_many_classes_equal_scikit_learn(seed: int, n: int) -> None:
    random = np.random.default_rng(seed)
    observed = random.integers(0, 3, n).astype(float)
    probability = random.dirichlet(np.ones(4), n).round(1)  # class 3 is never measured; ties of the likeliest
    called = probability.argmax(axis=1)
    assert metrics["accuracy"].function(observed, probability) == pytest.approx((called == observed).mean())
    assert metrics["macro_f1"].function(observed, probability) == pytest.approx(
        reference.f1_score(observed, called, average="macro")
    )
    measured = [k for k in range(4) if 0 < (observed == k).sum() < n]
    found = metrics["macro_roc_auc"].function(observed, probability)
    if measured:
        each = [reference.roc_auc_score(observed == k, probability[:, k]) for k in measured]
        assert found == pytest.approx(np.mean(each))
    else:
        assert np.isnan(found)


@pytest.mark.parametrize("name", list(metrics))
def test_a_missing_prediction_has_no_score(name: str) -> None:
    observed = np.array([0.0, 1, 0, 1, 1])
    predicted = np.array([0.2, 0.7, 0.4, 0.1, 0.9])
    if metrics[name].kind == "multiclass":
        predicted = np.column_stack([1 - predicted, predicted])
    assert not np.isnan(metrics[name].function(observed, predicted))
    predicted[-1] = np.nan
    assert np.isnan(metrics[name].function(observed, predicted))


@pytest.mark.parametrize("name", [metric.name for metric in metrics_of("regression")])
@pytest.mark.parametrize("unit", [1e-200, 1e-14, 1e-6, 1e30, 1e200])
def test_scores_of_values_do_not_depend_on_the_unit(name: str, unit: float) -> None:
    observed, predicted = np.random.default_rng(3).normal(5, 1, size=(2, 50))
    plain = metrics[name].function(observed, predicted)
    expected = plain * unit if metrics[name].in_unit else plain
    assert metrics[name].function(observed * unit, predicted * unit) == pytest.approx(
        expected, rel=1e-9, abs=0
    )


@pytest.mark.parametrize("name", [metric.name for metric in metrics_of("regression")])
def test_scores_of_values_far_from_zero(name: str) -> None:
    observed, predicted = np.random.default_rng(3).normal(size=(2, 50))
    expected = metrics[name].function(observed, predicted)
    assert metrics[name].function(observed - 250_000, predicted - 250_000) == pytest.approx(
        expected, rel=1e-7
    )


def test_equal_observations_whose_mean_is_off_by_a_bit_have_no_r2() -> None:
    observed = np.full(3, 0.1)
    assert observed.mean() != observed[0]
    assert np.isnan(metrics["r2"].function(observed, np.arange(3.0)))


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_the_metric_that_counts_comes_first(kind: str) -> None:
    names = [metric.name for metric in metrics_of(kind)]
    assert names[0] == MAIN_METRIC[kind]
    assert len(names) == len(set(names)) >= 3
    assert len({metrics[name].kind for name in names}) == 1


def test_every_metric_points_to_better() -> None:
    """A perfect prediction scores better than a bad one, in the direction that the table says."""
    observed = np.array([0.0, 1, 0, 1, 1, 0])
    for name in metrics:
        metric = metrics[name]
        good, bad = observed, 1 - observed
        if metric.kind == "multiclass":
            good, bad = np.eye(2)[observed.astype(int)], np.eye(2)[1 - observed.astype(int)]
        better = metric.function(observed, good) - metric.function(observed, bad)
        assert better > 0 if metric.higher_is_better else better < 0, name
