"""Other encoders in fine-tuning: learnt from, saved, known again, and refused where they cannot be read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from rdkit.Chem import MolFromSmiles
from rdkit.Chem.rdMolDescriptors import CalcNumHeteroatoms

from cytomol.assays.labels import Labels
from cytomol.chem.encoders import MoleculeEncoder, Pretraining, encoders
from cytomol.errors import ConfigError, ModelDirectoryError
from cytomol.learners.blocks import ENCODED
from cytomol.predict.estimators import PropertyRegressor
from cytomol.predict.finetune import Listener, finetune
from cytomol.predict.predictor import Predictor
from cytomol.predict.task_attribution import explain_tasks
from cytomol.serve.served_models import ServedModel

RINGS = ["c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1", "c1ccoc1", "c1ccsc1"]
TAILS = ["", "C", "CC", "CCO", "N", "OC", "Cl", "CCN", "N#C", "OC(=O)", "CCC", "FC"]
SMILES = [f"{tail}{ring}" for ring in RINGS for tail in TAILS]
SECRET = np.random.default_rng(0).normal(size=len(SMILES))
QUICK: dict[str, Any] = {
    "learner": "forest",
    "split_type": "random",
    "calibration_folds": 0,
    "cache": None,
    "workers": 1,
    "threads": 1,
}


@encoders.register("tests-secret")
class Secret(MoleculeEncoder):
    """Knows what no structure tells, and nothing of pyridine itself."""

    name, version, width = "tests-secret", "1", 4
    pretraining = Pretraining("the answers of this test")
    known = {}  # noqa: RUF012

    def encode(self, smiles: Sequence[str]) -> NDArray[np.float32]:
        found = np.zeros((len(smiles), 4), np.float32)
        for row, text in enumerate(smiles):
            found[row] = self.known.get(text, 0.0)
            found[row, 1] = CalcNumHeteroatoms(MolFromSmiles(text))
        found[[text == "c1ccncc1" for text in smiles]] = np.nan
        return found


@pytest.fixture(scope="module")
def labels() -> Labels:
    from rdkit.Chem import MolToSmiles

    canonical = [MolToSmiles(MolFromSmiles(text)) for text in SMILES]
    Secret.known = dict(zip(canonical, SECRET.tolist(), strict=True))
    return Labels.of_kind(["secret"], SECRET[:, None], "regression")


@pytest.mark.parametrize("learner", ["forest", "mlp", "boosting", "head", "cytomol"])
def test_saved_it_answers_the_same(labels: Labels, learner: str, tmp_path: Path) -> None:
    options = {**QUICK, "learner": learner, "baselines": False}
    if learner == "head":
        options |= {"epochs": 5, "hidden": 16}
    if learner == "cytomol":
        options |= {"refit": False}
    fitted = finetune(SMILES, labels, encoders=["tests-secret"], **options)
    fitted.predictor.save(tmp_path / "model")
    loaded = Predictor.load(tmp_path / "model")
    asked = [*SMILES[::-1], "no molecule", "CCCCO"]
    found = loaded.predict(asked)
    expected = fitted.predictor.predict(asked)
    np.testing.assert_allclose(found.values, expected.values, atol=1e-6)
    assert [row for row, error in enumerate(found.errors) if error] == [
        asked.index("c1ccncc1"),
        len(SMILES),
    ]
    assert found.errors[asked.index("c1ccncc1")] == "the encoder tests-secret has no vector for it"
    part = next(iter(loaded.learner.parts.values()))
    assert ENCODED + "tests-secret" in part.blocks
    if learner == "cytomol":
        assert "mlp-tests-secret" in part.kinds  # type: ignore[attr-defined]


def test_vectors_are_learnt_from(labels: Labels) -> None:
    without = finetune(SMILES, labels, **QUICK)
    fitted = finetune(SMILES, labels, encoders=["tests-secret"], **QUICK)
    assert fitted.scores["test"]["mean"] < 0.6 * without.scores["test"]["mean"]


def test_it_says_what_an_encoder_may_have_seen(labels: Labels) -> None:
    said: list[str] = []
    fitted = finetune(SMILES, labels, encoders=["tests-secret"], listener=Listener(say=said.append), **QUICK)
    told = "tests-secret: pretrained on the answers of this test"
    assert f"what it may have seen: {told}" in said
    reason = "the encoder tests-secret has no vector for it"
    assert any("left out" in text and reason in text for text in said), said
    assert fitted.folds[SMILES.index("c1ccncc1")] == ""
    assert fitted.scores["encoders"][0]["pretraining"] == told


def test_a_model_needs_the_encoder_that_it_was_made_with(
    labels: Labels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted = finetune(SMILES, labels, encoders=["tests-secret"], **QUICK)
    path = fitted.predictor.save(tmp_path / "model")
    assert "tests-secret: pretrained on" in (path / "README.md").read_text()
    assert "--encoder tests-secret" in (path / "README.md").read_text()
    monkeypatch.setattr(Secret, "version", "2")
    with pytest.raises(ModelDirectoryError, match="of version 1, width 4; here it has version 2"):
        Predictor.load(path)
    monkeypatch.delitem(encoders._entries, "tests-secret")
    with pytest.raises(ModelDirectoryError, match=f"is not registered.*--plugin {__name__}"):
        Predictor.load(path)


def test_a_table_of_vectors_is_learnt_from_and_given_again(labels: Labels, tmp_path: Path) -> None:
    frame = pd.DataFrame({"smiles": SMILES, "v": SECRET, "w": -SECRET}).iloc[3:]
    frame.to_csv(tmp_path / "mine.csv", index=False)
    text = f"file:{tmp_path / 'mine.csv'}"
    fitted = finetune(SMILES, labels, encoders=[text], **QUICK)
    assert (fitted.folds == "").tolist() == [row < 3 for row in range(len(SMILES))]
    path = fitted.predictor.save(tmp_path / "model")
    kept = json.loads((path / "config.json").read_text())["encoders"]
    assert kept[0]["columns"] == ["v", "w"]
    assert str(tmp_path) not in json.dumps(kept)
    loaded = Predictor.load(path)
    with pytest.raises(ConfigError, match="none is given"):
        loaded.predict(SMILES)
    with pytest.raises(
        ConfigError, match="none is given"
    ):  # a table is not in the model: it cannot be served
        ServedModel.load("mine", path)
    found = loaded.with_encoders([text]).predict(SMILES)
    np.testing.assert_allclose(found.values, fitted.predictor.predict(SMILES).values, atol=1e-6)
    assert [bool(error) for error in found.errors] == [row < 3 for row in range(len(SMILES))]
    assert found.errors[0] == f"no row of {tmp_path / 'mine.csv'} is this molecule"


def test_a_table_with_the_labels_is_refused(labels: Labels, tmp_path: Path) -> None:
    pd.DataFrame({"smiles": SMILES, "secret": SECRET}).to_csv(tmp_path / "mine.csv", index=False)
    with pytest.raises(ConfigError, match="column 'secret' of the vectors is called as a task"):
        finetune(SMILES, labels, encoders=[f"file:{tmp_path / 'mine.csv'}"], **QUICK)


@pytest.mark.parametrize("learner", ["neighbours", "kernel"])
def test_a_learner_of_fingerprints_alone_says_so(labels: Labels, learner: str) -> None:
    with pytest.raises(ConfigError, match=f"the learner '{learner}' reads fingerprints alone"):
        finetune(SMILES, labels, encoders=["tests-secret"], **{**QUICK, "learner": learner})


def test_atoms_of_an_encoder_are_not_explained(labels: Labels) -> None:
    fitted = finetune(SMILES, labels, encoders=["tests-secret"], **QUICK)
    with pytest.raises(ConfigError, match="atoms cannot be hidden from an encoder"):
        explain_tasks(fitted.predictor, ["CCO"], ["secret"])


def test_estimators_take_encoders(labels: Labels) -> None:
    del labels
    rows = [row for row, text in enumerate(SMILES) if text != "c1ccncc1"]
    smiles, values = [SMILES[row] for row in rows], SECRET[rows]
    model = PropertyRegressor("forest", encoders=["tests-secret"]).fit(smiles, values)
    assert model.predictor_.features.encoders[0].name == "tests-secret"
    without = PropertyRegressor("forest").fit(smiles, values)
    assert model.score(smiles, values) > without.score(smiles, values)
