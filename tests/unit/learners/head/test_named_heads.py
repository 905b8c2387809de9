from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from cytomol.errors import ConfigError
from cytomol.learners.head.named_heads import build_head, masked_loss
from cytomol.methods import methods
from cytomol.nn.norm import BatchNorm
from cytomol.predict.config import FinetuneConfig


def loss_by_loop(output: np.ndarray, target: np.ndarray, kind: str) -> float:
    terms = []
    for i in range(output.shape[0]):
        for j in range(output.shape[1]):
            y, x = target[i, j], output[i, j]
            if math.isnan(y):
                continue
            p = 1 / (1 + math.exp(-x))
            terms.append(
                -(y * math.log(p) + (1 - y) * math.log(1 - p)) if kind == "classification" else abs(x - y)
            )
    return sum(terms) / len(terms) if terms else 0.0


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 6), tasks=st.integers(1, 4), missing=st.floats(0, 1))
@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_masked_loss_equals_a_loop(kind: str, seed: int, n: int, tasks: int, missing: float) -> None:
    rng = np.random.default_rng(seed)
    output = rng.normal(size=(n, tasks))
    target = rng.integers(0, 2, size=(n, tasks)).astype(float)
    target[rng.random(target.shape) < missing] = np.nan
    found = masked_loss(torch.from_numpy(output), torch.from_numpy(target), kind)
    assert found.item() == pytest.approx(loss_by_loop(output, target, kind))


def test_missing_labels_have_no_gradient() -> None:
    output = torch.zeros(2, 2, requires_grad=True)
    target = torch.tensor([[1.0, math.nan], [math.nan, math.nan]])
    masked_loss(output, target, "classification").backward()
    assert output.grad is not None
    assert (output.grad != 0).tolist() == [[True, False], [False, False]]


@pytest.mark.parametrize(
    ("options", "kind", "norm"),
    [
        ({"head": "infoalign"}, "regression", BatchNorm),
        ({"head": "chmr"}, "classification", nn.LayerNorm),
        ({"head": "chmr", "norm": "batch"}, "classification", BatchNorm),
        ({}, "classification", BatchNorm),
        ({}, "regression", nn.LayerNorm),
        ({"norm": "none"}, "regression", nn.Identity),
    ],
)
def test_heads_are_those_of_the_papers(options: dict[str, str], kind: str, norm: type[nn.Module]) -> None:
    head = build_head(FinetuneConfig.build(options), 300, 7, kind=kind)
    assert isinstance(head[0], nn.Linear)
    assert isinstance(head[1], norm)
    assert isinstance(head[2], nn.GELU)
    assert (head[0].in_features, head[0].out_features) == (300, 1200)  # d - 4d
    assert head[3].p == 0.5
    assert head(torch.zeros(3, 300)).shape == (3, 7)


def test_unknown_head_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="chmr, infoalign"):
        build_head(FinetuneConfig(head="linear"), 3, 1, kind="regression")


def test_features_by_method() -> None:
    config = FinetuneConfig()
    assert config.blocks(methods["infoalign"].blocks) == ("embedding",)
    assert config.blocks(methods["chmr"].blocks) == ("embedding", "1d")
    assert config.blocks(None) == ("1d",)
    assert FinetuneConfig(features="descriptors+1d").blocks(methods["chmr"].blocks) == ("1d", "descriptors")


@pytest.mark.parametrize("features", ["", "1d+", "1d+1d", "embedding,1d", "graph"])
def test_wrong_features_are_refused(features: str) -> None:
    with pytest.raises(ConfigError, match="features"):
        FinetuneConfig.build({"features": features})


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), smoothing=st.floats(0, 0.9), focal=st.floats(0, 5))
def test_smoothing_and_focus_are_those_of_the_formulas(seed: int, smoothing: float, focal: float) -> None:
    rng = np.random.default_rng(seed)
    output = rng.normal(scale=2, size=(4, 3))
    target = rng.integers(0, 2, size=(4, 3)).astype(float)
    target[0, 0] = np.nan
    terms = []
    for x, y in zip(output.ravel(), target.ravel(), strict=True):
        if math.isnan(y):
            continue
        p = 1 / (1 + math.exp(-x))
        soft = y * (1 - smoothing) + smoothing / 2
        entropy = -(soft * math.log(p) + (1 - soft) * math.log(1 - p))
        # 1 - p of the label; of a smoothed label the mean over both classes
        missed = soft * (1 - p) + (1 - soft) * p
        terms.append(entropy * missed**focal)
    found = masked_loss(
        torch.from_numpy(output), torch.from_numpy(target), "classification", smoothing=smoothing, focal=focal
    )
    assert found.item() == pytest.approx(sum(terms) / len(terms), rel=1e-6)


def test_smoothing_and_focus_leave_values_alone() -> None:
    output, target = torch.tensor([[1.0], [4.0]]), torch.tensor([[0.5], [1.0]])
    found = masked_loss(output, target, "regression", smoothing=0.3, focal=2.0)
    assert found.item() == pytest.approx(1.75)
