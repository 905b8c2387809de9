"""Uncertainty as a whole: state, answers, columns, notes and the report."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from cytomol.errors import ConfigError, InputError, ModelDirectoryError
from cytomol.predict.evidence import Evidence
from cytomol.predict.uncertainty import (
    Uncertainty,
    UncertaintyAnswer,
    coverage_report,
    domain_fingerprints,
    set_of_classes,
    uncertainty_columns,
)

FIXTURES = Path(__file__).parent.parent / "fixtures"

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
    assert "fewer than the 9 held-out molecules that 0.9 takes for finite intervals: few (" in note
    assert fitted.notes(["many", "few"], 0.5) == []
    answer = ask(fitted, data)
    assert np.isinf(answer.high[:, 1]).all()
    assert coverage_report(answer, data["labels"])["tasks"]["1"]["infinite"] == 1
    calibration, few = fit("classification", 40).notes(["a", "b"], 0.99)
    assert calibration.startswith("calibration, chosen by held-out molecules (tasks): ")
    assert "99 held-out molecules" in few


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
    with pytest.raises(ModelDirectoryError, match=r"difficulty.offsets is missing"):
        Uncertainty.restore(table, {k: v for k, v in arrays.items() if k != "difficulty.offsets"})


def test_a_class_is_ruled_out_only_if_it_is_rare_both_ways() -> None:
    held, data = simulate("classification", 800, 2, 3, 0), simulate("classification", 300, 2, 3, 1)
    rare = (held["labels"][:, 1] == 1) & (np.arange(800) % 8 > 0)
    held["labels"][rare, 1] = 0
    fitted = Uncertainty.fit(
        held["predicted"], held["members"], held["labels"], "classification", train_fingerprints=held["bits"]
    )
    answer = ask(fitted, data)
    p_values = fitted.sets.p_values(data["predicted"])
    by_rank, by_probability = p_values[..., 1] > 0.1, answer.calibrated > 0.1
    np.testing.assert_array_equal(answer.contains[..., 1], by_rank | by_probability)
    assert (by_rank & ~by_probability).any()
    assert (by_probability & ~by_rank).any()
    np.testing.assert_array_equal(
        answer.contains[..., 0], (p_values[..., 0] > 0.1) | (1 - answer.calibrated > 0.1)
    )
    # the probability of either class cannot be 0.1 or less at once
    assert answer.contains.any(axis=2).all()


def two_series(n: int, hard: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return scores and classes of an easy series, all of class 1, and a share of a hard, mixed one."""
    rng = np.random.default_rng(seed)
    of_hard = rng.random(n) < hard
    logits = np.where(of_hard, rng.normal(0, 1.2, n), rng.normal(4, 0.5, n))
    y = np.where(of_hard, rng.random(n) < expit(logits), True).astype(float)
    return expit(logits)[:, None], y[:, None]


def test_sets_hold_where_new_molecules_are_of_the_harder_series() -> None:
    predicted, labels = two_series(3000, 0.2, 0)
    bits = np.packbits(np.random.default_rng(0).random((3000, 2048)) < 0.02, axis=1)
    fitted = Uncertainty.fit(predicted, predicted[None], labels, "classification", train_fingerprints=bits)
    asked, truth = two_series(3000, 1.0, 1)
    answer = fitted.answer(asked, asked[None], bits)
    positive = truth[:, 0] == 1
    # nine tenths of class 1 are of the easy series, so that the p-value rules class 1 out of the hard one
    assert (fitted.sets.p_values(asked)[positive, 0, 1] > 0.1).mean() < 0.7
    assert answer.contains[positive, 0, 1].mean() > 0.9
    assert answer.contains[~positive, 0, 0].mean() > 0.88


