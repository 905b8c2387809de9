"""Linear layers that use the faster of torch's two matrix products on a CPU."""

from __future__ import annotations

import functools
import platform
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

__all__ = ["Linear", "filled_up", "onednn_is_faster", "product"]

FEWEST_ROWS = 64  # below this the gain does not pay for the longer way
_ROUND = 32  # rows


def filled_up(rows: int) -> int:
    """Return the next round number of rows; see :func:`product`."""
    return -(-rows // _ROUND) * _ROUND


@functools.cache
def _has_onednn() -> bool:
    available: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return available and hasattr(torch.ops.mkldnn, "_linear_pointwise")


@functools.cache
def onednn_is_faster() -> bool:
    """Say whether oneDNN multiplies faster than the library that torch asks by default.

    That library, MKL, holds back on processors that are not Intel's: oneDNN is about twice as fast there.
    On Intel's the two are equal, and MKL reads transposed factors without copying them.
    """
    facts = Path("/proc/cpuinfo")
    vendor = facts.read_text(errors="replace") if facts.exists() else platform.processor()
    return _has_onednn() and ("AuthenticAMD" in vendor or "HygonGenuine" in vendor)


def product(
    left: Tensor,
    right: Tensor,
    bias: Tensor | None = None,
    *,
    rectified: bool = False,
    out: Tensor | None = None,
) -> Tensor:
    """Return left @ right.T + bias, or its ReLU, by the faster library: float32, on a CPU, no gradient.

    A bias or a ReLU is added in oneDNN's own pass over the result wherever there is oneDNN. ``out`` is room
    that may be used.

    oneDNN, which also takes every product in bfloat16 and GELU, compiles a kernel for each shape that it
    meets, and keeps it. Such pieces lie between the tables of a step, whose memory then cannot be joined for
    the next step's, so numbers of rows that differ from batch to batch are made round beforehand.
    """
    if onednn_is_faster() or (_has_onednn() and bias is not None and right.is_contiguous()):
        after = "relu" if rectified else "none"
        return cast("Tensor", torch.ops.mkldnn._linear_pointwise(left, right, bias, after, [], ""))
    rows = torch.mm(left, right.t(), out=out) if bias is None else torch.addmm(bias, left, right.t(), out=out)
    return rows.relu_() if rectified else rows


class _OneDNN(torch.autograd.Function):
    """y = x W^T + b; dx = dy W, dW = dy^T x, db = sum dy."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(rows, weight)
        return product(rows, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        rows, weight = ctx.saved_tensors
        gradient = gradients[0].contiguous()
        by_rows, by_weight, by_bias = ctx.needs_input_grad
        return (
            product(gradient, weight.t()) if by_rows else None,
            product(gradient.t(), rows.t()) if by_weight else None,
            gradient.sum(dim=0) if by_bias else None,
        )


class Linear(nn.Linear):
    """y = x W^T + b, (n, inputs) -> (n, outputs).

    In float32 on a CPU the products go to oneDNN where that is faster (``onednn_is_faster``); elsewhere this
    is ``torch.nn.Linear``.
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
            or not onednn_is_faster()
        )
        if plain:
            return functional.linear(input, self.weight, self.bias)
        return cast("Tensor", _OneDNN.apply(input.contiguous(), self.weight, self.bias))  # type: ignore[no-untyped-call]
