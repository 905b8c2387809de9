"""The faster linear layer against torch's own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cytomol.nn.linear import Linear


@pytest.mark.parametrize("rows", [0, 1, 63, 64, 200])
@pytest.mark.parametrize("bias", [True, False])
def test_equals_torch(rows: int, bias: bool) -> None:
    torch.manual_seed(rows)
    ours, theirs = Linear(7, 5, bias=bias), nn.Linear(7, 5, bias=bias)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(7, rows).T  # not contiguous
    direction = torch.randn(rows, 5)
    results = []
    for layer in (ours, theirs):
        leaf = x.clone().requires_grad_()
        y = layer(leaf)
        (y * direction).sum().backward()
        results.append([y, leaf.grad, *(parameter.grad for parameter in layer.parameters())])
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_frozen_and_mixed_precision() -> None:
    layer, x = Linear(8, 4), torch.randn(100, 8, requires_grad=True)
    layer.weight.requires_grad_(requires_grad=False)
    layer(x).sum().backward()
    assert layer.weight.grad is None
    assert layer.bias.grad is not None
    torch.testing.assert_close(x.grad, layer.weight.sum(0).expand(100, 8))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(x).dtype == torch.bfloat16
    assert layer.double()(x.double()).dtype == torch.float64
