"""The card says what the scores, the options and the directory say."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
import yaml

from cytomol.assays.labels import Labels, Task
from cytomol.predict.config import FinetuneConfig
from cytomol.predict.finetune import FinetuneResult, finetune
from cytomol.predict.predictor import Predictor
from cytomol.predict.predictor_card import option_words, predictor_card

RINGS = ["c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1", "c1ccoc1", "c1ccsc1"]
SMILES = [
    f"{tail}{ring}" for ring in RINGS for tail in ("", "C", "CC", "CCO", "N", "OC", "Cl", "CCN", "F", "CCC")
]
SIZE = np.array([float(len(text)) for text in SMILES])
LABELS = Labels(
    (Task("size", "regression"), Task("a|b", "binary", ("no", "yes"))), np.column_stack([SIZE, SIZE > 9])
)


@pytest.fixture(scope="module")
def fitted(untrained: dict[str, Path]) -> FinetuneResult:
    """Return a head on a backbone, judged on enough molecules for a word."""
    folds = np.array(["train", "test", "test", "valid", "test"] * 12)
    config = FinetuneConfig(learner="head", epochs=2, hidden=4, calibration_folds=0, refit=False, threads=1)
    given = {"folds": folds, "workers": 1, "cache": None, "backbone": untrained["infoalign"]}
    return finetune(SMILES, LABELS, config, **given)


def test_the_card_lies_in_the_directory_and_has_the_verdict(fitted: FinetuneResult, tmp_path: Path) -> None:
    card = (fitted.predictor.save(tmp_path / "m") / "README.md").read_text(encoding="utf-8")
    assert fitted.verdict is not None
    assert fitted.verdict.sentence in card
    front = yaml.safe_load(card.split("---\n")[1])
    assert front["library_name"] == "cytomol"
    found = {
        result["dataset"]["name"]: result["metrics"][0]["value"]
        for result in front["model-index"][0]["results"]
    }
    for task in fitted.verdict.tasks:
        assert found[task.name] == pytest.approx(task.scores["model"][task.metric].value, abs=1e-6)
        assert f"| {task.word} | {task.labels} |" in card
    assert "a\\|b" in card
    assert f"holds {(np.arange(60) % 5 == 0).sum():,} training molecules" in card
    assert "train 12, valid 12, test 36" in card
    assert "arXiv:2406.12056" in card  # that of its backbone's method
    json.loads((tmp_path / "m" / "manifest.json").read_text())["files"]["README.md"]


def test_the_command_of_the_card_gives_the_same_options(fitted: FinetuneResult) -> None:
    from cytomol.cli.finetune import command

    card = predictor_card(fitted.predictor)
    line = next(line for line in card.splitlines() if line.startswith("cytomol finetune"))
    context = command.make_context("finetune", shlex.split(line)[2:])
    assert context.params["targets"] == ("size,a|b",)
    assert context.params["backbone"] == "BACKBONE"
    given = {name: value for name, value in context.params.items() if name in FinetuneConfig.model_fields}
    built = FinetuneConfig.build({name: value for name, value in given.items() if value is not None})
    assert built.result_options() == FinetuneConfig.build(fitted.predictor.options).result_options()


def test_without_scores_and_evidence_nothing_is_claimed(fitted: FinetuneResult, tmp_path: Path) -> None:
    loaded = Predictor.load(fitted.predictor.save(tmp_path / "m"))
    loaded.evidence = None
    card = predictor_card(loaded)
    assert "Not judged" in card
    assert "model-index" not in card
    assert "holds no training molecules" in card


def test_options_that_begin_with_a_dash_stay_values() -> None:
    assert option_words({"missing_codes": [-1.0], "bits_radius": None}) == ["--missing-codes=-1.0"]
