"""A backbone that stays in training mode without gradient: its embeddings change, its weights do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cytomol.artifact.backbone import Backbone
from cytomol.assays.labels import Labels
from cytomol.assays.metrics import score_tasks
from cytomol.errors import ConfigError
from cytomol.learners.head.training_mode import TrainingModeInputs
from cytomol.learners.head.unfreeze import LiveFeatures
from cytomol.predict.config import FinetuneConfig
from cytomol.predict.finetune import FinetuneResult, finetune
from cytomol.predict.molecule_features import LiveBackbone, MoleculeFeatures
from cytomol.predict.predictor import Predictor

RINGS = ["c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1"]
SMILES = [f"{tail}{ring}" for ring in RINGS for tail in ("", "C", "CC", "CCO", "N", "OC", "Cl", "CCN")]
FOLDS = np.array(["train", "train", "valid", "test"] * 8)
LABELS = Labels.of_kind(("aromatic",), np.array([[float("c" in s)] for s in SMILES]), "classification")
ROWS = torch.arange(len(SMILES))
CPU = torch.device("cpu")


def run(backbone: Backbone | None, labels: Labels = LABELS, **options: Any) -> FinetuneResult:
    config = FinetuneConfig.build(
        {
            "epochs": 4,
            "hidden": 8,
            "batch_size": 8,
            "lr": 0.01,
            "standardize_embedding": False,
            "refit": False,
            **options,
        }
    )
    return finetune(SMILES, labels, config, backbone=backbone, folds=FOLDS, workers=1)


def inputs_of(backbone: Backbone, blocks: tuple[str, ...] = ("embedding", "1d")) -> TrainingModeInputs:
    features = MoleculeFeatures.build(blocks, backbone)
    store = features.store(SMILES, workers=1)
    fixed = torch.from_numpy(features.raw(store)["1d"])
    return TrainingModeInputs(LiveFeatures(LiveBackbone(backbone, store), None, fixed), CPU)


def copied(backbone: Backbone) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in backbone.weights().items()}


@pytest.mark.parametrize("method", ["infoalign", "chmr"])
def test_a_training_batch_is_embedded_as_torch_does_in_training_mode(
    untrained: dict[str, Path], method: str
) -> None:
    backbone, other = (Backbone.load(untrained[method]) for _ in range(2))
    inputs = inputs_of(backbone)
    width = backbone.embedding_width
    frozen = inputs.evaluate(ROWS)[:, :width]
    np.testing.assert_allclose(frozen.numpy(), other.embed(SMILES)[0], rtol=1e-4, atol=1e-5)
    torch.manual_seed(1)
    found = inputs.train(ROWS)
    assert not found.requires_grad
    other.method.train()
    torch.manual_seed(1)
    expected = other.method.embed(other.builder.build(inputs.live.live.store, ROWS.numpy()))
    torch.testing.assert_close(found[:, :width], expected.detach(), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(found[:, :width], frozen, atol=1e-2)
    again = inputs.train(ROWS)
    assert not torch.allclose(again[:, :width], found[:, :width], atol=1e-2)  # dropout
    assert torch.equal(again[:, width:], found[:, width:])
    # the statistics have moved, so the embedding is another in evaluation mode too
    moved = inputs.evaluate(ROWS)[:, :width]
    assert not torch.allclose(moved, frozen, atol=1e-3)
    assert torch.equal(moved, inputs.evaluate(ROWS)[:, :width])


@pytest.mark.parametrize("method", ["infoalign", "chmr"])
def test_statistics_move_and_are_saved_and_the_callers_backbone_stays(
    untrained: dict[str, Path], tmp_path: Path, method: str
) -> None:
    backbone = Backbone.load(untrained[method])
    backbone.embed(SMILES)  # the encoder shortens rows of its tables when it first reads them
    before = copied(backbone)
    result = run(backbone, embedding_mode="training")
    assert all(torch.equal(before[name], tensor) for name, tensor in backbone.weights().items())
    tuned = result.predictor.features.backbone
    assert tuned is not None
    changed = {name for name, tensor in tuned.weights().items() if not torch.equal(before[name], tensor)}
    assert changed
    assert {name.rpartition(".")[2] for name in changed} <= {
        "running_mean", "running_var", "num_batches_tracked",
    }  # fmt: skip
    assert not tuned.method.training
    loaded = Predictor.load(result.predictor.save(tmp_path / "m"))
    assert loaded.unfrozen
    np.testing.assert_array_equal(loaded.predict(SMILES).values, result.predictor.predict(SMILES).values)
    after = Backbone.load(tmp_path / "m" / "backbone").embed(SMILES)[0]
    assert not np.allclose(after, backbone.embed(SMILES)[0], atol=1e-3)


def test_the_mode_changes_the_answers_and_the_seed_fixes_them(untrained: dict[str, Path]) -> None:
    backbone = Backbone.load(untrained["infoalign"])
    options = [{}, {"embedding_mode": "training"}, {"embedding_mode": "training"}]
    frozen, first, second = (run(backbone, **given).predictor.predict(SMILES).values for given in options)
    np.testing.assert_array_equal(first, second)
    assert not np.allclose(frozen, first, atol=1e-4)


def test_the_best_epochs_statistics_come_back(untrained: dict[str, Path]) -> None:
    # labels without sense, so that validation soon gets worse
    labels = Labels.of_kind(
        ("noise",), np.random.default_rng(0).integers(0, 2, (len(SMILES), 1)) * 1.0, LABELS.kind
    )
    backbone = Backbone.load(untrained["infoalign"])
    options = {"embedding_mode": "training", "epochs": 12, "select_by": "loss", "lr": 0.1}
    result = run(backbone, labels, **options)
    fit = result.predictor.learner.first.fits[0]
    assert fit.best_epoch < fit.epochs  # or nothing had to come back
    valid = FOLDS == "valid"
    y = labels.matrix[valid]
    p = result.predictor.predict([s for s, keep in zip(SMILES, valid, strict=True) if keep]).values
    loss = -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()
    assert fit.best_score == pytest.approx(-loss, rel=1e-3)
    expected, _ = score_tasks(y, p, "roc_auc")
    assert result.scores["valid"]["mean"] == pytest.approx(expected, abs=1e-6)


def test_goes_with_schedule_and_forest(untrained: dict[str, Path], tmp_path: Path) -> None:
    result = run(
        Backbone.load(untrained["chmr"]),
        embedding_mode="training",
        schedule="cosine",
        patience=3,
        forest_gamma=0.1,
        forest_trees=5,
        bits_radius=1,
    )
    assert result.predictor.learner.first.forest is not None
    loaded = Predictor.load(result.predictor.save(tmp_path / "m"))
    np.testing.assert_array_equal(loaded.predict(SMILES).values, result.predictor.predict(SMILES).values)


def test_needs_a_backbone() -> None:
    with pytest.raises(ConfigError, match="no backbone to keep in training mode"):
        run(None, embedding_mode="training")
