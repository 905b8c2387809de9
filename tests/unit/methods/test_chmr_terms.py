"""Each term of CHMR's loss against a loop that knows the paper and not the code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cytomol.methods.chmr import CHMR
from cytomol.methods.config import CHMRConfig
from cytomol.nn.batch import Batch, Dimensions

MakeBatch = Callable[..., Batch]
MakeDimensions = Callable[..., Dimensions]


def build(dimensions: Dimensions, **options: Any) -> CHMR:
    torch.manual_seed(0)
    return CHMR.from_config(CHMRConfig.build({"width": 16, "layers": 2, "depth": 3, **options}), dimensions)


def cosines(rows: torch.Tensor, others: torch.Tensor) -> NDArray[np.float64]:
    """Return the cosine of each pair, in double precision."""
    a, b = rows.detach().double().numpy(), others.detach().double().numpy()
    return (a @ b.T) / np.outer(np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1))


@pytest.mark.parametrize("temperature", [0.2, 0.7])
def test_contrast_by_hand(make_batch: MakeBatch, make_dimensions: MakeDimensions, temperature: float) -> None:
    dimensions = make_dimensions(morphology=7, expression=5)
    batch = make_batch(10, dimensions)
    method = build(dimensions, temperature=temperature).eval()
    losses = []
    for name in ("morphology", "expression"):
        rows = batch.responses[name].measured.known
        cosine = cosines(
            method.anchor(batch)[rows], method.profiles[name](batch.responses[name].measured.values[rows])
        )
        losses.append(
            np.mean(
                [
                    -np.log(np.exp(c[i] / temperature) / np.exp(c / temperature).sum())
                    for i, c in enumerate(cosine)
                ]
            )
        )
    found = method(batch).terms["instance_alignment"].item()
    assert found == pytest.approx(np.mean(losses), rel=1e-4)


@pytest.mark.parametrize("eta", [0.0, 0.3, 2.0])
def test_quantization_by_hand(make_batch: MakeBatch, make_dimensions: MakeDimensions, eta: float) -> None:
    """Views and modalities count alike, however many molecules have them."""
    dimensions = make_dimensions(morphology=7, expression=5)
    batch = make_batch(20, dimensions, observed=0.3)
    method = build(dimensions, eta=eta).eval()
    assert method.quantizer is not None
    assert method.encoder is not None
    inputs = {**batch.views, "2d": method.encoder(batch.graph)}
    masks = {"3d": batch.view_mask["3d"]}
    groups = [
        method.views[view](inputs[view])[masks.get(view, torch.ones(20, dtype=torch.bool))]
        for view in ("1d", "2d", "3d")
    ]
    groups += [
        method.profiles[name](batch.responses[name].measured.values[batch.responses[name].measured.known])
        for name in dimensions.modalities
    ]
    assert len({len(group) for group in groups}) > 2

    codes = method.quantizer.codes
    forward = []
    for group in groups:
        losses = []
        for cosine in cosines(group, codes):
            node = 0
            for level in (1, 2, 3):  # level h starts at code 2^h - 2; the children of a node compete
                left = 2**level - 2 + 2 * node
                right = cosine[left + 1] > cosine[left]
                losses.append((1 + eta) * (1 - cosine[left + right]))
                node = 2 * node + int(right)
        forward.append(np.mean(losses))
    best = cosines(codes, torch.cat(groups)).max(axis=1)
    reverse = [np.mean((1 + eta) * (1 - best[2**level - 2 : 2 ** (level + 1) - 2])) for level in (1, 2, 3)]

    terms = method(batch).terms
    assert terms["quantization"].item() == pytest.approx(np.mean(forward), rel=1e-4)
    assert terms["reverse_quantization"].item() == pytest.approx(np.mean(reverse), rel=1e-4)


def test_consistency_compares_measured_profiles_with_what_neighbours_say(
    make_batch: MakeBatch, make_dimensions: MakeDimensions
) -> None:
    dimensions = make_dimensions(morphology=7)
    batch = make_batch(20, dimensions)
    method = build(dimensions).eval()
    rows = batch.responses["morphology"].measured.known & batch.responses["morphology"].held_out.known
    assert 2 < int(rows.sum()) < int(batch.responses["morphology"].measured.known.sum())
    measured, told = (
        method.profiles["morphology"](account.values[rows]).detach().double().numpy()
        for account in (batch.responses["morphology"].measured, batch.responses["morphology"].held_out)
    )
    invariance = np.mean((measured - told) ** 2)
    spread = [np.sqrt(p.var(axis=0, ddof=1) + 1e-4) for p in (measured, told)]
    variance = np.mean([np.maximum(0, 1 - deviation).mean() for deviation in spread])
    covariances = [np.cov(p, rowvar=False) for p in (measured, told)]
    covariance = sum((c**2).sum() - (np.diag(c) ** 2).sum() for c in covariances) / 16
    found = method(batch).terms["distribution_alignment"].item()
    assert found == pytest.approx(invariance + variance + covariance, rel=1e-4)
