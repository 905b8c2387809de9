"""What a fit leaves for its report: numbers that can be checked against the table and the scores."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cytomol import finetune
from cytomol.assays.labels import Labels
from cytomol.assays.metrics import metrics
from cytomol.predict.config import FinetuneConfig
from cytomol.predict.record import RECORD, FitRecord, RecordSource, nested_fits
from cytomol.predict.record.fit_record import figured_tasks

RINGS = ["c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1", "c1ccoc1", "c1ccsc1"]
TAILS = ["", "C", "CC", "CCO", "N", "OC", "Cl", "CCN", "N#C", "OC(=O)"]
SMILES = [f"{tail}{ring}" for ring in RINGS for tail in TAILS]


@pytest.fixture(scope="module")
def record(reported: Path) -> FitRecord:
    return FitRecord.read(json.loads((reported / RECORD).read_text()), where="record")


@pytest.fixture(scope="module")
def scores(reported: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((reported / "scores.json").read_text())
    return found


def test_tested_answers_have_the_score_of_the_verdict(record: FitRecord, scores: dict[str, Any]) -> None:
    assert record.tested_on == "test"
    for task in record.tasks:
        verdict = scores["verdict"]["tasks"][task.name]
        assert task.total == verdict["labels"] == len(task.measured)
        metric = metrics[verdict["metric"]]
        found = metric.function(np.array(task.measured, float), np.array(task.predicted, float))
        assert found == pytest.approx(verdict["scores"]["model"][metric.name]["value"], abs=2e-3)


def test_the_learning_curve_ends_at_the_score_of_the_model(record: FitRecord, scores: dict[str, Any]) -> None:
    assert record.curve is not None
    assert (record.curve.learner, record.curve.same) == ("neighbours", True)
    for curve in record.curve.curves:
        counts = [point.molecules for point in curve.points]
        assert counts == sorted(counts)
        assert counts[-1] > 1.6 * counts[-2]
        model = scores["verdict"]["tasks"][curve.task]["scores"]["model"][curve.metric]["value"]
        assert curve.points[-1].score == pytest.approx(model, rel=1e-3)
        sign = 1 if metrics[curve.metric].higher_is_better else -1
        last, before = curve.points[-1].score, curve.points[-2].score
        assert last is not None
        assert before is not None
        assert curve.gain == pytest.approx(sign * (last - before), abs=2e-4)


def test_the_worst_are_those_with_the_largest_errors(record: FitRecord) -> None:
    task = record.tasks[0]
    errors = np.abs(np.array(task.measured, float) - np.array(task.predicted, float))
    worst = [one for one in record.shown if one.task == task.name and one.why == "worst"]
    assert worst
    exact = [one for one in worst if not one.measured.startswith("<")]
    for one in exact:
        assert abs(float(one.measured) - float(one.predicted)) >= np.sort(errors)[-len(worst)] - 0.02


def test_nearest_molecules_are_others_that_were_learnt_from(record: FitRecord, reported: Path) -> None:
    folds = dict(line.split(",") for line in (reported / "split.csv").read_text().splitlines()[1:])
    for one in record.shown:
        assert folds[one.id.removeprefix("M-")] == "test"
        likeness = [near.similarity or 0.0 for near in one.nearest]
        assert likeness == sorted(likeness, reverse=True)
        assert {folds[near.id.removeprefix("M-")] for near in one.nearest} == {"train"}


def test_bands_hold_every_tested_molecule_once(record: FitRecord) -> None:
    for task in record.tasks:
        assert sum(band.rows for band in task.distance) == task.total
        for band in (*task.distance, *task.calibration):
            assert band.observed_low is not None
            assert band.observed_high is not None
            assert band.observed_low <= (band.observed or 0.0) <= band.observed_high
        lows = [band.low or 0.0 for band in task.distance]
        assert lows == sorted(lows)
    values = record.tasks[0].calibration
    assert [band.stated for band in values] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95]


def test_attributions_are_of_every_atom(record: FitRecord) -> None:
    from rdkit import Chem

    assert {one.task for one in record.attributed} == {task.name for task in record.tasks}
    for one in record.attributed:
        assert len(one.atoms) == Chem.MolFromSmiles(one.smiles).GetNumAtoms()


def _fitted(**options: Any) -> FitRecord:
    """Fit the lengths of molecules by their neighbours and return the record."""
    matrix = np.array([[float(len(text)), float("N" in text)] for text in SMILES])
    labels = Labels.of_kind(["length", "amine"], matrix, "regression")
    config = FinetuneConfig.build({"learner": "neighbours", "split_type": "random", **options})
    fitted = finetune(SMILES, labels, config, cache=None, record=RecordSource("t.csv"), workers=1)
    return FitRecord.read(json.loads(fitted.predictor.texts[RECORD]), where="record")


def test_a_cross_validation_tests_every_molecule() -> None:
    record = _fitted(folds=3, evidence=False)
    assert record.tested_on == "folds"
    assert record.tasks[0].total == len(SMILES)
    assert record.facts.folds == {"fold 0": 20, "fold 1": 20, "fold 2": 20}
    assert record.map is not None
    assert sorted(set(record.map.fold)) == ["fold 0", "fold 1", "fold 2"]
    assert (record.shown, record.attributed) == ((), ())
    assert (record.tasks[0].measured, record.tasks[0].predicted) == ([], [])


def _verdict(*gains: float) -> Any:
    tasks = [
        SimpleNamespace(word="useful", better_by={"constant": SimpleNamespace(value=gain)}, unit=0.5)
        for gain in gains
    ]
    return SimpleNamespace(tasks=tasks)


def test_of_many_tasks_some_from_the_best_to_the_worst_have_figures() -> None:
    labels = np.ones((40, 9))
    gains = [0.1, 0.9, 0.5, 0.3, 0.2, 0.4, 0.0, 0.7, 0.6]
    assert figured_tasks(_verdict(*gains), labels) == [1, 2, 3, 6]
    assert figured_tasks(_verdict(*gains[:3]), labels[:, :3]) == [0, 1, 2]
    labels[:, 1] = np.nan
    assert 1 not in figured_tasks(_verdict(*gains), labels)


def test_a_slow_learner_has_the_curve_of_a_forest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nested_fits, "_MOST_ROWS", 0)
    monkeypatch.setattr(nested_fits, "_TREES", 10)
    shares = {"split_fractions": (0.5, 0.1, 0.4)}
    record = _fitted(calibration_folds=0, refit=False, baselines=False, evidence=False, **shares)
    assert record.curve is not None
    assert (record.curve.learner, record.curve.same) == ("forest", False)
    assert [curve.task for curve in record.curve.curves] == ["length", "amine"]
    assert [point.molecules for point in record.curve.curves[0].points] == [15, 30]
    assert all(point.score is not None and point.score < 5 for point in record.curve.curves[0].points)
