"""The rules of the verdict on cases made for them."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from cytomol.assays.digits import shown
from cytomol.assays.labels import Labels, Task
from cytomol.errors import InputError
from cytomol.predict.verdict.bootstrap import SampledTask, sampled_scores
from cytomol.predict.verdict.judge import judge, judge_task

VALUE = Task("pIC50", "regression")
CLASS = Task("active", "binary", ("inactive", "active"))
LEVEL = Task("level", "multiclass", ("low", "middle", "high"))
Predicted = dict[str, np.ndarray]


def values(n: int, seed: int = 0, *, error: float = 0.5, forest: float = 0.8) -> tuple[np.ndarray, Predicted]:
    """Return labels, and predictions whose errors are as large as asked for."""
    random = np.random.default_rng(seed)
    observed = random.normal(size=n)
    predicted = {
        "model": observed + random.normal(size=n) * error,
        "constant": np.zeros(n),
        "neighbours": observed + random.normal(size=n) * (forest + 0.3),
        "forest": observed + random.normal(size=n) * forest,
    }
    return observed, predicted


def classes(n: int, seed: int = 0, *, signal: float = 2.0) -> tuple[np.ndarray, Predicted]:
    random = np.random.default_rng(seed)
    observed = (np.arange(n) % 3 == 0).astype(float)
    share = 1 / (1 + np.exp(-(random.normal(size=n) + signal * (observed - 0.5))))
    return observed, {"model": share, "constant": np.full(n, 1 / 3), "forest": random.random(n)}


@pytest.mark.parametrize("n", [30, 120])
@pytest.mark.parametrize("kind", ["regression", "binary", "multiclass"])
def test_noise_is_called_unusable(kind: str, n: int) -> None:
    words = Counter[str]()
    for seed in range(200):
        random = np.random.default_rng(seed)
        if kind == "regression":
            predicted = {"model": random.normal(size=n) * 0.1, "constant": np.zeros(n)}
            found = judge_task(VALUE, random.normal(size=n), predicted, draws=300)
        elif kind == "binary":
            observed = (np.arange(n) % 3 == 0).astype(float)
            found = judge_task(CLASS, observed, {"model": random.random(n)}, draws=300)
        else:
            observed = (np.arange(n) % 3).astype(float)
            found = judge_task(LEVEL, observed, {"model": random.dirichlet(np.ones(3), n)}, draws=300)
        words[found.word] += 1
    assert words["unusable"] >= 190, words


@pytest.mark.parametrize("kind", ["regression", "binary"])
def test_a_clear_signal_is_called_useful(kind: str) -> None:
    words = Counter[str]()
    for seed in range(50):
        task, (observed, predicted) = (
            (VALUE, values(60, seed)) if kind == "regression" else (CLASS, classes(60, seed))
        )
        words[judge_task(task, observed, predicted, draws=300).word] += 1
    assert words == {"useful": 50}


def test_better_than_a_forest_is_said_with_its_interval() -> None:
    observed, predicted = values(300)
    found = judge_task(VALUE, observed, predicted)
    by = found.better_by["forest"]
    gap = np.abs(observed - predicted["forest"]).mean() - np.abs(observed - predicted["model"]).mean()
    assert by.value == pytest.approx(gap)
    assert 0 < by.low < by.value < by.high
    assert found.sentence == f"better than a forest by {by.value:.2f} ({by.low:.2f} to {by.high:.2f})"
    assert found.word == "useful"


def test_the_better_of_the_simple_models_is_the_one_to_beat() -> None:
    observed, predicted = values(300)
    predicted["forest"], predicted["neighbours"] = predicted["neighbours"], predicted["forest"]
    assert judge_task(VALUE, observed, predicted).sentence.startswith(
        "better than the nearest neighbour by 0.2"
    )


def test_worse_than_what_costs_nothing_is_weak() -> None:
    observed, predicted = values(300, error=0.8, forest=0.4)
    found = judge_task(VALUE, observed, predicted)
    assert found.word == "weak"
    assert found.sentence.startswith("worse than a forest by 0.")
    assert found.sentence.endswith(": use that instead")
    assert found.better_by["forest"].high < 0


def test_as_good_as_a_forest() -> None:
    observed, predicted = values(60, error=0.5, forest=0.5)
    found = judge_task(VALUE, observed, predicted)
    assert found.word == "useful"
    assert found.sentence.startswith("as good as a forest, as far as 60 molecules tell (0.")
    predicted["forest"] = predicted["model"]
    assert judge_task(VALUE, observed, predicted).sentence == "the same as a forest"


def test_no_better_than_the_median() -> None:
    observed, predicted = values(100, error=3.0)
    found = judge_task(VALUE, observed, predicted)
    assert (found.word, found.sentence) == ("unusable", "no better than the median: do not use")
    assert any(note.startswith("a forest is better by ") for note in found.notes)
    assert judge_task(CLASS, *classes(90, signal=-2)).sentence == "no better than chance: do not use"


def test_a_gain_that_few_labels_do_not_show_is_said() -> None:
    observed, predicted = values(30, seed=3, error=0.7)
    del predicted["neighbours"], predicted["forest"]
    predicted["model"] = predicted["model"] * 0.1  # right, but drawn in to next to nothing
    predicted["model"][:3] += 1
    found = judge_task(VALUE, observed, predicted)
    by = found.better_by["constant"]
    assert by.low <= 0
    assert by.value > 0
    assert found.word == "unusable"
    assert found.sentence == (
        f"no better than the median: do not use ({by.value:.2f} better, "
        f"interval {by.low:.2f} to {by.high:.2f}, on 30 molecules)"
    )


def test_a_gain_that_one_resample_in_fifty_lacks_is_not_enough() -> None:
    observed = (np.arange(200) % 2).astype(float)
    for seed in range(100):
        predicted = np.random.default_rng(seed).random(200) + 0.1 * observed
        found = judge_task(CLASS, observed, {"model": predicted})
        task = SampledTask(np.arange(200), observed, {0: ("roc_auc", predicted)})
        samples = sampled_scores([task], 200)[0][0]
        lacking = (samples <= 0.5).mean()
        if found.better_by["constant"].low > 0 and lacking > 0.012:
            assert found.word == "unusable"
            break
        if lacking < 0.008:
            assert found.word != "unusable"
    else:
        pytest.fail("no seed has such a gain")


@pytest.mark.parametrize(("n", "signal"), [(2000, 0.25)])
def test_a_sure_but_small_gain_is_weak(n: int, signal: float) -> None:
    observed, predicted = classes(n, signal=signal)
    found = judge_task(CLASS, observed, predicted)
    assert found.word == "weak"
    assert found.sentence.startswith("hardly better than chance: ROC-AUC 0.5")
    values_observed, value_predicted = values(n)
    value_predicted = {"constant": value_predicted["constant"], "model": 0.05 * values_observed}
    found = judge_task(VALUE, values_observed, value_predicted)
    assert found.word == "weak"
    assert found.sentence.startswith("hardly better than the median: MAE 0.7")


def test_what_the_assay_allows_counts_as_the_best() -> None:
    """A fifteenth of the error removed is little, unless no more can be removed."""
    observed, predicted = values(2000)
    predicted = {"constant": predicted["constant"], "model": 0.07 * observed}
    constant = np.abs(observed).mean()
    assert judge_task(VALUE, observed, predicted).word == "weak"
    found = judge_task(VALUE, observed, predicted, ceiling=0.6 * constant)
    assert found.word == "useful"
    assert found.notes == (
        f"the assay's own noise allows MAE {shown(0.6 * constant, observed.std())} at best",
    )
    reached = judge_task(VALUE, observed, predicted, ceiling=0.99 * constant)
    assert reached.notes[0].endswith("at best, which is reached")


@pytest.mark.parametrize("n", [0, 1, 12, 29])
def test_too_few_labels_are_said(n: int) -> None:
    found = judge_task(VALUE, *values(n))
    assert (found.word, found.sentence) == ("unknown", f"too few labels to say ({n}; at least 30)")
    json.dumps(found.to_dict(), allow_nan=False)


def test_repeats_of_a_molecule_are_not_more_molecules() -> None:
    observed, predicted = values(60)
    found = judge_task(VALUE, observed, predicted, groups=np.repeat([f"m{i}" for i in range(20)], 3))
    assert (found.labels, found.molecules, found.sentence) == (
        60,
        20,
        "too few labels to say (20; at least 30)",
    )


def test_repeats_of_a_molecule_widen_every_interval() -> None:
    once, own = values(60)
    observed, predicted = np.tile(once, 4), {name: np.tile(array, 4) for name, array in own.items()}
    blind = judge_task(VALUE, observed, predicted)
    found = judge_task(VALUE, observed, predicted, groups=np.tile(np.arange(60), 4))
    labels, arrays = Labels((VALUE,), observed[:, None]), {k: a[:, None] for k, a in predicted.items()}
    of_table = judge(labels, arrays, groups=np.tile(np.arange(60), 4))["pIC50"]
    for pick in (lambda task: task.better_by["forest"], lambda task: task.scores["model"]["r2"]):
        width = [pick(task).high - pick(task).low for task in (blind, found, of_table)]
        assert width[1] == width[2]
        assert width[1] == pytest.approx(2 * width[0], rel=0.2)


def test_too_few_of_a_class() -> None:
    observed, predicted = classes(90)
    observed[:] = 0
    observed[:9] = 1
    found = judge_task(CLASS, observed, predicted)
    assert found.sentence == "too few labels of class active to say (9; at least 10)"
    observed[9] = 1
    assert judge_task(CLASS, observed, predicted).word != "unknown"
    assert judge_task(CLASS, np.zeros(90), predicted).word == "unknown"


def test_values_that_are_all_the_same() -> None:
    found = judge_task(VALUE, np.ones(50), {"model": np.random.default_rng(0).normal(size=50)})
    assert found.word == "unknown"
    assert "nothing to tell apart" in found.sentence


def test_bounds_and_missing_predictions_are_left_out_and_counted() -> None:
    observed, predicted = values(80)
    bounds = np.zeros(80, dtype=np.int8)
    bounds[:5] = [-1, 1, -1, 1, 1]
    observed[:5] = 1e6  # scored, they would be seen
    observed[5] = np.nan
    predicted["model"][6:8] = np.nan
    found = judge_task(VALUE, observed, predicted, bounds=bounds)
    assert (found.labels, found.censored, found.unpredicted) == (72, 5, 2)
    expected = np.abs(observed - predicted["model"])[8:].mean()
    assert found.scores["model"]["mae"].value == pytest.approx(expected)


def test_a_baseline_without_predictions_is_left_out_and_said() -> None:
    observed, predicted = values(80)
    predicted["forest"][:] = np.nan
    found = judge_task(VALUE, observed, predicted)
    assert set(found.scores) == {"model", "constant", "neighbours"}
    assert found.labels == 80
    assert "a forest has no prediction for it" in found.notes


def test_a_model_without_predictions() -> None:
    observed, predicted = values(80)
    predicted["model"][:] = np.nan
    found = judge_task(VALUE, observed, predicted)
    assert (found.word, found.sentence) == ("unknown", "no predictions for any of 80 labels")


def test_without_a_constant_the_labels_own_median_has_to_be_beaten() -> None:
    observed, predicted = values(80)
    observed += 7
    found = judge_task(VALUE, observed, {"model": predicted["model"] + 7})
    expected = np.abs(observed - np.median(observed)).mean()
    assert found.scores["constant"]["mae"].value == pytest.approx(expected)


def test_probabilities_that_are_off_are_said() -> None:
    observed, predicted = classes(90)
    assert judge_task(CLASS, observed, predicted).notes == ()
    predicted["model"] = 0.9 + predicted["model"] / 10
    assert "probabilities, which are off" in judge_task(CLASS, observed, predicted).notes[0]


def test_many_classes() -> None:
    observed = (np.arange(90) % 3).astype(float)
    right = np.eye(3)[observed.astype(int)]
    found = judge_task(LEVEL, observed, {"model": (right + 1) / 4})
    assert found.word == "useful"
    assert found.scores["model"]["accuracy"].value == 1
    assert found.scores["constant"]["macro_roc_auc"].value == 0.5
    assert found.sentence == "better than chance by 0.500 (0.500 to 0.500)"


@pytest.mark.parametrize(("unit", "middle"), [(1e-14, 0.0), (1e-6, 0.0), (1.0, -250_000.0), (1e30, 0.0)])
def test_the_verdict_does_not_depend_on_the_unit(unit: float, middle: float) -> None:
    observed, predicted = values(100)
    plain = judge_task(VALUE, observed, predicted)
    scaled = {name: array * unit + middle for name, array in predicted.items()}
    found = judge_task(VALUE, observed * unit + middle, scaled)
    assert found.word == plain.word
    by, expected = found.better_by["forest"], plain.better_by["forest"]
    assert (by.low / unit, by.high / unit) == pytest.approx((expected.low, expected.high), rel=1e-6)
    assert found.scores["model"]["r2"].value == pytest.approx(plain.scores["model"]["r2"].value)
    printed = [float(word.strip("()")) for word in found.sentence.split() if word.strip("()")[0].isdigit()]
    assert printed == pytest.approx([by.value, by.low, by.high], rel=0.02)


def test_the_seed_decides_the_intervals_and_nothing_else() -> None:
    observed, predicted = values(60)
    first, again, other = (judge_task(VALUE, observed, predicted, seed=s) for s in (0, 0, 1))
    assert first.to_dict() == again.to_dict()
    assert first.better_by["forest"] != other.better_by["forest"]
    assert first.better_by["forest"].value == other.better_by["forest"].value


def test_wrong_predictions_are_refused() -> None:
    observed, predicted = values(40)
    with pytest.raises(InputError, match="no predictions called 'model'; there are forest"):
        judge_task(VALUE, observed, {"forest": predicted["forest"]})
    with pytest.raises(InputError, match=r"'model' have shape \(39,\) where \(40,\) belongs"):
        judge_task(VALUE, observed, {"model": predicted["model"][1:]})
    labels = Labels((VALUE, CLASS), np.zeros((40, 2)))
    with pytest.raises(InputError, match=r"shape \(40, 1\), labels \(40, 2\)"):
        judge(labels, {"model": np.zeros((40, 1))})
    with pytest.raises(InputError, match="of 1 task, labels of 2"):
        judge(labels, {"model": [np.zeros(40)]})
