from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cytomol.artifact.backbone import load_backbone
from cytomol.artifact.directory import load_model
from cytomol.assays.labels import Labels
from cytomol.errors import ConfigError, InputError, ModelDirectoryError
from cytomol.predict.config import FinetuneConfig
from cytomol.predict.finetune import Listener, finetune
from cytomol.predict.predictor import Predictor

RINGS = ["c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1"]
SMILES = [f"{tail}{ring}" for ring in RINGS for tail in ("", "C", "CC", "CCO", "N", "OC", "Cl", "CCN")]
VALUES = np.array([[float(len(s)), 100.0 * s.count("C")] for s in SMILES])
FOLDS = np.array(["train", "train", "valid", "test"] * 8)
ALONE = {"refit": False, "calibration_folds": 0, "baselines": False}
SMALL = {"learner": "head", "epochs": 3, "hidden": 8, **ALONE}


def labels(values: np.ndarray = VALUES, kind: str = "regression") -> Labels:
    return Labels.of_kind(tuple(f"t{i}" for i in range(values.shape[1])), values, kind)


def run(
    backbone: Path | None = None, values: np.ndarray = VALUES, kind: str = "regression", **options: object
):  # type: ignore[no-untyped-def]
    config = FinetuneConfig.build({**SMALL, **options})
    return finetune(SMILES, labels(values, kind), config, backbone=backbone, folds=FOLDS, workers=1)


@pytest.mark.parametrize(
    "features", ["auto", "embedding", "1d", "counts", "descriptors", "1d+embedding+descriptors"]
)
@pytest.mark.parametrize("method", ["infoalign", "chmr"])
def test_a_saved_predictor_answers_as_before(
    untrained: dict[str, Path], tmp_path: Path, method: str, features: str
) -> None:
    predictor = run(untrained[method], features=features, ensemble=2).predictor
    path = predictor.save(tmp_path / "m")
    loaded = Predictor.load(path)
    np.testing.assert_array_equal(loaded.predict(SMILES).values, predictor.predict(SMILES).values)
    assert loaded.names == ("t0", "t1")
    assert (path / "backbone").exists() == ("embedding" in features or features == "auto")


def test_the_same_seed_gives_the_same_digest_and_another_seed_another(
    untrained: dict[str, Path], tmp_path: Path
) -> None:
    """The recipe, so that every kind of member is among them; how long each took is no part of the model."""
    for name, seed in {"one": 0, "two": 0, "other": 1}.items():
        options = {"learner": "cytomol", "seed": seed, "threads": 1, **ALONE}
        fitted = finetune(SMILES, labels(), backbone=untrained["chmr"], folds=FOLDS, workers=1, **options)
        assert fitted.predictor.details["regression"]["seconds"]
        fitted.predictor.save(tmp_path / name)
    digests = [load_model(tmp_path / name).digest for name in ("one", "two", "other")]
    assert digests[0] == digests[1] != digests[2]
    assert "seconds" not in (tmp_path / "one" / "config.json").read_text()


def test_answers_do_not_depend_on_batch_or_company(untrained: dict[str, Path]) -> None:
    predictor = run(untrained["chmr"], features="1d+embedding+descriptors").predictor
    together = predictor.predict(SMILES).values
    for size in (1, 5):
        np.testing.assert_allclose(predictor.predict(SMILES, batch_size=size).values, together, rtol=1e-5)
    alone = np.concatenate([predictor.predict([s]).values for s in SMILES[:5]])
    np.testing.assert_allclose(alone, together[:5], rtol=1e-5)


def test_invalid_molecules_keep_their_rows(untrained: dict[str, Path]) -> None:
    predictor = run(untrained["infoalign"]).predictor
    answer = predictor.predict(["CCO", "C1C", "", "CCO"])
    assert np.isnan(answer.values).all(axis=1).tolist() == [False, True, True, False]
    assert [bool(error) for error in answer.errors] == [False, True, True, False]
    assert np.isnan(predictor.predict(["C1C"]).values).all()
    assert predictor.predict([]).values.shape == (0, 2)


def test_regression_targets_are_scaled_on_training_rows_alone() -> None:
    values = VALUES.copy()
    values[FOLDS == "test"] = 1e9
    predictor = run(features="1d", values=values).predictor
    np.testing.assert_allclose(predictor.encoding.center, VALUES[FOLDS == "train"].mean(axis=0))
    np.testing.assert_allclose(predictor.encoding.scale, VALUES[FOLDS == "train"].std(axis=0))
    assert np.abs(predictor.predict(SMILES).values).max() < 1e4


