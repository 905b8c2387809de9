"""Cross-validation against a loop of single splits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cytomol.assays.labels import Labels, Task
from cytomol.assays.splits import kfold, rotation
from cytomol.errors import ConfigError
from cytomol.predict.config import SCORED_ALONE, FinetuneConfig
from cytomol.predict.finetune import finetune

RINGS = ["c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1", "c1ccoc1"]
TAILS = ["", "C", "CC", "CCO", "N", "OC", "Cl", "CCN"]
SMILES = [f"{tail}{ring}" for ring in RINGS for tail in TAILS]
TASKS = (Task("size", "regression"), Task("nitrogen", "binary", ("no", "yes")))
MATRIX = np.array([[float(len(text)), float("n" in text.lower())] for text in SMILES])
MATRIX[::9, 1] = np.nan
LABELS = Labels(TASKS, MATRIX)
GIVEN: dict[str, Any] = {"workers": 1, "cache": None}
OPTIONS: dict[str, Any] = {"learner": "neighbours", "threads": 1, "split_type": "random", "split_seed": 3}


def validated(**options: Any) -> Any:
    config = FinetuneConfig.build({**OPTIONS, "baselines": False, **options})
    return finetune(SMILES, LABELS, config, **GIVEN)


def test_scores_are_those_of_each_round_by_itself() -> None:
    result = validated(folds=4, repeats=2)
    divisions = kfold(SMILES, "random", folds=4, repeats=2, seed=3)
    alone = []
    for tested in divisions:
        for fold in range(4):
            config = FinetuneConfig.build({**OPTIONS, **SCORED_ALONE})
            folds = rotation(tested, fold)
            alone.append(finetune(SMILES, LABELS, config, folds=folds, **GIVEN).scores["test"])
    assert result.scores["rounds"] == alone
    for task in ("size", "nitrogen"):
        scores = [each["tasks"][task] for each in alone if each["tasks"][task] is not None]
        assert result.scores["test"]["tasks"][task] == pytest.approx(np.mean(scores), rel=1e-5)
        assert result.scores["test"]["spread_of_tasks"][task] == pytest.approx(
            np.std(scores, ddof=1), rel=1e-5
        )
    assert result.folds.tolist() == [f"fold {fold}" for fold in divisions[0]]


def test_every_molecule_calibrates_and_every_molecule_is_learnt_in_the_end() -> None:
    result = validated(folds=4)
    assert len(result.predictor.learner.parts["regression"].counts) == len(SMILES)
    held = result.predictor.uncertainty.state()[0]
    assert held["validation_rows"][0] == len(SMILES)
    answer = result.predictor.predict(SMILES, workers=1, evidence=True)
    assert answer.evidence is not None
    assert answer.evidence.similarity[:, 0].min() == 1  # each molecule is its own nearest one


def test_the_verdict_rests_on_every_molecule_once() -> None:
    result = validated(folds=4, baselines=True)
    assert result.verdict is not None
    labels = {name: entry["labels"] for name, entry in result.scores["verdict"]["tasks"].items()}
    assert labels == {"size": 40, "nitrogen": 35}


@pytest.mark.parametrize("folds", [1, 2])
def test_two_folds_leave_nothing_to_train(folds: int) -> None:
    with pytest.raises(ConfigError, match="three at least"):
        validated(folds=folds)


def test_given_folds_and_rounds_do_not_go_together() -> None:
    config = FinetuneConfig.build({**OPTIONS, "folds": 3})
    with pytest.raises(ConfigError, match="folds are given"):
        finetune(SMILES, LABELS, config, folds=np.array(["train", "valid"] * 20), **GIVEN)