def mixed() -> tuple[Uncertainty, dict[str, np.ndarray], dict[str, Uncertainty]]:
    """Return an uncertainty of a class and a value, its data, and that of either task alone."""
    one, two = simulate("classification", 400, 1, 3, 0), simulate("regression", 400, 1, 3, 1)
    data = {key: np.concatenate([one[key], two[key]], axis=-1) for key in ("predicted", "members", "labels")}
    data["bits"] = one["bits"]
    near = np.random.default_rng(0).beta(3, 3, 400)
    kinds = ["classification", "regression"]
    given = {"train_fingerprints": data["bits"], "similarity": near, "groups": np.arange(400) // 2}
    fitted = Uncertainty.fit(data["predicted"], data["members"], data["labels"], kinds, **given)
    alone = {
        kind: Uncertainty.fit(part["predicted"], part["members"], part["labels"], kind, **given)
        for kind, part in zip(kinds, (one, two), strict=True)
    }
    return fitted, data, alone


def test_tasks_of_both_kinds_are_answered_as_each_alone() -> None:
    fitted, data, alone = mixed()
    answer = ask(fitted, data)
    assert fitted.kind == answer.kind == "mixed"
    for place, kind in enumerate(("classification", "regression")):
        own = {key: data[key][..., [place]] for key in ("predicted", "members")} | {"bits": data["bits"]}
        single = ask(alone[kind], own)
        for name in ("calibrated", "spread", "low", "high", "p_values", "contains"):
            found = getattr(answer, name)[:, [place]]
            np.testing.assert_array_equal(found, getattr(single, name), err_msg=name)
    frame = answer.frame(["active", "value"])
    assert frame.columns.tolist() == uncertainty_columns(["active", "value"], answer.kinds)
    assert {"active_set", "value_low"} <= set(frame.columns)
    assert not {"active_low", "value_set", "value_calibrated"} & set(frame.columns)
    assert set(frame["domain"]) <= {"inside", "edge", "outside"}
    report = coverage_report(answer, data["labels"], names=["active", "value"])
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    rows = [report["tasks"][name]["rows"] for name in ("active", "value")]
    shares = [report["tasks"][name]["coverage"] for name in ("active", "value")]
    assert report["overall"]["coverage"] == pytest.approx(np.average(shares, weights=rows))
    assert report["overall"]["error_inside"] is None
    assert_same(fitted.restated(fitted.restated(answer, 0.5), 0.9), answer)
    table, arrays = fitted.state()
    assert_same(ask(Uncertainty.restore(json.loads(json.dumps(table)), arrays), data), answer)


def test_bounds_are_left_out() -> None:
    data = simulate("regression", 200, 2, 2, 0)
    censored = np.zeros((200, 2), dtype=bool)
    censored[:70, 1] = True
    given = {"train_fingerprints": data["bits"]}
    found = Uncertainty.fit(
        data["predicted"], data["members"], data["labels"], "regression", censored=censored, **given
    )
    without = np.where(censored, np.nan, data["labels"])
    expected = Uncertainty.fit(data["predicted"], data["members"], without, "regression", **given)
    assert_same(ask(found, data), ask(expected, data))
    assert found.rows[1] < found.rows[0]


def test_a_set_of_several_classes() -> None:
    fitted, data = fit("classification", 400, 3), simulate("classification", 50, 3, 3, 1)
    data["predicted"][7, 2] = np.nan
    answer = ask(fitted, data)
    found = set_of_classes(answer, [2, 0], ["low", "high"])
    for row, text in enumerate(found):
        held = [name for name, column in (("low", 2), ("high", 0)) if answer.contains[row, column, 1]]
        assert text == (None if row == 7 else "|".join(held))
    assert len(set(found)) > 2


def test_similarities_that_were_found_before_are_not_searched_for_again() -> None:
    fitted, data = fit("regression"), simulate("regression", 20, 2, 3, 1)
    data["bits"][4] = 0
    evidence = Evidence.fit(["C"] * 400, np.zeros((400, 1)), fitted.domain.fingerprints)
    assert evidence.fingerprints is fitted.domain.fingerprints
    near = evidence.nearest(data["bits"])
    answer = fitted.answer(
        data["predicted"], data["members"], np.zeros_like(data["bits"]), neighbours=near.similarity
    )
    assert_same(answer, ask(fitted, data))


@pytest.mark.parametrize("wrong", ["similarity", "groups", "censored", "kind"])
def test_clues_that_do_not_fit_are_refused(wrong: str) -> None:
    data = simulate("regression", 20, 2, 2, 0)
    shapes = {"similarity": np.zeros(19), "groups": np.zeros(21, int), "censored": np.zeros((20, 1), bool)}
    given = {wrong: shapes[wrong]} if wrong in shapes else {}
    kind = ["regression"] if wrong == "kind" else "regression"
    with pytest.raises(InputError, match="kinds" if wrong == "kind" else f"{wrong} has shape"):
        Uncertainty.fit(
            data["predicted"], data["members"], data["labels"], kind, train_fingerprints=data["bits"], **given
        )


@pytest.mark.parametrize("name", ["head", "head-values", "model-neighbours", "recipe-backbone"])
def test_what_the_first_version_saved_answers_as_it_did(name: str) -> None:
    with zipfile.ZipFile(FIXTURES / f"{name}.zip") as archive:
        table = json.loads(archive.read(f"{name}/uncertainty.json"))
        saved = safetensors.numpy.load(archive.read(f"{name}/statistics.safetensors"))
    assert table["version"] == 1
    arrays = {
        key.removeprefix("uncertainty."): a for key, a in saved.items() if key.startswith("uncertainty.")
    }
    fitted = Uncertainty.restore(table, arrays)
    text = pd.read_csv(FIXTURES / f"{name}.csv", dtype=str, keep_default_na=False)
    tasks = text.columns[1 : 1 + fitted.tasks].tolist()

    def numbers(suffix: str) -> np.ndarray:
        return text[[f"{task}{suffix}" for task in tasks]].replace("", "nan").to_numpy(np.float64)

    predicted = numbers("")
    off = numbers("_std") / np.sqrt(2)
    members = np.stack([predicted + off, predicted - off]) if fitted.members == 2 else predicted[None]
    if fitted.members > 2:  # any members with this spread
        steps = np.arange(fitted.members) - (fitted.members - 1) / 2
        members = predicted + numbers("_std") * (steps / steps.std(ddof=1))[:, None, None]
    bits = domain_fingerprints(text["smiles"].tolist(), workers=1)
    answer = fitted.answer(predicted, members, bits)
    frame = answer.frame(tasks)
    np.testing.assert_allclose(frame["similarity"], text["similarity"].astype(float), rtol=1e-5)
    assert frame["in_domain"].astype(str).tolist() == text["in_domain"].tolist()
    assert [word != "outside" for word in frame["domain"]] == [value == "True" for value in text["in_domain"]]
    for task in tasks:
        if table["kind"] == "classification":
            assert frame[f"{task}_set"].tolist() == text[f"{task}_set"].tolist()
            np.testing.assert_allclose(
                frame[f"{task}_calibrated"], numbers("_calibrated")[:, tasks.index(task)]
            )
        else:
            for end in ("low", "high"):
                np.testing.assert_allclose(frame[f"{task}_{end}"], numbers(f"_{end}")[:, 0], rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_version_asked_the_p_value_alone(kind: str) -> None:
    """A state as 0.1 wrote it, of enough rows that its sets and intervals say something."""
    fitted, data = fit(kind, 400), simulate(kind, 300, 2, 3, 1)
    table, arrays = fitted.state()
    first = {**table, "version": 1, "kind": kind}
    for key in ("kinds", "difficulty", "both_ways", "similarity_edge"):
        del first[key]
    old = {
        key: array for key, array in arrays.items() if not key.startswith(("difficulty.", "domain.limits"))
    }
    old["domain.threshold"] = np.array([fitted.domain.threshold])
    old["interval.floor"] = np.array([np.nan, 0.25])
    answer = ask(Uncertainty.restore(first, old), data)
    assert answer.limits.tried is False
    if kind == "classification":
        p_values = fitted.sets.p_values(data["predicted"])
        np.testing.assert_array_equal(answer.p_values, p_values)
        assert (answer.contains != ask(fitted, data).contains).any()
    else:
        for task, scale in ((0, np.ones(300)), (1, answer.spread[:, 1] + 0.25)):
            half = np.sort(fitted.intervals.scores[task])
            half = half[int(np.ceil(0.9 * (len(half) + 1))) - 1]
            np.testing.assert_allclose(answer.high[:, task], data["predicted"][:, task] + half * scale)
