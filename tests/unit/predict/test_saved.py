"""Directories of predictors: those that version 0.1 wrote still load and answer the same."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytomol.errors import ModelDirectoryError
from cytomol.predict.predictor import Predictor

FIXTURES = Path(__file__).parent / "fixtures"
MOLECULES = pd.read_csv(FIXTURES / "molecules.csv")["smiles"].tolist()
WRITTEN_BY_01 = sorted(path.stem for path in FIXTURES.glob("*.zip"))


@pytest.fixture(params=WRITTEN_BY_01)
def directory(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    with zipfile.ZipFile(FIXTURES / f"{request.param}.zip") as archive:
        archive.extractall(tmp_path)
    return tmp_path / request.param


def test_there_are_heads_and_learners_with_and_without_a_backbone() -> None:
    assert {"head", "head-backbone", "head-values", "model-neighbours", "recipe-backbone"} <= set(
        WRITTEN_BY_01
    )


def test_answers_as_version_01_did(directory: Path) -> None:
    predictor = Predictor.load(directory)
    answer = predictor.predict(MOLECULES, uncertainty=True, workers=1)
    expected = pd.read_csv(FIXTURES / f"{directory.name}.csv")
    found = answer.frame()
    for name in predictor.names:
        np.testing.assert_allclose(found[name], expected[name], rtol=2e-5)
    # the word for how well a molecule is known has come since
    for name in [*(f"{task}_std" for task in predictor.names), "similarity"]:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-4, atol=1e-6)


def test_is_written_anew_in_the_form_of_today(directory: Path, tmp_path: Path) -> None:
    old = Predictor.load(directory)
    path = old.save(tmp_path / "new")
    assert json.loads((path / "config.json").read_text())["form"] == 2
    new = Predictor.load(path)
    first, second = (each.predict(MOLECULES, uncertainty=True, workers=1) for each in (old, new))
    np.testing.assert_array_equal(first.columns, second.columns)
    pd.testing.assert_frame_equal(first.frame(), second.frame())
    assert (new.name, new.source, new.options) == (old.name, old.source, old.options)


def test_a_form_of_the_future_is_refused(tmp_path: Path) -> None:
    from cytomol.artifact.directory import load_model, save_model

    with zipfile.ZipFile(FIXTURES / "model-neighbours.zip") as archive:
        archive.extractall(tmp_path)
    saved = load_model(Predictor.load(tmp_path / "model-neighbours").save(tmp_path / "new"))
    save_model(
        tmp_path / "future",
        kind="predictor",
        config={**saved.config, "form": 3},
        weights=saved.weights,
        statistics=saved.statistics,
    )
    with pytest.raises(ModelDirectoryError, match=r"has form 3; this cytomol reads up to 2.*newer cytomol"):
        Predictor.load(tmp_path / "future")


_ASK = """
import sys
from cytomol.predict.predictor import Predictor

answer = Predictor.load(sys.argv[1]).predict(["CCCO", "no molecule"], uncertainty=True, workers=1)
assert len(answer.errors) == 2
assert "torch" not in sys.modules, "torch is loaded"
"""


@pytest.mark.parametrize("name", ["model-neighbours", "head", "head-values"])
def test_a_model_without_a_backbone_answers_without_torch(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(FIXTURES / f"{name}.zip") as archive:
        archive.extractall(tmp_path)
    model = Predictor.load(tmp_path / name).save(tmp_path / "new")
    ask = [sys.executable, "-c", _ASK, str(model)]
    done = subprocess.run(ask, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
