from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from cytomol.artifact.backbone import Backbone
from cytomol.assays.labels import Labels
from cytomol.learners.head.unfreeze import layer_groups
from cytomol.predict.config import FinetuneConfig
from cytomol.predict.finetune import FinetuneResult, Listener, finetune
from cytomol.predict.predictor import Predictor

SMILES = [
    f"{tail}{ring}"
    for ring in ("c1ccccc1", "C1CCCCC1", "c1ccncc1")
    for tail in ("", "C", "CC", "N", "O", "Cl")
]
LABELS = Labels.of_kind(("aromatic",), np.array([[float("c" in s)] for s in SMILES]), "classification")
FOLDS = np.array(["train", "train", "valid"] * 6)


def run(backbone: Backbone, labels: Labels = LABELS, **options: object) -> tuple[FinetuneResult, list[str]]:
    reports: list[str] = []
    config = FinetuneConfig.build(
        {
            "epochs": 4,
            "hidden": 8,
            "backbone_lr": 1e-2,
            "batch_size": 8,
            "patience": 0,
            "refit": False,
            **options,
        }
    )
    result = finetune(
        SMILES,
        labels,
        config,
        backbone=backbone,
        folds=FOLDS,
        workers=1,
        listener=Listener(step=lambda _done, _total, what: reports.append(what)),
    )
    return result, reports


@pytest.mark.parametrize("method", ["infoalign", "chmr"])
def test_groups_hold_every_parameter_once_from_the_last_layer(
    untrained: dict[str, Path], method: str
) -> None:
    backbone = Backbone.load(untrained[method])
    groups = layer_groups(backbone.method)
    inside = [id(parameter) for group in groups for parameter in group]
    assert sorted(inside) == sorted(id(parameter) for parameter in backbone.method.parameters())
    encoder = backbone.method.encoder
    assert encoder is not None
    where = {id(p): number for number, group in enumerate(groups) for p in group}
    last, first = (where[id(next(encoder.layers[depth].parameters()))] for depth in (-1, 0))
    assert 0 < last < first < where[id(encoder.atoms.weight)]


@pytest.mark.parametrize("method", ["infoalign", "chmr"])
@pytest.mark.parametrize("unfreeze", ["all", "staged"])
def test_trains_the_backbone_and_leaves_the_callers_alone(
    untrained: dict[str, Path], tmp_path: Path, method: str, unfreeze: str
) -> None:
    backbone = Backbone.load(untrained[method])
    before = {name: tensor.clone() for name, tensor in backbone.weights().items()}
    result, reports = run(backbone, unfreeze=unfreeze, stage_epochs=1, select_by="loss", epochs=6)
    assert all(torch.equal(before[name], tensor) for name, tensor in backbone.weights().items())
    assert len(reports) == (6 if unfreeze == "all" else 12)
    tuned = result.predictor.features.backbone
    assert tuned is not None
    changed = [name for name, tensor in tuned.weights().items() if not torch.equal(before[name], tensor)]
    # the labels follow from the structure, so more training is better, that of the backbone too
    assert result.predictor.learner.first.fits[0].best_epoch > (0 if unfreeze == "all" else 6)
    # the weights of its last layer, not the running means alone
    assert any(name.startswith("encoder.layers.1.mlp") and name.endswith("weight") for name in changed)
    loaded = Predictor.load(result.predictor.save(tmp_path / "m"))
    assert loaded.unfrozen
    np.testing.assert_allclose(
        loaded.predict(SMILES).values, result.predictor.predict(SMILES).values, rtol=1e-5
    )


def test_frozen_backbone_stays_as_it_is(untrained: dict[str, Path], tmp_path: Path) -> None:
    backbone = Backbone.load(untrained["chmr"])
    before, _ = backbone.embed(SMILES)
    result, _ = run(backbone)
    assert result.predictor.features.backbone is backbone
    result.predictor.save(tmp_path / "m")
    after, _ = Backbone.load(tmp_path / "m" / "backbone").embed(SMILES)
    np.testing.assert_array_equal(after, before)


def test_staged_is_never_worse_on_validation_than_the_head_alone(untrained: dict[str, Path]) -> None:
    backbone = Backbone.load(untrained["infoalign"])
    alone, _ = run(backbone, select_by="loss")
    staged, _ = run(backbone, unfreeze="staged", select_by="loss")
    assert (
        staged.predictor.learner.first.fits[0].best_score
        >= alone.predictor.learner.first.fits[0].best_score - 1e-6
    )


def test_scores_are_those_of_the_saved_predictor(untrained: dict[str, Path]) -> None:
    from cytomol.assays.metrics import score_tasks

    result, _ = run(Backbone.load(untrained["infoalign"]), unfreeze="all")
    valid = FOLDS == "valid"
    predicted = result.predictor.predict([s for s, keep in zip(SMILES, valid, strict=True) if keep])
    expected, _ = score_tasks(LABELS.matrix[valid], predicted.values, "roc_auc")
    assert result.scores["valid"]["mean"] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("unfreeze", ["all", "staged"])
def test_the_best_epoch_of_head_and_backbone_together_is_what_stays(
    untrained: dict[str, Path], unfreeze: str
) -> None:
    """Where the valid labels are the opposite of the others, training makes things worse and worse."""
    valid = FOLDS == "valid"
    y = np.where(valid[:, None], 1 - LABELS.matrix, LABELS.matrix)
    labels = Labels.of_kind(LABELS.names, y, "classification")
    options = {"backbone_lr": 0.03, "lr": 0.03, "epochs": 5, "stage_epochs": 1, "select_by": "loss"}
    result, _ = run(Backbone.load(untrained["infoalign"]), labels, unfreeze=unfreeze, **options)
    fit = result.predictor.learner.first.fits[0]
    losses = [-score for _, score in fit.history]
    assert fit.best_epoch == 1 + int(np.argmin(losses))
    assert losses[-1] > 1.2 * min(losses)
    p = result.predictor.predict([s for s, keep in zip(SMILES, valid, strict=True) if keep]).values
    loss = -np.log(np.where(y[valid] == 1, p, 1 - p)).mean()
    assert loss == pytest.approx(min(losses), rel=1e-3)


def test_valid_labels_move_no_weight(untrained: dict[str, Path]) -> None:
    """With a single epoch they have nothing to choose."""
    other = LABELS.matrix.copy()
    other[FOLDS == "valid"] = 1 - other[FOLDS == "valid"]
    changed = Labels.of_kind(LABELS.names, other, "classification")
    backbone = Backbone.load(untrained["infoalign"])
    one, two = (
        run(backbone, labels, unfreeze="all", epochs=1)[0].predictor.predict(SMILES).values
        for labels in (LABELS, changed)
    )
    np.testing.assert_array_equal(one, two)
