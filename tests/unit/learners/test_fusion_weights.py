from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from cytomol.learners.fusion_weights import fuse, fusion_weights


def sources(kind: str, rng: np.random.Generator, tasks: int, rows: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Return two sources, the first of which is right in odd tasks and the second in even ones."""
    truth = rng.normal(size=(rows, tasks))
    labels = (truth > 0).astype(float) if kind == "classification" else truth
    right = expit(2 * truth) if kind == "classification" else truth + 0.1 * rng.normal(size=truth.shape)
    noise = rng.normal(size=truth.shape)
    wrong = expit(2 * noise) if kind == "classification" else noise
    odd = np.arange(tasks) % 2 == 1
    return np.stack([np.where(odd, right, wrong), np.where(odd, wrong, right)]), labels


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_each_task_trusts_the_source_that_is_right_there(kind: str) -> None:
    found, labels = sources(kind, np.random.default_rng(0), 6)
    weights = fusion_weights(found, labels, kind)
    assert (weights[0, 1::2] > 0.7).all()
    assert (weights[1, 0::2] > 0.7).all()


def test_a_task_without_labels_gets_what_the_tasks_have_in_common() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(size=(50, 9))
    found = np.stack([expit(2 * truth), expit(2 * rng.normal(size=truth.shape))])
    labels = (truth > 0).astype(float)
    labels[:, 4] = np.nan
    weights = fusion_weights(found, labels, "classification")
    assert weights[0, 4] > 0.7
    nothing = fusion_weights(found, np.full_like(labels, np.nan), "classification")
    np.testing.assert_allclose(nothing, 0.5)


@given(
    st.integers(0, 1000),
    st.integers(1, 3),
    st.integers(1, 4),
    st.sampled_from(["classification", "regression"]),
)
def test_weights_are_shares_and_follow_the_order_of_sources(
    seed: int, count: int, tasks: int, kind: str
) -> None:
    rng = np.random.default_rng(seed)
    found = rng.uniform(size=(count, 8, tasks))
    labels = rng.integers(0, 2, (8, tasks)).astype(float)
    labels[rng.random(labels.shape) < 0.3] = np.nan
    weights = fusion_weights(found, labels, kind)
    assert weights.shape == (count, tasks)
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(axis=0), 1)
    np.testing.assert_allclose(fusion_weights(found[::-1], labels, kind), weights[::-1], atol=1e-8)


def test_fuses_logits_and_leaves_out_what_has_no_answer() -> None:
    found = np.array([[[0.2], [np.nan], [np.nan]], [[0.6], [0.6], [np.nan]]])
    weights = np.array([[0.25], [0.75]])
    fused = fuse(found, weights, "classification")
    assert fused[0, 0] == pytest.approx(expit(0.25 * logit(0.2) + 0.75 * logit(0.6)))
    assert fused[1, 0] == pytest.approx(0.6)
    assert np.isnan(fused[2, 0])
    # a source without weight answers where it is the only one that can
    assert fuse(found[:, 1:2], np.array([[1.0], [0.0]]), "regression")[0, 0] == pytest.approx(0.6)
