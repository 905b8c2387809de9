"""What the machine could do at best: the matrix products of a computation, alone; a copy of its bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["Products", "copy_of"]


class _Shape(NamedTuple):
    """A product: how many at once (0: one, of two matrices), sizes, operands that lie transposed, where."""

    many: int
    m: int
    k: int
    n: int
    left_flipped: bool
    right_flipped: bool
    dtype: torch.dtype
    device: torch.device

    def operands(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return two factors and room for their product."""
        many = (self.many,) if self.many else ()
        kind: dict[str, Any] = {"dtype": self.dtype, "device": self.device}

        def matrix(rows: int, columns: int, *, flipped: bool) -> Tensor:
            if flipped:
                return torch.randn(*many, columns, rows, **kind).transpose(-1, -2)
            return torch.randn(*many, rows, columns, **kind)

        left = matrix(self.m, self.k, flipped=self.left_flipped)
        right = matrix(self.k, self.n, flipped=self.right_flipped)
        return left, right, torch.empty(*many, self.m, self.n, **kind)


class _Recorder(TorchDispatchMode):
    def __init__(self, shapes: Counter[_Shape]) -> None:
        super().__init__()
        self.shapes = shapes

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        del types
        name = function.overloadpacket.__name__
        if name in {"mm", "addmm", "bmm", "baddbmm"}:
            left, right = args[-2:]
            flipped = tuple(not m.is_contiguous() for m in (left, right))
            many = len(left) if left.ndim == 3 else 0
            sizes = (left.shape[-2], left.shape[-1], right.shape[-1])
            self.shapes[_Shape(many, *sizes, *flipped, left.dtype, left.device)] += 1
        elif name == "_linear_pointwise":
            left, right = args[:2]
            sizes = (left.shape[0], left.shape[1], right.shape[0])
            self.shapes[_Shape(0, *sizes, False, True, left.dtype, left.device)] += 1
        elif name == "convolution":
            raise NotImplementedError(f"{name} is not counted")
        return function(*args, **(kwargs or {}))


class Products:
    """The matrix products of a computation, to be done again without anything else.

    They are done where the computation did them, and in its arithmetic.

    Parameters
    ----------
    computation
        Runs once and is watched, forwards and backwards.
    """

    def __init__(self, computation: Callable[[], Any]) -> None:
        shapes: Counter[_Shape] = Counter()
        with _Recorder(shapes):
            computation()
        self.shapes = shapes
        self.work = [(*shape.operands(), times) for shape, times in shapes.items()]

    @property
    def flops(self) -> float:
        """Multiplications and additions."""
        return float(sum(2 * max(1, s.many) * s.m * s.k * s.n * times for s, times in self.shapes.items()))

    def __call__(self) -> None:
        """Do them."""
        for left, right, out, times in self.work:
            for _ in range(times):
                torch.matmul(left, right, out=out)


def copy_of(nbytes: int) -> Callable[[], None]:
    """Return a function that copies so many bytes in memory."""
    source, target = np.zeros(nbytes, np.uint8), np.empty(nbytes, np.uint8)
    return lambda: np.copyto(target, source)
