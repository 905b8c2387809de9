"""Chemprop as a peer: its commands, its tables, and what happens where it is not or fails."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytomol.errors import CytomolError, InputError, MissingDependencyError
from cytomol.evaluate.job import JobSpec, run_job
from cytomol.evaluate.peers import peers
from cytomol.evaluate.peers.chemprop import Chemprop
from cytomol.evaluate.rows import Job
from cytomol.evaluate.sets import BenchmarkSet, SetSource, load_set

PROGRAM = """#!{python}
import sys
import pandas as pd
words = sys.argv[1:]
option = lambda name: words[words.index(name) + 1]
if words[0] == "train":
    table = pd.read_csv(option("--data-path"))
    assert set(table["fold"]) == {{"train", "val"}}
    tasks = words[words.index("--target-columns") + 1:]
    assert list(table.columns) == ["smiles", *tasks, "fold"]
    table[tasks].mean().to_csv(option("--output-dir"))
    sys.exit({status})
table = pd.read_csv(option("--test-path"))
for task, mean in pd.read_csv(option("--model-paths"), index_col=0).iloc[:, 0].items():
    table[task] = mean + table["smiles"].str.len() / 1000
table.iloc[:{rows}].to_csv(option("--preds-path"), index=False)
"""


def _install(folder: Path, monkeypatch: pytest.MonkeyPatch, *, status: int = 0, rows: int = 999) -> None:
    if os.name == "nt":
        pytest.skip("the stand-in is a script with a first line for Unix")
    program = folder / "chemprop"
    program.write_text(PROGRAM.format(python=sys.executable, status=status, rows=rows))
    program.chmod(0o755)
    monkeypatch.setenv("CYTOMOL_CHEMPROP", str(program))


@pytest.fixture
def data(assays: Path) -> BenchmarkSet:
    return load_set(assays, split_col="part")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "work"
    place.mkdir()
    return place


def test_commands() -> None:
    train = " ".join(Chemprop.train_words(["task_0", "task_1"], kind="classification", seed=3))
    assert train == (
        "train --data-path train.csv --task-type classification --smiles-columns smiles --splits-column fold "
        "--pytorch-seed 3 --data-seed 3 --num-workers 0 --output-dir model --remove-checkpoints "
        "--target-columns task_0 task_1"
    )
    assert " ".join(Chemprop.predict_words()) == (
        "predict --test-path predict.csv --smiles-columns smiles --model-paths model "
        "--preds-path predictions.csv --num-workers 0"
    )


def test_answers_stand_in_their_rows(
    data: BenchmarkSet, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(tmp_path, monkeypatch)
    rows = np.arange(5, 12)
    result = peers["chemprop"]().run(data, rows, seed=0, threads=1, folder=folder)
    assert np.isnan(result.predicted[2]).all()  # row 7 is no molecule
    shown = data.training_labels().matrix
    shown[7] = np.nan
    lengths = np.array([len(data.smiles[row]) for row in rows])
    expected = np.nanmean(shown, axis=0) + lengths[:, None] / 1000
    expected[2] = np.nan
    np.testing.assert_allclose(result.predicted, expected)
    assert result.details["commands"][0][0] == "train"


def test_test_labels_are_not_shown(
    data: BenchmarkSet, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(tmp_path, monkeypatch)
    Chemprop().run(data, np.array([0]), seed=0, threads=0, folder=folder)
    table = pd.read_csv(folder / "train.csv")
    seen = [data.smiles[row] for row in np.flatnonzero((data.folds == "train") | (data.folds == "valid"))]
    assert table["smiles"].tolist() == [text for text in seen if text != "not a molecule"]


def test_as_a_job(assays: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(tmp_path, monkeypatch)
    source = SetSource(str(assays), split_col="part")
    run_job(JobSpec(Job("toy", "chemprop", 0), source), folder)
    [result] = json.loads((folder / "result.json").read_text())
    assert len(result["rows"]) == 4
    assert all(row["score"] is not None for row in result["rows"])
    assert result["rows"][0]["seconds_features"] is None


def test_a_program_that_fails(
    data: BenchmarkSet, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(tmp_path, monkeypatch, status=5)
    with pytest.raises(CytomolError, match="chemprop train: ended with exit status 5"):
        Chemprop().run(data, np.array([0]), seed=0, threads=0, folder=folder)


def test_a_program_that_answers_otherwise(
    data: BenchmarkSet, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(tmp_path, monkeypatch, rows=1)
    with pytest.raises(InputError, match="holds 1 row for 3 molecules"):
        Chemprop().run(data, np.arange(3), seed=0, threads=0, folder=folder)


def test_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CYTOMOL_CHEMPROP", raising=False)
    with pytest.raises(MissingDependencyError, match=r"pip install 'chemprop>=2.1'"):
        Chemprop().require()


@pytest.mark.slow
def test_the_real_program(data: BenchmarkSet, folder: Path) -> None:
    if shutil.which(os.environ.get("CYTOMOL_CHEMPROP") or "chemprop") is None:
        pytest.skip("chemprop not available: install it apart and set CYTOMOL_CHEMPROP")
    result = Chemprop().run(data, np.arange(5, 12), seed=0, threads=1, folder=folder)
    assert np.isnan(result.predicted[2]).all()
    others = np.delete(result.predicted, 2, axis=0)
    assert ((others > 0) & (others < 1)).all()
