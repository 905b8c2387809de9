"""A training step never asks the device for a number, nor for a shape that depends on one.

On a GPU each such question halts the host until the device has caught up. The device "meta" has shapes and no
numbers, so the question raises there: ``item``, ``tolist``, ``nonzero``, an index that is a mask, ``unique``,
``bincount``, ``if tensor``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from cytomol.methods import Method, methods
from cytomol.methods.config import CHMRConfig, InfoAlignConfig
from cytomol.nn.batch import Batch, Dimensions
from cytomol.nn.encoder import GraphEncoder
from cytomol.nn.quantizer import FlatQuantizer, TreeQuantizer

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
    "no reseeding": {"reseed_dead_codes": False},
    "zeros": {"augmentation": "zero"},
    "noise": {"augmentation": "random"},
    "from the anchor": {"decode_from": "anchor"},
    "from the profile": {"decode_from": "modality", "missing_input": "placeholder"},
    "cross entropy": {"continuous_loss": "bce"},
    "no reconstruction": {"reconstruction": False},
    "views of vectors": {"views": ("1d", "3d")},
}


def _step(method: Method, batch: Batch) -> None:
    method.to("meta").train()
    optimizer = torch.optim.Adam(method.parameters(), foreach=True)
    batch = batch.to("meta")
    for _ in range(2):
        optimizer.zero_grad()
        output = method(batch)
        assert output.loss.device.type == "meta"
        output.loss.backward()
        optimizer.step()
    assert all(parameter.grad is not None for parameter in method.parameters())


@pytest.mark.parametrize("options", CHMR)
def test_chmr(make_batch: MakeBatch, make_dimensions: MakeDimensions, all_rows: Spread, options: str) -> None:
    dimensions = make_dimensions(morphology=7, expression=5)
    config = CHMRConfig.build({**CHMR[options], **SMALL, "depth": 3})
    method = methods["chmr"].from_config(config, dimensions)
    _step(method, all_rows(make_batch(6, dimensions)))


@pytest.mark.parametrize("options", [{}, {"decode": "sample"}, {"readout": "mean"}])
def test_infoalign(
    make_batch: MakeBatch, make_dimensions: MakeDimensions, all_rows: Spread, options: dict[str, Any]
) -> None:
    dimensions = make_dimensions(morphology=7)
    method = methods["infoalign"].from_config(InfoAlignConfig.build({**SMALL, **options}), dimensions)
    _step(method, all_rows(make_batch(6, dimensions)))
