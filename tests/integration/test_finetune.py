"""From a planted corpus to predictions, every step through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytomol.artifact.directory import load_model
from cytomol.assays.metrics import roc_auc
from cytomol.cli.main import main


def cytomol(*args: object) -> None:
    with pytest.raises(SystemExit) as stop:
        main([str(arg) for arg in args])
    assert stop.value.code in {0, None}


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a planted corpus, a backbone and a model fine-tuned on the planted split."""
    folder = tmp_path_factory.mktemp("work")
    cytomol("corpus", "planted", "-o", folder / "corpus", "--size", 240)
    small = ["--width", 32, "--layers", 2, "--epochs", 2, "--batch-size", 64, "--views", "1d,2d"]
    cytomol(
        "pretrain", folder / "corpus", "--method", "chmr", *small, "--no-report", "-o", folder / "backbone"
    )
    cytomol(
        "finetune", folder / "corpus" / "assays.csv", "--backbone", folder / "backbone",
        "--split", folder / "corpus" / "split.csv", "--hidden", 64, "--epochs", 30, "--patience", 10,
        "--ensemble", 2, "--no-refit", "--no-baselines", "-o", folder / "model",
    )  # fmt: skip
    return folder


def test_structure_is_learned_and_the_scores_are_those_of_the_predictions(work: Path) -> None:
    assays = pd.read_csv(work / "corpus" / "assays.csv")
    cytomol("predict", work / "model", work / "corpus" / "assays.csv", "--keep", "", "-o", work / "all.csv")
    predicted = pd.read_csv(work / "all.csv")
    assert predicted["smiles"].tolist() == assays["smiles"].tolist()
    scores = json.loads((work / "model" / "scores.json").read_text())
    split = pd.read_csv(work / "corpus" / "split.csv")
    test = split.loc[split["fold"] == "test", "index"].to_numpy()
    for task, expected in scores["test"]["tasks"].items():
        observed = assays[task].to_numpy(float)[test]
        measured = ~np.isnan(observed)
        found = roc_auc(observed[measured], predicted[task].to_numpy()[test][measured])
        assert (expected is None and np.isnan(found)) or found == pytest.approx(expected, abs=5e-3)
    structure = [score for task, score in scores["test"]["tasks"].items() if task.startswith("structure")]
    assert np.mean(structure) > 0.7


def test_the_same_command_gives_the_same_model(work: Path, tmp_path: Path) -> None:
    arguments = (
        "finetune", work / "corpus" / "assays.csv", "--backbone", work / "backbone", "--seed", 3,
        "--split", work / "corpus" / "split.csv", "--hidden", 16, "--epochs", 3, "--threads", 1,
        "--calibration-folds", 2, "--no-baselines",
    )  # fmt: skip
    for name in "ab":
        cytomol(*arguments, "-o", tmp_path / name)
        cytomol("predict", tmp_path / name, work / "corpus" / "heldout.csv", "-o", tmp_path / f"{name}.csv")
    assert (tmp_path / "a.csv").read_text() == (tmp_path / "b.csv").read_text()
    told = [load_model(tmp_path / name) for name in "ab"]
    assert told[0].read_json("report.json") != told[1].read_json("report.json")  # which has the command
    assert told[0].digest == told[1].digest


@pytest.mark.real_data
def test_chembl2k_with_its_own_split(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "benchmarks" / "chembl2k"
    cytomol(
        "finetune", folder / "assays.csv.gz", "--features", "1d", "--split", folder / "split.csv.gz",
        "--hidden", 128, "--epochs", 8, "--no-baselines", "--no-refit", "-o", tmp_path / "m",
    )  # fmt: skip
    scores = json.loads((tmp_path / "m" / "scores.json").read_text())
    assert (scores["valid"]["rows"], scores["test"]["rows"]) == (353, 589)
    assert scores["test"]["scored_tasks"] == 41
    assert scores["test"]["mean"] > 0.74
