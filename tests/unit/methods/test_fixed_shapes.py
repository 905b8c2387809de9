"""A step is the same with rows masked (accelerator) or left out (CPU), and with either form of targets."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from tests.unit.methods.accounts import with_account
from torch import Tensor

from cytomol.methods import Method, methods
from cytomol.methods.config import CHMRConfig, InfoAlignConfig
from cytomol.nn.batch import Batch, Dimensions

MakeBatch = Callable[..., Batch]
MakeDimensions = Callable[..., Dimensions]
Spread = Callable[[Batch], Batch]

PLAIN: dict[str, Any] = {"width": 16, "layers": 2, "dropout": 0.0, "decoder_dropout": 0.0}


def chmr(dimensions: Dimensions, **options: Any) -> Method:
    torch.manual_seed(0)
    method = methods["chmr"].from_config(CHMRConfig.build({**PLAIN, "depth": 5, **options}), dimensions)
    quantizer: Any = method.quantizer
    quantizer.idle += 5000  # codes that no row of the batch chooses are dead, those of small levels at least
    return method


def infoalign(dimensions: Dimensions, **options: Any) -> Method:
    torch.manual_seed(0)
    return methods["infoalign"].from_config(InfoAlignConfig.build({**PLAIN, **options}), dimensions)


def step(method: Method, batch: Batch) -> dict[str, Tensor]:
    """Return all that a step computes, by name: terms, metrics, gradients, and the code book after it."""
    torch.manual_seed(1)
    output = method(batch)
    output.loss.backward()
    found = {"loss": output.loss.detach(), **output.terms, **output.metrics}
    for name, parameter in method.named_parameters():
        assert parameter.grad is not None, name
        found[f"gradient of {name}"] = parameter.grad
    return found | {name: value.clone() for name, value in method.state_dict().items() if "quantizer" in name}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        torch.testing.assert_close(
            value, other[name], rtol=1e-4, atol=2e-5, msg=lambda m, n=name: f"{n}: {m}"
        )


def with_shares(batch: Batch, observed: tuple[float, float]) -> Batch:
    """Return a batch of ten in which these shares of the molecules have each of two profiles."""
    draw = torch.Generator().manual_seed(2)
    for name, share in zip(("morphology", "expression"), observed, strict=True):
        seen = torch.rand(10, generator=draw) < share
        held = seen & batch.responses[name].held_out.known
        batch = with_account(batch, name, "measured", known=seen)
        batch = with_account(batch, name, "held_out", known=held)
    return batch


WAYS = [
    {
        "alignment": alignment,
        "reverse_assignment": reverse,
        "quantizer": quantizer,
        "augmented_weight": weight,
    }
    for (alignment, weight), reverse, quantizer in itertools.product(
        [("paper", 0.0), ("held_out", 0.0), ("held_out", 0.3)],
        ["pooled", "within", "authors"],
        ["tree", "flat"],
    )
]
WAYS.append({**WAYS[0], "alignment": "held_out", "reverse_assignment": "none", "quantizer": "leaves"})


@pytest.mark.parametrize("options", WAYS, ids=lambda options: " ".join(map(str, options.values())))
@pytest.mark.parametrize("observed", [(0.5, 0.5), (0.5, 0.0), (0.1, 0.0), (0.0, 0.0)])
def test_masked_rows_might_as_well_be_left_out(
    make_batch: MakeBatch,
    make_dimensions: MakeDimensions,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    observed: tuple[float, float],
) -> None:
    """One modality with some, one or no measured rows, beside another with some or none."""
    dimensions = make_dimensions(morphology=7, expression=5)
    batch = with_shares(make_batch(10, dimensions), observed)
    left_out = step(chmr(dimensions, **options), batch)
    monkeypatch.setattr("cytomol.nn.condense.LOOKING_IS_FREE", frozenset())
    masked = step(chmr(dimensions, **options), batch)
    assert masked["loss"].isfinite()
    same(masked, left_out)


@pytest.mark.parametrize("observed", [(0.5, 0.5), (0.5, 0.0), (0.1, 0.0), (0.0, 0.0)])
def test_masked_rows_of_every_method(
    make_batch: MakeBatch,
    make_dimensions: MakeDimensions,
    build_method: Callable[..., Method],
    *,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    observed: tuple[float, float],
) -> None:
    dimensions = make_dimensions(morphology=7, expression=5)
    batch = with_shares(make_batch(10, dimensions), observed)
    left_out = step(build_method(name, dimensions, still=True), batch)
    monkeypatch.setattr("cytomol.nn.condense.LOOKING_IS_FREE", frozenset())
    masked = step(build_method(name, dimensions, still=True), batch)
    assert all(value.isfinite().all() for value in masked.values())
    same(masked, left_out)


@pytest.mark.parametrize("masked", [False, True])
def test_nothing_in_a_batch(
    make_batch: MakeBatch, make_dimensions: MakeDimensions, monkeypatch: pytest.MonkeyPatch, masked: bool
) -> None:
    """Neither a view nor a profile: the terms are there, and are zero."""
    if masked:
        monkeypatch.setattr("cytomol.nn.condense.LOOKING_IS_FREE", frozenset())
    dimensions = make_dimensions(morphology=7)
    batch = make_batch(4, dimensions, observed=0.0)
    nothing = torch.zeros(4, dtype=torch.bool)
    batch = dataclasses.replace(batch, view_mask=dict.fromkeys(("1d", "2d", "3d"), nothing))
    found = step(chmr(dimensions), batch)
    for term in ("instance_alignment", "distribution_alignment", "quantization", "reverse_quantization"):
        assert found[term] == 0, term
    assert found["perplexity/1"] == 1
    assert all(value.isfinite().all() for value in found.values())


@pytest.mark.parametrize(
    ("build", "options"),
    [
        (chmr, {}),
        (chmr, {"continuous_loss": "bce"}),
        (chmr, {"decode_from": "modality"}),
        (infoalign, {}),
        (infoalign, {"decode": "sample"}),
    ],
)
def test_targets_of_all_rows_are_those_of_some(
    make_batch: MakeBatch,
    make_dimensions: MakeDimensions,
    all_rows: Spread,
    build: Callable[..., Method],
    options: dict[str, Any],
) -> None:
    dimensions = make_dimensions(morphology=7, expression=5)
    batch = make_batch(10, dimensions)
    some, spread = batch.targets["morphology"], all_rows(batch).targets["morphology"]
    assert some.rows is not None
    assert spread.rows is None
    assert len(some.value) < len(spread.value) == 10
    same(step(build(dimensions, **options), all_rows(batch)), step(build(dimensions, **options), batch))
