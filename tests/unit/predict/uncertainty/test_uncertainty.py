"""Uncertainty as a whole: state, answers, columns, notes and the report."""

from __future__ import annotations

import json

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from cytomol.errors import ConfigError, InputError, ModelDirectoryError
from cytomol.predict.uncertainty import (
    Uncertainty,
    UncertaintyAnswer,
    coverage_report,
    expected_calibration_error,
    uncertainty_columns,
)

KINDS = ("classification", "regression")


def simulate(kind: str, n: int, tasks: int, members: int, seed: int) -> dict[str, np.ndarray]:
    """Return predictions of an overconfident ensemble, labels with holes, and fingerprints."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, 1.5, (n, tasks))
    noisy = truth + rng.normal(0, 0.5, (members, n, tasks))
    if kind == "classification":
        members_say = expit(3 * noisy)
        predicted = expit(3 * noisy.mean(axis=0))
        labels = (rng.random((n, tasks)) < expit(truth)).astype(float)
    else:
        members_say, predicted = noisy, noisy.mean(axis=0)
        labels = truth + rng.normal(0, 1, (n, tasks))
    labels[rng.random((n, tasks)) < 0.2] = np.nan
    bits = np.packbits(rng.random((n, 2048)) < 0.02, axis=1)
    return {"predicted": predicted, "members": members_say, "labels": labels, "bits": bits}


def fit(kind: str, n: int = 400, tasks: int = 2, members: int = 3, seed: int = 0) -> Uncertainty:
    data = simulate(kind, n, tasks, members, seed)
    return Uncertainty.fit(
        data["predicted"], data["members"], data["labels"], kind, train_fingerprints=data["bits"], seed=seed
    )


def ask(fitted: Uncertainty, data: dict[str, np.ndarray], coverage: float = 0.9) -> UncertaintyAnswer:
    return fitted.answer(data["predicted"], data["members"], data["bits"], coverage)


def assert_same(a: UncertaintyAnswer, b: UncertaintyAnswer) -> None:
    assert a._arrays().keys() == b._arrays().keys()
    np.testing.assert_array_equal(a.limits.values(), b.limits.values())
    for name, array in a._arrays().items():
        np.testing.assert_array_equal(array, b._arrays()[name], err_msg=name)


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(KINDS), st.integers(1, 300), st.integers(1, 3), st.integers(1, 4), st.integers(0, 99))
def test_it_answers_alike_after_a_round_trip(kind: str, n: int, tasks: int, members: int, seed: int) -> None:
    fitted = fit(kind, n, tasks, members, seed)
    table, arrays = fitted.state()
    restored = Uncertainty.restore(
        json.loads(json.dumps(table, allow_nan=False)),
        safetensors.numpy.load(safetensors.numpy.save(arrays)),
    )
    data = simulate(kind, 12, tasks, members, seed + 1)
    assert_same(ask(fitted, data, 0.8), ask(restored, data, 0.8))


@pytest.mark.parametrize("kind", KINDS)
def test_answers_and_their_report(kind: str) -> None:
    fitted, data = fit(kind, 1500), simulate(kind, 4000, 2, 3, 1)
    answer = ask(fitted, data)
    np.testing.assert_allclose(answer.spread, data["members"].std(axis=0, ddof=1))
    report = coverage_report(answer, data["labels"], names=["a", "b"])
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert list(report["tasks"]) == ["a", "b"]
    for scores in (report["overall"], *report["tasks"].values()):
        # a class is ruled out only if it is rare both ways, so that sets hold more than they state
        assert 0.87 <= scores["coverage"] <= (1 if kind == "classification" else 0.93)
        assert scores["rows"] == scores["rows_inside"] + scores["rows_outside"]
        if kind == "classification":
            assert scores["ece_after"] < 0.5 * scores["ece_before"]
            assert scores["brier_after"] < scores["brier_before"]
            assert min(scores["coverage_0"], scores["coverage_1"]) >= 0.86
            assert 1 <= scores["mean_set_size"] < 2
    rows = ~np.isnan(data["labels"])
    if kind == "regression":
        inside = (answer.low <= data["labels"]) & (data["labels"] <= answer.high)
        assert report["overall"]["coverage"] == pytest.approx(inside[rows].mean())
        assert report["overall"]["mean_width"] == pytest.approx((answer.high - answer.low)[rows].mean())
    else:
        sizes = answer.contains.sum(axis=2)[rows]
        assert report["overall"]["singletons"] == pytest.approx((sizes == 1).mean())


def test_calibration_error_by_hand() -> None:
    p, y = np.array([0.05, 0.05, 0.95, 1.0, 0.5]), np.array([0.0, 1.0, 1.0, 1.0, 0.0])
    expected = (2 * abs(0.5 - 0.05) + 2 * abs(1 - 0.975) + 0.5) / 5
    assert expected_calibration_error(p, y) == pytest.approx(expected)
    assert np.isnan(expected_calibration_error(p[:0], y[:0]))


@pytest.mark.parametrize("kind", KINDS)
def test_columns(kind: str) -> None:
    fitted, data = fit(kind), simulate(kind, 6, 2, 3, 1)
    data["predicted"][0, 1] = np.nan
    data["bits"][2] = 0
    frame = ask(fitted, data).frame(["a", "b"])
    assert frame.columns.tolist() == uncertainty_columns(["a", "b"], kind)
    assert frame["in_domain"].isna().tolist() == [False, False, True, False, False, False]
    own = [name for name in frame.columns if name.startswith("b_")]
    assert frame.loc[0, own].isna().all()
    if kind == "classification":
        assert set(frame["a_set"]) <= {"", "0", "1", "0|1"}
        contains = ask(fitted, data).contains[:, 0]
        assert [("0" in s, "1" in s) for s in frame["a_set"]] == list(map(tuple, contains.tolist()))
    else:
        assert (frame["a_low"] < data["predicted"][:, 0]).all()


def test_parts_are_put_together_and_apart() -> None:
    fitted, data = fit("classification"), simulate("classification", 10, 2, 3, 1)
    whole = ask(fitted, data)
    cut = [slice(0, 4), slice(4, 10)]
    parts = [fitted.answer(data["predicted"][c], data["members"][:, c], data["bits"][c], 0.9) for c in cut]
    assert_same(UncertaintyAnswer.join(parts), whole)
    wide = whole.spread_out(np.arange(10) * 2, 20)
    assert_same(wide.spread_out(np.arange(20), 20), wide)
    np.testing.assert_array_equal(wide.calibrated[::2], whole.calibrated)
    assert np.isnan(wide.calibrated[1::2]).all()
    assert not wide.contains[1::2].any()
    assert not wide.in_domain[1::2].any()


def test_notes_name_tasks_with_few_rows() -> None:
    data = simulate("regression", 60, 2, 2, 0)
    data["labels"][8:, 1] = np.nan
    fitted = Uncertainty.fit(
        data["predicted"], data["members"], data["labels"], "regression", train_fingerprints=data["bits"]
    )
    (note,) = fitted.notes(["many", "few"], 0.9)
    assert "fewer than the 9 validation rows that 0.9 takes for finite intervals: few (" in note
    assert fitted.notes(["many", "few"], 0.5) == []
    answer = ask(fitted, data)
    assert np.isinf(answer.high[:, 1]).all()
    assert coverage_report(answer, data["labels"])["tasks"]["1"]["infinite"] == 1
    calibration, few = fit("classification", 40).notes(["a", "b"], 0.99)
    assert calibration.startswith("calibration, chosen by validation rows (tasks): ")
    assert "99 validation rows" in few


def test_what_does_not_fit_is_refused() -> None:
    fitted, data = fit("regression"), simulate("regression", 5, 2, 3, 1)
    with pytest.raises(InputError, match=r"expected \(5, 2\) and \(3, 5, 2\)"):
        fitted.answer(data["predicted"], data["members"][:2], data["bits"])
    with pytest.raises(ConfigError, match="coverage 90 is not between 0 and 1"):
        ask(fitted, data, 90)
    with pytest.raises(InputError, match="labels have shape"):
        coverage_report(ask(fitted, data), data["labels"][:, :1])
    with pytest.raises(InputError, match="predictions have shape"):
        Uncertainty.fit(
            data["predicted"], data["members"][0], data["labels"], "regression",
            train_fingerprints=data["bits"],
        )  # fmt: skip
    table, arrays = fitted.state()
    with pytest.raises(ModelDirectoryError, match="newer"):
        Uncertainty.restore({**table, "version": 99}, arrays)
    with pytest.raises(ModelDirectoryError, match=r"lacks .*difficulty.offsets"):
        Uncertainty.restore(table, {k: v for k, v in arrays.items() if k != "difficulty.offsets"})
