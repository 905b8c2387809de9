"""A learner by name on molecules: what it may see, what it answers, what lies on the disk."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cytomol.artifact.backbone import Backbone, load_backbone
from cytomol.assays.labels import Labels
from cytomol.errors import ConfigError, InputError, ModelDirectoryError
from cytomol.learners import learners
from cytomol.learners.forest import Forest
from cytomol.learners.perceptron import Perceptron
from cytomol.learners.stack import Ensemble
from cytomol.predict.finetune import Listener, finetune
from cytomol.predict.predictor import Predictor

RINGS = ["c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1", "c1ccoc1", "c1ccsc1"]
TAILS = ["", "C", "CC", "CCO", "N", "OC", "Cl", "CCN", "N#C", "OC(=O)"]
SMILES = [f"{tail}{ring}" for ring in RINGS for tail in TAILS]
NEW = ["CCO", "C1CC", "Cc1ccncc1", "", "CC(C)c1ccoc1"]
FOLDS = np.array(["train", "train", "test", "train", "valid"] * 12)
PLAIN_FIT: dict[str, Any] = {
    "workers": 1,
    "threads": 1,
    "refit": False,
    "calibration_folds": 0,
    "baselines": False,
}
SMALL_HEADS = {"epochs": 2, "hidden": 8, "ensemble": 2}
PLAIN = ("counts", "maccs", "descriptors")
# small models of every kind, so that nothing here depends on how the registered ones are set
SMALL = {
    "small-forest": partial(Forest, trees=6),
    "small-mlp": partial(Perceptron, None, SMALL_HEADS),
    "small-mlp-embedding": partial(Perceptron, ("embedding", *PLAIN), SMALL_HEADS),
    "small-ensemble": partial(Ensemble, kinds=("boosting", "kernel")),
    "small-cytomol": partial(Ensemble, kinds=("mlp-embedding", "kernel")),
    "small-refit": partial(Ensemble, kinds=("boosting", "kernel"), refit=True),
}
CLASSES, VALUES = "classification", "regression"
WAYS = pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("small-forest", CLASSES),
        ("small-mlp", CLASSES),
        ("small-mlp-embedding", VALUES),
        ("neighbours", VALUES),
        ("small-ensemble", CLASSES),
        ("small-ensemble", VALUES),
    ],
)
pytestmark = pytest.mark.usefixtures("small_models")


@pytest.fixture
def small_models(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, make in SMALL.items():
        monkeypatch.setitem(learners._entries, name, make)


def labels_of(kind: str = "classification") -> Labels:
    if kind == "classification":
        matrix = np.array([[("N" in s) or ("n" in s), "c" in s] for s in SMILES], dtype=float)
    else:
        matrix = np.array([[len(s) / 3, s.count("C") - 0.5 * s.count("c")] for s in SMILES])
    matrix[::7, 1] = np.nan
    return Labels.of_kind(("first", "second"), matrix, kind)


def train(name: str, untrained: dict[str, Path], kind: str = "classification", **options: Any) -> Predictor:
    """Return the predictor that is scored."""
    backbone = untrained["chmr"] if "embedding" in name else None
    given = {"labels": labels_of(kind), "folds": FOLDS, "backbone": backbone, **PLAIN_FIT, **options}
    return finetune(given.pop("smiles", SMILES), given.pop("labels"), learner=name, **given).predictor


def values(model: Predictor, smiles: list[str]) -> np.ndarray:
    return model.predict(smiles, workers=1).values  # noqa: PD011 - no frame


@WAYS
def test_labels_of_test_rows_never_matter(name: str, kind: str, untrained: dict[str, Path]) -> None:
    before = train(name, untrained, kind).predict(SMILES, workers=1, uncertainty=True)
    labels = labels_of(kind)
    rows = FOLDS == "test"
    labels.matrix[rows] = 1 - labels.matrix[rows] if kind == "classification" else 1e4
    after = train(name, untrained, kind, labels=labels).predict(SMILES, workers=1, uncertainty=True)
    np.testing.assert_array_equal(after.values, before.values)
    assert before.uncertainty is not None
    assert after.uncertainty is not None
    pd.testing.assert_frame_equal(
        after.uncertainty.frame(before.encoding.columns), before.uncertainty.frame(before.encoding.columns)
    )


@WAYS
def test_what_is_saved_answers_the_same(
    name: str, kind: str, untrained: dict[str, Path], tmp_path: Path
) -> None:
    model = train(name, untrained, kind)
    loaded = Predictor.load(model.save(tmp_path / "m"))
    assert (loaded.name, loaded.tasks) == (name, model.tasks)
    assert (loaded.names, set(loaded.encoding.kinds)) == (("first", "second"), {kind})
    assert (loaded.source, loaded.details) == (model.source, untimed(model.details))
    first, second = (m.predict(NEW, workers=1, uncertainty=True, coverage=0.7) for m in (model, loaded))
    np.testing.assert_array_equal(first.values, second.values)
    assert first.uncertainty is not None
    assert second.uncertainty is not None
    pd.testing.assert_frame_equal(first.uncertainty.frame(model.names), second.uncertainty.frame(model.names))
    again = loaded.save(tmp_path / "again")
    for file in ("config.json", "statistics.safetensors", "uncertainty.json"):
        assert (again / file).read_bytes() == (tmp_path / "m" / file).read_bytes(), file


def untimed(table: dict[str, Any]) -> dict[str, Any]:
    """Return the details that are saved: those that no clock measured."""
    kept = {key: value for key, value in table.items() if not key.endswith("seconds")}
    return {key: untimed(value) if isinstance(value, dict) else value for key, value in kept.items()}


@pytest.mark.parametrize("name", ["small-mlp-embedding", "small-ensemble", "neighbours"])
def test_row_i_answers_molecule_i(name: str, untrained: dict[str, Path]) -> None:
    model = train(name, untrained)
    found = model.predict(NEW, workers=1)
    invalid = [bool(error) for error in found.errors]
    assert invalid == [False, True, False, True, False]
    np.testing.assert_array_equal(np.isnan(found.values).all(axis=1), invalid)
    turned = values(model, NEW[::-1])[::-1]
    alone = np.concatenate([values(model, [text]) for text in NEW])
    for other in (turned, alone):
        np.testing.assert_allclose(other, found.values, rtol=1e-4, atol=1e-6)
    for nothing in ([], ["", "C1CC"]):
        assert np.isnan(values(model, nothing)).all()
        answer = model.predict(nothing, workers=1, uncertainty=True).uncertainty
        assert answer is not None
        assert answer.similarity.shape == (len(nothing),)


@pytest.mark.parametrize("name", ["neighbours", "small-forest"])
def test_invalid_molecules_and_rows_in_no_fold_teach_nothing(name: str, untrained: dict[str, Path]) -> None:
    labels = labels_of()
    more = Labels.of_kind(
        labels.names, np.concatenate([labels.matrix, [[1, 0], [0, 1], [1, 1]]]), labels.kind
    )
    folds = np.concatenate([FOLDS, ["train", "valid", ""]])
    before = train(name, untrained).predict(NEW, workers=1)
    after = train(name, untrained, smiles=[*SMILES, "C1CC", "", "CCCCN"], labels=more, folds=folds)
    np.testing.assert_array_equal(after.predict(NEW, workers=1).values, before.values)


def test_an_ensemble_with_and_without_a_backbone(untrained: dict[str, Path], tmp_path: Path) -> None:
    alone = train("small-cytomol", untrained)
    assert alone.features.blocks == PLAIN
    assert alone.source == ""
    joined = train("small-cytomol", untrained, backbone=untrained["chmr"])
    assert joined.features.blocks == ("embedding", *PLAIN)
    assert joined.source == Backbone.load(untrained["chmr"]).digest
    for name, model in (("alone", alone), ("joined", joined)):
        loaded = Predictor.load(model.save(tmp_path / name))
        np.testing.assert_array_equal(values(loaded, NEW), values(model, NEW))
        assert (tmp_path / name / "backbone").is_dir() == (name == "joined")
    assert load_backbone(tmp_path / "joined").name == "chmr"
    with pytest.raises(ModelDirectoryError, match="reads no embedding"):
        load_backbone(tmp_path / "alone")


def test_uncertainty_of_a_refit_model_is_that_of_answers_held_out(untrained: dict[str, Path]) -> None:
    plain, refit = (train(name, untrained, VALUES) for name in ("small-ensemble", "small-refit"))
    assert plain.uncertainty is not None
    assert refit.uncertainty is not None
    for name, array in plain.uncertainty.state()[1].items():
        np.testing.assert_allclose(refit.uncertainty.state()[1][name], array, err_msg=name)
    assert not np.allclose(values(plain, NEW)[0], values(refit, NEW)[0])


def test_the_embedding_needs_a_backbone(untrained: dict[str, Path]) -> None:
    with pytest.raises(ConfigError, match=r"the embedding needs a backbone.*--backbone DIR"):
        train("small-mlp-embedding", untrained, backbone=None)
    with pytest.raises(ConfigError, match=r"unknown learner 'oracle'.*neighbours"):
        train("oracle", untrained)


def test_the_backbone_embeds_as_before(untrained: dict[str, Path]) -> None:
    backbone = Backbone.load(untrained["chmr"])
    before, _ = backbone.embed(["CCO", *SMILES])
    train("small-mlp-embedding", untrained, backbone=backbone)
    np.testing.assert_array_equal(backbone.embed(["CCO", *SMILES])[0], before)
    assert not any(parameter.grad is not None for parameter in backbone.method.parameters())


def test_an_altered_or_other_directory_is_refused(untrained: dict[str, Path], tmp_path: Path) -> None:
    path = train("neighbours", untrained).save(tmp_path / "m")
    for file in ("config.json", "statistics.safetensors", "uncertainty.json"):
        other = tmp_path / file
        shutil.copytree(path, other)
        (other / file).write_bytes((path / file).read_bytes() + b" ")
        with pytest.raises(ModelDirectoryError, match=rf"{file}.*SHA-256 [0-9a-f]{{64}}"):
            Predictor.load(other)
    with pytest.raises(ModelDirectoryError, match="holds a backbone, not a"):
        Predictor.load(untrained["chmr"])
    with pytest.raises(ModelDirectoryError, match="not found"):
        Predictor.load(tmp_path / "none")


@pytest.mark.parametrize("name", ["neighbours", "small-ensemble"])
def test_the_configuration_is_plain_json_whatever_could_not_be_scored(
    name: str, untrained: dict[str, Path], tmp_path: Path
) -> None:
    labels = labels_of()
    labels.matrix[FOLDS == "valid"] = 1.0  # no ROC-AUC
    path = train(name, untrained, labels=labels).save(tmp_path / "m")

    def refuse(text: str) -> None:
        pytest.fail(f"{text} is not JSON")

    json.loads((path / "config.json").read_text(), parse_constant=refuse)


def test_rows_that_do_not_fit_and_folds_without_labels(untrained: dict[str, Path]) -> None:
    with pytest.raises(InputError, match="59 molecules with 60 rows of labels"):
        train("neighbours", untrained, smiles=SMILES[:-1])
    with pytest.raises(InputError, match="the train fold has no labelled, valid molecule"):
        train("neighbours", untrained, folds=np.where(FOLDS == "train", "", FOLDS))


def test_scores_are_those_of_its_own_predictions(untrained: dict[str, Path]) -> None:
    said: list[str] = []
    result = finetune(
        SMILES, labels_of("regression"), folds=FOLDS, listener=Listener(said.append), learner="neighbours",
        backbone=untrained["chmr"], **PLAIN_FIT,
    )  # fmt: skip
    assert said == ["the learner 'neighbours' reads no embedding: it leaves the backbone out"]
    np.testing.assert_array_equal(result.folds, FOLDS)
    rows = FOLDS == "test"
    found = values(result.predictor, SMILES)
    error = np.nanmean(np.abs(found - labels_of("regression").matrix)[rows], axis=0)
    scores = result.scores["test"]
    assert scores["rows"] == rows.sum()
    assert [scores["tasks"][task] for task in ("first", "second")] == pytest.approx(error, abs=1e-5)
    assert result.scores["learner"] == "neighbours"
    assert json.loads(result.predictor.texts["scores.json"]) == result.scores


def test_scores_are_those_of_the_fit_before_and_the_refit_has_seen_all_rows() -> None:
    labels, given = labels_of("regression"), {**PLAIN_FIT, "learner": "neighbours", "folds": FOLDS}
    plain = finetune(SMILES, labels, **given)
    again = finetune(SMILES, labels, **{**given, "refit": True})
    assert again.scores["test"] == plain.scores["test"]
    np.testing.assert_array_equal(values(again.evaluated, NEW), values(plain.predictor, NEW))
    assert plain.predictor is plain.evaluated
    assert again.scores["predicts"] != plain.scores["predicts"]
    # as a fit to a table without other folds would be, had nothing to be chosen
    learner = again.predictor.learner.parts["regression"]
    assert len(learner.counts) == (~np.isnan(labels.matrix).all(axis=1)).sum()
    assert len(plain.predictor.learner.parts["regression"].counts) == (FOLDS == "train").sum()
