from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from cytomol.learners import Learning
from cytomol.learners.cell_kernel import measured_rows
from cytomol.learners.forest import Forest
from cytomol.learners.with_profiles import ALONE, WithProfiles

BLOCKS = ("profile:cell", "profile:genes")


def planted(kind: str = "classification", rows: int = 240) -> tuple[dict[str, np.ndarray], Learning]:
    """Return two tasks, of which one follows from structure and one from a profile that half have."""
    rng = np.random.default_rng(1)
    counts = rng.poisson(0.8, (rows, 24)).astype(np.float32)
    cell, genes = (rng.normal(size=(rows, width)).astype(np.float32) for width in (6, 9))
    value = np.stack([counts[:, 0] - counts[:, 1], cell[:, 0] + cell[:, 1]], axis=1).astype(float)
    labels = (value > np.median(value, axis=0)).astype(float) if kind == "classification" else value
    cell[::2] = np.nan
    genes[rng.random(rows) < 0.7] = np.nan
    blocks = {"counts": np.log1p(counts), BLOCKS[0]: cell, BLOCKS[1]: genes}
    at = np.arange(rows)
    metric = "roc_auc" if kind == "classification" else "mae"
    return blocks, Learning(labels, at % 6 < 3, (at % 6 == 3) | (at % 6 == 4), kind, metric)


def fitted(kind: str = "classification") -> tuple[WithProfiles, dict[str, np.ndarray], Learning]:
    blocks, learning = planted(kind)
    model = WithProfiles(Forest(("counts",), trees=40), "forest", BLOCKS)
    model.fit(blocks, learning)
    return model, blocks, learning


def test_beats_structure_where_the_response_matters_and_keeps_it_where_not() -> None:
    model, blocks, learning = fitted()
    rows = np.flatnonzero(~learning.train & measured_rows(blocks[BLOCKS[0]]))
    asked = {name: block[rows] for name, block in blocks.items()}
    alone, fused = model.alone(asked), model.predict(asked)
    assert set(alone) == set(ALONE)
    labels = learning.labels[rows]
    score = [
        [roc_auc_score(labels[:, t], each[:, t]) for t in (0, 1)] for each in (alone["structure"], fused)
    ]
    assert score[1][1] > score[0][1] + 0.2
    assert score[1][0] > score[0][0] - 0.05


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_a_molecule_without_a_profile_is_answered_by_structure_alone(kind: str) -> None:
    model, blocks, _ = fitted(kind)
    bare = {name: np.full_like(b, np.nan) if name in BLOCKS else b for name, b in blocks.items()}
    np.testing.assert_array_equal(model.predict(bare), model.structure.predict(blocks))
    rows = ~model.measured(blocks)
    assert rows.any()
    np.testing.assert_array_equal(model.predict(blocks)[rows], model.structure.predict(blocks)[rows])


def test_answers_agree_however_they_are_asked_for() -> None:
    model, blocks, learning = fitted()
    answers, members = model.answer(blocks)
    np.testing.assert_array_equal(answers, model.predict(blocks))
    np.testing.assert_array_equal(members, model.members(blocks))
    held, of_members = model.held_out(blocks, learning)
    np.testing.assert_allclose(held, answers[learning.valid], atol=1e-6)
    np.testing.assert_allclose(of_members, members[:, learning.valid], atol=1e-6)
    few = {name: block[7:9] for name, block in blocks.items()}
    np.testing.assert_allclose(model.predict(few), answers[7:9], atol=1e-6)


def test_saved_and_fitted_again_it_answers_the_same() -> None:
    model, blocks, learning = fitted()
    restored = WithProfiles.restore(*model.state())
    np.testing.assert_array_equal(restored.predict(blocks), model.predict(blocks))
    again = restored.refit(blocks, learning)
    np.testing.assert_array_equal(again.predict(blocks), model.predict(blocks))
    np.testing.assert_array_equal(again.weights, model.weights)


def test_without_any_labelled_profile_structure_answers() -> None:
    blocks, learning = planted()
    learning = replace(learning, labels=np.where(model_rows(blocks)[:, None], np.nan, learning.labels))
    learning = replace(
        learning, train=learning.train & ~model_rows(blocks), valid=learning.valid & ~model_rows(blocks)
    )
    model = WithProfiles(Forest(("counts",), trees=5), "forest", BLOCKS)
    model.fit(blocks, learning)
    np.testing.assert_allclose(model.predict(blocks), model.structure.predict(blocks), atol=0.02)


def model_rows(blocks: dict[str, np.ndarray]) -> np.ndarray:
    """Return which rows have a profile."""
    return np.logical_or.reduce([measured_rows(blocks[name]) for name in BLOCKS])


def test_projected_profiles_are_fused_where_they_tell_more() -> None:
    blocks, learning = planted()
    blocks["projected:cell"] = np.stack([blocks[BLOCKS[0]][:, 0] + blocks[BLOCKS[0]][:, 1]] * 2, axis=1)
    blocks[BLOCKS[0]] = np.where(
        np.isnan(blocks[BLOCKS[0]]), np.nan, np.random.default_rng(2).normal(size=(240, 6))
    )
    blocks[BLOCKS[0]] = blocks[BLOCKS[0]].astype(np.float32)
    model = WithProfiles(Forest(("counts",), trees=20), "forest", BLOCKS, ("projected:cell",))
    model.fit(blocks, learning)
    assert model.beside == ("joint", "profiles", "projected")
    assert model.weights[3, 1] > 0.5
    restored = WithProfiles.restore(*model.state())
    np.testing.assert_array_equal(restored.predict(blocks), model.predict(blocks))


class ChangesEmbedding(Forest):
    """A learner whose fit changes the embedding that it answers by."""

    def fit(self, blocks: Mapping[str, Any], learning: Learning) -> None:
        super().fit(blocks, learning)
        assert learning.live is not None
        learning.live.network.sign = -1.0  # type: ignore[assignment]

    def predict(self, blocks: Mapping[str, Any]) -> np.ndarray:
        return np.asarray(1 / (1 + np.exp(-4.0 * blocks["embedding"].astype(float))))


def test_weights_are_chosen_by_the_embedding_as_fitting_leaves_it() -> None:
    blocks, learning = planted()
    signs = np.where(learning.labels == 1, 1.0, -1.0).astype(np.float32)
    blocks["embedding"] = -signs  # all wrong before fitting, all right afterwards
    network = torch.nn.Identity()
    network.sign = 1.0  # type: ignore[assignment]
    live = SimpleNamespace(
        network=network, embed=lambda rows, _: -network.sign * torch.from_numpy(signs)[rows]
    )
    model = WithProfiles(ChangesEmbedding(("counts",), trees=2), "forest", BLOCKS)
    model.fit(blocks, replace(learning, live=live))
    assert (model.weights[0] > 0.8).all()


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_one_training_and_one_validation_row_with_a_profile(kind: str) -> None:
    blocks, learning = planted(kind)
    keep = [np.flatnonzero(rows & model_rows(blocks))[0] for rows in (learning.train, learning.valid)]
    for name in BLOCKS:
        alone = np.full_like(blocks[name], np.nan)
        alone[keep] = blocks[name][keep]
        blocks[name] = alone
    model = WithProfiles(Forest(("counts",), trees=5), "forest", BLOCKS)
    model.fit(blocks, learning)
    np.testing.assert_allclose(model.weights.sum(axis=0), 1)
    assert np.isfinite(model.predict(blocks)).all()
