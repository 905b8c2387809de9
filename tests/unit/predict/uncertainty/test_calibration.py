"""Calibrators: against scikit-learn's own, and what they may not change."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.calibration import _SigmoidCalibration
from sklearn.isotonic import IsotonicRegression

from cytomol.assays.metrics import expected_calibration_error, roc_auc
from cytomol.checked import Checked
from cytomol.errors import ModelDirectoryError
from cytomol.predict.uncertainty import calibration, fit_calibrators
from cytomol.predict.uncertainty.calibration import Calibrator
from cytomol.predict.uncertainty.held_folds import folds_of


def simulate(n: int, seed: int, *, slope: float = 1.0, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities that are wrong by a slope and a shift of the logit, and labels."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, n)
    return expit(slope * logits + shift), (rng.random(n) < expit(logits)).astype(float)


@pytest.mark.parametrize("seed", range(3))
def test_platt_is_that_of_scikit_learn(seed: int) -> None:
    p, y = simulate(300, seed, slope=3.0, shift=1.0)
    found = calibration._fit_platt(p, y)
    oracle = _SigmoidCalibration().fit(calibration.logit(p), y)
    np.testing.assert_allclose(found.values, [-oracle.a_, -oracle.b_], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(found(p), oracle.predict(calibration.logit(p)), atol=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_isotonic_is_that_of_scikit_learn(seed: int) -> None:
    p, y = simulate(400, seed, slope=3.0)
    p[::7] = p[0]  # ties
    found = calibration._fit_isotonic(p, y)
    oracle = IsotonicRegression(out_of_bounds="clip").fit(p, y)
    asked = np.linspace(0, 1, 201)
    least = 1 / 402
    np.testing.assert_allclose(found(asked), np.clip(oracle.predict(asked), least, 1 - least), atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.2, 5), st.floats(-2, 2))
def test_platt_keeps_the_order_and_so_the_auc(seed: int, slope: float, shift: float) -> None:
    p, y = simulate(80, seed, slope=slope, shift=shift)
    p[:3] = [0.0, 1.0, 0.5]  # a forest says so
    calibrated = calibration._fit_platt(p, y)(p)
    assert np.isfinite(calibrated).all()
    assert ((calibrated >= 0) & (calibrated <= 1)).all()
    assert roc_auc(y, calibrated) == roc_auc(y, p)


def test_a_falling_slope_is_refused() -> None:
    p, y = simulate(200, 0)
    assert calibration._fit_platt(1 - p, y).method == "identity"


def test_overconfidence_is_calibrated_on_new_rows() -> None:
    for slope, shift in ((4.0, 0.0), (1.0, 2.0)):
        p, y = simulate(1000, 0, slope=slope, shift=shift)
        (found,) = fit_calibrators(p[:, None], y[:, None])
        assert found.method in {"platt", "isotonic"}
        new, labels = simulate(20_000, 1, slope=slope, shift=shift)
        before = expected_calibration_error(labels, new)
        after = expected_calibration_error(labels, found(new))
        assert after < 0.04 < before
        assert np.square(found(new) - labels).mean() < np.square(new - labels).mean()


def test_a_step_calls_for_isotonic() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(3000)
    y = (rng.random(3000) < np.where((p > 0.45) & (p < 0.55), 0.5, np.where(p < 0.5, 0.02, 0.55))).astype(
        float
    )
    (found,) = fit_calibrators(p[:, None], y[:, None])
    assert found.method == "isotonic"
    calibrated = found(np.sort(p))
    assert (np.diff(calibrated) >= 0).all()


def test_few_rows_of_a_class_are_never_calibrated_by_steps() -> None:
    for seed in range(20):
        p, y = simulate(1500, seed, slope=2.0)
        y[np.flatnonzero(y == 1)[49:]] = 0
        (found,) = fit_calibrators(p[:, None], y[:, None], seed=seed)
        assert found.method != "isotonic"


def test_calibrated_predictions_are_mostly_left_alone() -> None:
    losses = []
    for seed in range(20):
        p, y = simulate(2000, seed)
        (found,) = fit_calibrators(p[:, None], y[:, None], seed=seed)
        losses.append(np.abs(found(p) - p).max())
    assert np.median(losses) < 0.1


def test_small_tasks_share_a_calibrator_or_have_none() -> None:
    p, y = simulate(600, 0, slope=4.0)
    predicted = np.column_stack([p, p, p, p])
    labels = np.column_stack([y, y, np.ones(600), np.full(600, np.nan)])
    labels[12:, 1] = np.nan  # few rows
    first, few, one_class, unmeasured = fit_calibrators(predicted, labels)
    assert not first.pooled
    for other in (few, one_class, unmeasured):
        assert other.pooled
        assert other.method == "platt"
        np.testing.assert_array_equal(other.values, few.values)
    (alone,) = fit_calibrators(predicted[:, 1:2], labels[:, 1:2])
    assert alone.method == "identity"
    assert not alone.pooled


def test_missing_predictions_stay_missing() -> None:
    p, y = simulate(600, 0, slope=4.0)
    for method in (calibration._fit_platt, calibration._fit_isotonic):
        answer = method(p, y)(np.array([np.nan, 0.5]))
        assert np.isnan(answer).tolist() == [True, False]
    p[0] = np.nan
    (found,) = fit_calibrators(np.column_stack([p]), np.column_stack([y]))
    assert np.isfinite(found.values).all()


def test_equal_input_gives_equal_output() -> None:
    p, y = simulate(500, 3, slope=2.0)
    a, b = (fit_calibrators(p[:, None], y[:, None], seed=5)[0] for _ in range(2))
    np.testing.assert_array_equal(a.values, b.values)


def brute_choice(
    p: np.ndarray, y: np.ndarray, folds: np.ndarray, methods: list[str], near: np.ndarray | None = None
) -> tuple[str, dict[str, tuple[float, float]]]:
    """Return the method by the rule as it is written down, and held-out (log loss, Brier) of all."""
    near = np.full(len(p), np.nan) if near is None else near
    scores = {"identity": (-np.log(np.where(y == 1, p, 1 - p)).mean(), ((p - y) ** 2).mean())}
    for method in methods:
        losses, briers = [], []
        for fold in range(5):
            rest, out = folds != fold, folds == fold
            if method == "similarity":
                fitted = calibration._fit_similarity(p[rest], y[rest], near[rest])
            else:
                fitted = calibration._FITS[method](p[rest], y[rest])
            q = fitted(p[out], near[out])
            losses += (-np.log(np.where(y[out] == 1, q, 1 - q))).tolist()
            briers += ((q - y[out]) ** 2).tolist()
        scores[method] = (float(np.mean(losses)), float(np.mean(briers)))
    allowed = [name for name in scores if scores[name][1] <= scores["identity"][1]]
    return min(allowed, key=lambda name: scores[name][0]), scores


def test_the_choice_is_that_of_brute_force_on_rows_held_out() -> None:
    chosen = []
    for seed in range(30):
        p, y = simulate(60, seed, slope=1.3)
        folds = folds_of(60, classes=y, seed=seed)
        (found,) = fit_calibrators(p[:, None], y[:, None], seed=seed)
        expected, _ = brute_choice(p, y, folds, ["platt"])
        assert found.method == expected
        chosen.append(expected)
    # on the rows that it was fitted on Platt would win nearly always
    assert 5 <= chosen.count("identity") <= 25


def test_many_rows_choose_as_brute_force_does() -> None:
    chosen = set()
    for seed in range(12):
        p, y = simulate(1200, seed, slope=1.2)
        if seed % 3 == 0:
            y = (np.random.default_rng(seed).random(1200) < np.where(p < 0.5, 0.02, 0.55)).astype(float)
        near = np.random.default_rng(seed + 99).random(1200)
        if seed % 3 == 1:  # far away the predictions are worth nothing
            far = near < 0.5
            y[far] = np.random.default_rng(seed).random(far.sum()) < 0.5
        folds = folds_of(1200, classes=y, seed=0)
        (found,) = fit_calibrators(p[:, None], y[:, None], similarity=near)
        expected, _ = brute_choice(p, y, folds, ["platt", "similarity", "isotonic"], near)
        assert found.method == expected
        chosen.add(expected)
    assert {"isotonic", "similarity"} <= chosen


def test_a_better_log_loss_with_a_worse_brier_score_is_refused() -> None:
    """Two confident mistakes among many right answers: the log loss fears them, the Brier score less."""
    decided = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        y = (rng.random(200) < 0.5).astype(float)
        p = np.where(y == 1, 0.985, 0.015) + rng.normal(0, 0.002, 200)
        wrong = rng.choice(200, 3, replace=False)
        p[wrong] = np.where(y[wrong] == 1, 1e-5, 1 - 1e-5)
        folds = folds_of(200, classes=y, seed=0)
        expected, scores = brute_choice(p, y, folds, ["platt"])
        (found,) = fit_calibrators(p[:, None], y[:, None])
        assert found.method == expected
        decided += scores["platt"][0] < scores["identity"][0] and expected == "identity"
    assert decided >= 5


def test_rows_of_a_group_are_never_on_both_sides() -> None:
    """Pairs of equal rows: divided freely, a steep map looks good on the twin that it was fitted on."""
    groups = np.repeat(np.arange(40), 2)
    for seed in range(10):
        p, y = (np.repeat(values, 2) for values in simulate(40, seed))
        folds = folds_of(80, groups, classes=y, seed=seed)
        assert all(len(set(folds[groups == group])) == 1 for group in range(40))
        (found,) = fit_calibrators(p[:, None], y[:, None], groups=groups, seed=seed)
        assert found.method == brute_choice(p, y, folds, ["platt"])[0]


def test_probabilities_draw_together_far_away() -> None:
    rng = np.random.default_rng(0)
    near = rng.random(3000)
    logits = rng.normal(0, 2, 3000)
    y = (rng.random(3000) < expit(logits * near)).astype(float)  # worth nothing at similarity 0
    (found,) = fit_calibrators(expit(logits)[:, None], y[:, None], similarity=near)
    assert found.method == "similarity"
    asked = np.linspace(0.01, 0.99, 99)
    far, close = (found(asked, np.full(99, s)) for s in (0.1, 0.9))
    assert np.ptp(far) < 0.6 * np.ptp(close)
    assert (np.diff(far) >= 0).all()
    assert (np.diff(close) > 0).all()
    np.testing.assert_array_equal(found(asked), found(asked, np.full(99, np.nan)))  # unknown is far
    new, label = rng.random(4000), rng.normal(0, 2, 4000)
    truth = (rng.random(4000) < expit(label * new)).astype(float)
    by_platt = calibration._fit_platt(expit(logits), y)(expit(label))
    assert np.square(found(expit(label), new) - truth).mean() < np.square(by_platt - truth).mean()


@pytest.mark.parametrize(
    ("method", "values", "good"),
    [
        ("identity", [], True),
        ("identity", [1.0], False),
        ("platt", [1.0, 0.0], True),
        ("platt", [1.0, np.nan], False),
        ("similarity", [1.0, 0.0, 1.0, 0.0], True),
        ("similarity", [1.0, 0.0, 1.0], False),
        ("isotonic", [0.1, 0.5, 0.2, 0.2], True),
        ("isotonic", [0.1, 0.2, 0.5, 0.6, 0.0, 0.1, 0.1, 0.9], True),
        ("isotonic", [0.5, 0.1, 0.2, 0.3], False),  # thresholds that fall
        ("isotonic", [0.1, 0.5, 0.3, 0.2], False),
        ("isotonic", [0.1, 0.5, 0.3], False),
        ("isotonic", [], False),
    ],
)
def test_a_saved_calibrator_is_read_or_refused(method: str, values: list[float], good: bool) -> None:
    entry, numbers = Checked({"method": method, "pooled": True}, {}, "calibrator"), np.array(values, float)
    if good:
        read = Calibrator.checked(entry, numbers)
        assert (read.method, read.values.tolist(), read.pooled) == (method, values, True)
    else:
        with pytest.raises(ModelDirectoryError, match=f"calibrator: {len(values)} numbers? (is|are) none of"):
            Calibrator.checked(entry, numbers)
