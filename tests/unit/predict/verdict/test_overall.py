"""The verdict over the tasks of a table, and how it is printed."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cytomol.assays.labels import Labels, Task
from cytomol.assays.metrics import metrics
from cytomol.predict.verdict.judge import judge, judge_task
from cytomol.predict.verdict.overall import gain_of

N = 120
TASKS = (
    Task("good", "regression"),
    Task("noise", "regression"),
    Task("active", "binary", ("no", "yes")),
    Task("level", "multiclass", ("low", "middle", "high")),
    Task("rare", "regression"),
)


def table(*names: str) -> tuple[Labels, dict[str, list[np.ndarray]]]:
    """Return labels of the tasks that are named, and predictions of a model and a forest."""
    random = np.random.default_rng(0)
    x = random.normal(size=N)
    level = np.digitize(x, [-0.5, 0.5])
    matrix = np.column_stack([1000 * x, random.normal(size=N), x > 0.3, level, x])
    matrix[12:, 4] = np.nan

    def predicted(error: float) -> list[np.ndarray]:
        z = x + random.normal(size=N) * error
        near = np.exp(-4 * np.abs(np.digitize(z, [-0.5, 0.5])[:, None] - np.arange(3)))
        noise = random.normal(size=N)
        return [1000 * z, noise, 1 / (1 + np.exp(-z)), near / near.sum(axis=1, keepdims=True), z]

    chosen = [place for place, task in enumerate(TASKS) if task.name in (names or {t.name for t in TASKS})]
    labels = Labels(tuple(TASKS[place] for place in chosen), matrix[:, chosen])
    return labels, {
        name: [arrays[place] for place in chosen]
        for name, arrays in (("model", predicted(0.3)), ("forest", predicted(0.9)))
    }


def test_each_task_is_judged_as_if_it_were_alone() -> None:
    labels, predicted = table()
    found = judge(labels, predicted, seed=4)
    assert [task.word for task in found.tasks] == ["useful", "unusable", "useful", "useful", "unknown"]
    for place, task in enumerate(labels.tasks[:4]):  # measured throughout, so that the draws are the same
        own = {name: arrays[place] for name, arrays in predicted.items()}
        alone = judge_task(task, labels.matrix[:, place], own, seed=4)
        assert alone.to_dict() == found[task.name].to_dict()


def test_one_task_speaks_for_itself() -> None:
    labels, predicted = table("noise")
    found = judge(labels, predicted)
    assert (found.word, found.sentence) == ("unusable", found.tasks[0].sentence)


@pytest.mark.parametrize(
    ("names", "word"),
    [
        (("good", "noise"), "useful"),
        (("good", "active", "noise"), "useful"),
        (("noise", "rare"), "unusable"),
        (("rare",), "unknown"),
        ((), "useful"),
    ],
)
def test_the_word_over_all(names: tuple[str, ...], word: str) -> None:
    assert judge(*table(*names)).word == word


def test_the_sentence_over_all_counts_and_names() -> None:
    found = judge(*table())
    assert found.counts() == {"useful": 3, "weak": 0, "unusable": 1, "unknown": 1}
    assert found.sentence.startswith(
        "useful on 3 of 5 tasks; unusable on 1 of 5 tasks (noise); unknown on 1 of 5 tasks (rare); "
    )


def test_gain_is_the_mean_share_of_the_constants_error_that_is_removed() -> None:
    labels, predicted = table("good", "active")
    found = judge(labels, predicted)
    mae = found["good"].scores
    shares = [
        1 - mae["model"]["mae"].value / mae["constant"]["mae"].value,
        2 * found["active"].scores["model"]["roc_auc"].value - 1,
    ]
    assert found.gain["model"].value == pytest.approx(np.mean(shares))
    assert found.gain["constant"].value == 0
    over = found.gain_over["forest"]
    assert over.value == pytest.approx(found.gain["model"].value - found.gain["forest"].value)
    assert 0 < over.low < over.value < over.high
    assert set(found.means) == {"roc_auc"}
    alone, mean = found["active"].scores["model"]["roc_auc"], found.means["roc_auc"]["model"]
    assert mean.value == alone.value
    assert alone.low < mean.low < mean.value < mean.high < alone.high  # without Student's widening


def test_gain_of() -> None:
    assert gain_of(metrics["mae"], 0.3, 0.4) == pytest.approx(0.25)
    assert gain_of(metrics["mae"], 0.3, 0.4, best=0.2) == pytest.approx(0.5)
    assert gain_of(metrics["roc_auc"], 0.8, 0.5) == pytest.approx(0.6)
    assert np.isnan(gain_of(metrics["mae"], 0.3, 0.4, best=0.5))
    assert np.isnan(gain_of(metrics["mae"], 0.0, 0.0))


def test_many_tasks_have_fewer_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def sampled(tasks: list[object], n: int, *, draws: int, **rest: object) -> list[dict[object, object]]:
        asked.append(draws)
        return [{} for _ in tasks]

    monkeypatch.setattr("cytomol.predict.verdict.judge.sampled_scores", sampled)
    for count in (1, 20, 100, 1000):
        tasks = tuple(Task(f"t{i}", "regression") for i in range(count))
        judge(Labels(tasks, np.full((3, count), np.nan)), {"model": np.zeros((3, count))})
    assert asked == [2000, 2000, 400, 200]


def test_everything_is_json_without_nan() -> None:
    kept = json.loads(json.dumps(judge(*table()).to_dict(), allow_nan=False))
    assert kept["tasks"]["good"]["word"] == "useful"
    assert set(kept["tasks"]["active"]["scores"]["model"]) == {
        "roc_auc", "average_precision", "mcc", "brier", "calibration_error",
    }  # fmt: skip
    assert kept["tasks"]["good"]["better_by"]["forest"]["low"] > 0
    assert kept["tasks"]["rare"]["scores"]["model"]["mae"]["value"] is not None


def test_the_lines_are_a_table_and_sentences() -> None:
    labels, predicted = table("good", "active")
    bounds = np.zeros(labels.matrix.shape, dtype=np.int8)
    bounds[:7, 0] = 1
    found = judge(Labels(labels.tasks, labels.matrix, bounds=bounds), predicted)
    lines = found.lines()
    assert lines[0].split() == ["task", "labels", "metric", "model", "constant", "forest"]
    score = found["good"].scores["model"]["mae"]
    cells = lines[1].split()
    assert cells[:3] == ["good", "113", "MAE"]
    assert cells[3:7] == [f"{score.value:.0f}", f"({score.low:.0f}", "to", f"{score.high:.0f})"]
    assert lines[2].split()[:3] == ["active", "120", "ROC-AUC"]
    assert f"good: {found['good'].sentence}" in lines
    assert "good: 7 censored labels (bounds such as <0.5) left out of the scores" in lines
    assert lines[-1] == f"all tasks: {found.sentence}"


def test_of_many_tasks_only_those_that_are_not_useful_have_their_sentence() -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=(40, 25))
    tasks = tuple(Task(f"t{i}", "regression") for i in range(25))
    predicted = x + random.normal(size=(40, 25)) * 0.1
    predicted[:, 3] = random.normal(size=40)
    lines = judge(Labels(tasks, x), {"model": predicted}, draws=100).lines()
    assert [line.split(":")[0] for line in lines[26:]] == ["t3", "all tasks"]