def test_raw_targets_are_learnt_as_they_are(tmp_path: Path) -> None:
    # one step of no size: the loss is that of a head that has learnt nothing, in units of the labels
    options = {
        "features": "1d",
        "epochs": 1,
        "lr": 1e-9,
        "weight_decay": 0.0,
        "dropout": 0.0,
        "norm": "layer",
    }
    result = run(target_scaling="raw", **options)
    predictor = result.predictor
    predicted = predictor.predict(SMILES).values
    error = np.abs(predicted - VALUES)
    assert predictor.learner.first.fits[0].history[0][0] == pytest.approx(
        error[FOLDS == "train"].mean(), rel=1e-4
    )
    loaded = Predictor.load(predictor.save(tmp_path / "m"))
    np.testing.assert_array_equal(loaded.predict(SMILES).values, predicted)
    standard = run(**options).predictor.predict(SMILES).values
    assert np.abs(standard - VALUES).mean() < error.mean() / 2


def test_ensemble_averages_logits() -> None:
    binary = (VALUES.mean(axis=0) < VALUES).astype(float)
    both = run(features="1d", values=binary, kind="classification", ensemble=2, seed=5).predictor
    singles = [run(features="1d", values=binary, kind="classification", seed=s).predictor for s in (5, 6)]
    logits = [np.log(p / (1 - p)) for p in (single.predict(SMILES).values for single in singles)]
    expected = 1 / (1 + np.exp(-(logits[0] + logits[1]) / 2))
    np.testing.assert_allclose(both.predict(SMILES).values, expected, rtol=1e-5)


def test_a_task_without_training_label_is_not_predicted(tmp_path: Path) -> None:
    values = VALUES.copy()
    values[FOLDS == "train", 1] = np.nan
    said: list[str] = []
    result = finetune(
        SMILES, labels(values), FinetuneConfig.build({**SMALL, "features": "1d"}), folds=FOLDS, workers=1,
        listener=Listener(say=said.append),
    )  # fmt: skip
    assert said == ["warning: no training label, so no prediction: t1"]
    loaded = Predictor.load(result.predictor.save(tmp_path / "m"))
    assert np.isnan(loaded.predict(SMILES).values).all(axis=0).tolist() == [False, True]
    assert result.scores["test"]["tasks"]["t1"] is None


def test_test_rows_do_not_touch_training() -> None:
    scrambled = VALUES.copy()
    scrambled[FOLDS == "test"] = -7.0
    first, second = (run(features="1d+descriptors", values=v).predictor for v in (VALUES, scrambled))
    np.testing.assert_array_equal(first.predict(SMILES).values, second.predict(SMILES).values)


def test_scores_file(tmp_path: Path) -> None:
    result = run(features="1d")
    saved = json.loads((result.predictor.save(tmp_path / "m") / "scores.json").read_text())
    assert saved == result.scores
    predicted = result.predictor.predict(SMILES).values
    error = np.abs(predicted - VALUES)[FOLDS == "test"].mean(axis=0)
    assert saved["test"]["mean"] == pytest.approx(error.mean(), rel=1e-5)
    assert saved["test"]["tasks"] == {
        "t0": pytest.approx(error[0], rel=1e-5),
        "t1": pytest.approx(error[1], rel=1e-5),
    }
    assert set(saved["test"]["other_metrics"]) == {"r2", "rmse", "spearman"}


def test_split_by_type_skips_invalid_molecules() -> None:
    smiles = [*SMILES, "C1C"]
    config = FinetuneConfig.build({**SMALL, "features": "1d", "split_type": "random"})
    result = finetune(smiles, labels(np.vstack([VALUES, [[0, 0]]])), config, workers=1)
    assert result.folds[-1] == ""
    assert set(result.folds[:-1]) == {"train", "valid", "test"}


def test_what_cannot_be_loaded_is_said(untrained: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ModelDirectoryError, match="holds a backbone, not a predictor"):
        Predictor.load(untrained["chmr"])
    path = run(features="1d").predictor.save(tmp_path / "m")
    with pytest.raises(ModelDirectoryError, match="reads no embedding"):
        load_backbone(path)
    with_backbone = run(untrained["chmr"]).predictor.save(tmp_path / "n")
    assert load_backbone(with_backbone).name == load_backbone(untrained["chmr"]).name == "chmr"


def test_wrong_calls_are_refused(untrained: dict[str, Path]) -> None:
    with pytest.raises(ConfigError, match="needs a backbone"):
        run(features="embedding")
    with pytest.raises(ConfigError, match="no backbone to unfreeze"):
        run(unfreeze="all")
    with pytest.raises(InputError, match="32 molecules with 3 rows"):
        finetune(SMILES, labels(VALUES[:3]), FinetuneConfig.build(SMALL), backbone=untrained["chmr"])


def test_embedding_is_standardised_to_the_chosen_spread(untrained: dict[str, Path], tmp_path: Path) -> None:
    for scale in (1.0, 0.3):
        predictor = run(untrained["chmr"], embedding_scale=scale).predictor
        loaded = Predictor.load(predictor.save(tmp_path / str(scale)))
        train = [s for s, fold in zip(SMILES, FOLDS, strict=True) if fold == "train"]
        blocks = loaded.features.raw(loaded.features.store(train))
        inputs = loaded.learner.first.scaled.transform(blocks, only=["embedding"])
        spread = inputs.std(axis=0)
        np.testing.assert_allclose(spread[spread > 0], scale, rtol=0.02)
