"""Linear layers that use the faster of torch's two matrix products on a CPU."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

__all__ = ["Linear"]

FEWEST_ROWS = 64  # below this the gain does not pay for the longer way


def _product(left: Tensor, right: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return left @ right.T + bias by oneDNN, in float32."""
    return cast("Tensor", torch.ops.mkldnn._linear_pointwise(left, right, bias, "none", [], ""))


def _has_onednn() -> bool:
    available: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return available and hasattr(torch.ops.mkldnn, "_linear_pointwise")


class _OneDNN(torch.autograd.Function):
    """y = x W^T + b; dx = dy W, dW = dy^T x, db = sum dy."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(rows, weight)
        return _product(rows, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        rows, weight = ctx.saved_tensors
        gradient = gradients[0].contiguous()
        by_rows, by_weight, by_bias = ctx.needs_input_grad
        return (
            _product(gradient, weight.t()) if by_rows else None,
            _product(gradient.t(), rows.t()) if by_weight else None,
            gradient.sum(dim=0) if by_bias else None,
        )


class Linear(nn.Linear):
    """y = x W^T + b, (n, inputs) -> (n, outputs).

    In float32 on a CPU the products go to oneDNN, which on processors that are not Intel's is about
    twice as fast as the library that torch asks by default; elsewhere this is ``torch.nn.Linear``.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's own name
        """Map rows, (n, inputs) -> (n, outputs)."""
        plain = (
            input.device.type != "cpu"
            or input.dtype != torch.float32
            or self.weight.dtype != torch.float32
            or input.ndim != 2
            or len(input) < FEWEST_ROWS
            or torch.is_autocast_enabled("cpu")
            or not _has_onednn()
        )
        if plain:
            return functional.linear(input, self.weight, self.bias)
        return cast("Tensor", _OneDNN.apply(input.contiguous(), self.weight, self.bias))  # type: ignore[no-untyped-call]
