"""A training step never asks the device for a number, nor for a shape that depends on one.

On a GPU each such question halts the host until the device has caught up. The device "meta" has shapes and no
numbers, so the question raises there; what it lets pass, ``_Watch`` finds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from cytomol.methods import Method, methods
from cytomol.methods.config import CHMRConfig, InfoAlignConfig
from cytomol.nn.batch import Batch, Dimensions

MakeBatch = Callable[..., Batch]
MakeDimensions = Callable[..., Dimensions]
Spread = Callable[[Batch], Batch]

SMALL: dict[str, Any] = {"width": 16, "layers": 2}

CHMR: dict[str, dict[str, Any]] = {
    "default": {},
    "paper": CHMRConfig.preset("paper").model_dump(),
    "authors": CHMRConfig.preset("authors").model_dump(),
    "all rows": {"alignment": "paper"},
    "augmented rows": {"augmented_weight": 0.3},
    "sums": {"alignment_reduction": "sum", "variance_hinges": "sum"},
    "no contrast": {"instance_alignment": False},
    "no consistency": {"distribution_alignment": False},
    "reverse none": {"reverse_assignment": "none"},
    "reverse pooled": {"reverse_assignment": "pooled"},
    "reverse within": {"reverse_assignment": "within"},
    "reverse authors": {"reverse_assignment": "authors"},
    "flat": {"quantizer": "flat"},
    "flat within": {"quantizer": "flat", "reverse_assignment": "within"},
    "no code book": {"quantizer": "none"},
    "leaves": {"quantizer": "leaves", "reverse_assignment": "none"},
    "leaves of anchors": {"quantizer": "leaves", "quantized": "anchor"},
    "no reseeding": {"reseed_dead_codes": False},
    "zeros": {"augmentation": "zero"},
    "noise": {"augmentation": "random"},
    "means": {"augmentation": "mean"},
    "from the anchor": {"decode_from": "anchor"},
    "from the profile": {"decode_from": "modality", "missing_input": "placeholder"},
    "cross entropy": {"continuous_loss": "bce"},
    "no reconstruction": {"reconstruction": False},
    "views of vectors": {"views": ("1d", "3d")},
}


class _Watch(TorchDispatchMode):
    """Raises where a mask is written through, and where a tensor of the host meets one of the device."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = [value for value in tree_leaves((args, kwargs or {})) if isinstance(value, Tensor)]
        if "index_put" in str(func) and any(index.dtype == torch.bool for index in tree_leaves(args[1])):
            raise RuntimeError("index that is a mask")
        if len({tensor.device for tensor in given}) > 1:
            raise RuntimeError(f"{func}: tensors of host and device")
        made = func(*args, **(kwargs or {}))
        places = {value.device for value in tree_leaves(made) if isinstance(value, Tensor)}
        if given and places - {tensor.device for tensor in given}:
            raise RuntimeError(f"{func}: copy between host and device")
        return made


def _step(method: Method, batch: Batch) -> None:
    method.to("meta").train()
    optimizer = torch.optim.Adam(method.parameters(), foreach=True)
    batch = batch.to("meta")
    with _Watch():
        output = method(batch)
        output.loss.backward()
        optimizer.step()
    assert output.loss.device.type == "meta"
    assert all(parameter.grad is not None for parameter in method.parameters())


QUESTIONS: dict[str, Callable[[Tensor], Any]] = {
    "item": lambda x: x[0].item(),
    "float": lambda x: float(x[0]),
    "if": lambda x: 1 if x[0] > 0 else 0,
    "cpu": lambda x: x.cpu(),
    "tolist": lambda x: x.tolist(),
    "nonzero": lambda x: x.nonzero(),
    "masked_select": lambda x: x.masked_select(x > 0),
    "read through a mask": lambda x: x[x > 0],
    "write through a mask": lambda x: x.__setitem__(x > 0, torch.ones_like(x)),
    "unique": lambda x: x.unique(),
    "bincount": lambda x: torch.bincount(x.long()),
    "repeat_interleave": lambda x: x.long().repeat_interleave(x.long()),
    "tensor of the host": lambda x: torch.where(x > 0, x, torch.tensor(1.0)),
    "number of the host": lambda x: x + torch.tensor([2.0]).to(x.device),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_each_question_is_found(question: str) -> None:
    asked = QUESTIONS[question]
    asked(torch.ones(4))
    with _Watch(), pytest.raises((RuntimeError, NotImplementedError)):
        asked(torch.ones(4, device="meta"))


def test_a_question_in_the_backward_pass_is_found() -> None:
    class Asks(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x.clone()

        @staticmethod
        def backward(ctx: Any, *gradients: Tensor) -> Tensor:
            gradients[0][gradients[0] > 0] = torch.zeros_like(gradients[0])
            return gradients[0]

    x = torch.ones(4, device="meta", requires_grad=True)
    with _Watch(), pytest.raises(RuntimeError, match="mask"):
        Asks.apply(x).sum().backward()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("options", CHMR)
def test_chmr(make_batch: MakeBatch, make_dimensions: MakeDimensions, all_rows: Spread, options: str) -> None:
    dimensions = make_dimensions(morphology=7, expression=5)
    config = CHMRConfig.build({**CHMR[options], **SMALL, "depth": 3})
    method = methods["chmr"].from_config(config, dimensions)
    _step(method, all_rows(make_batch(6, dimensions)))


PRESETS = [(name, preset) for name in methods for preset in methods[name].Config.presets]


@pytest.mark.parametrize(("method", "preset"), PRESETS)
def test_every_preset_of_every_method(
    make_batch: MakeBatch,
    make_dimensions: MakeDimensions,
    build_method: Callable[..., Method],
    all_rows: Spread,
    *,
    method: str,
    preset: str,
) -> None:
    dimensions = make_dimensions(morphology=7, expression=5)
    _step(build_method(method, dimensions, preset=preset), all_rows(make_batch(6, dimensions)))


@pytest.mark.parametrize("options", [{"retrieval": False}, {"views": ("1d",)}, {"views": ("3d",)}])
def test_contrastive(
    make_batch: MakeBatch,
    make_dimensions: MakeDimensions,
    build_method: Callable[..., Method],
    options: dict[str, Any],
) -> None:
    dimensions = make_dimensions(morphology=7, expression=5)
    _step(build_method("contrastive", dimensions, **options), make_batch(6, dimensions))


@pytest.mark.parametrize("options", [{}, {"decode": "sample"}, {"readout": "mean"}])
def test_infoalign(
    make_batch: MakeBatch, make_dimensions: MakeDimensions, all_rows: Spread, options: dict[str, Any]
) -> None:
    dimensions = make_dimensions(morphology=7)
    method = methods["infoalign"].from_config(InfoAlignConfig.build({**SMALL, **options}), dimensions)
    _step(method, all_rows(make_batch(6, dimensions)))
