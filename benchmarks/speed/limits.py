"""What the machine could do at best: the matrix products of a computation, alone; a copy of its bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["Products", "copy_of"]

Shape = tuple[int, int, int, bool, bool]


class _Recorder(TorchDispatchMode):
    def __init__(self, shapes: Counter[Shape]) -> None:
        super().__init__()
        self.shapes = shapes

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        del types
        name = function.overloadpacket.__name__
        if name in {"mm", "addmm"}:
            left, right = args[-2:]
            flipped = tuple(not m.is_contiguous() for m in (left, right))
            self.shapes[left.shape[0], left.shape[1], right.shape[1], *flipped] += 1
        elif name == "_linear_pointwise":
            left, right = args[:2]
            self.shapes[left.shape[0], left.shape[1], right.shape[0], False, True] += 1
        elif name in {"bmm", "baddbmm", "convolution"}:
            raise NotImplementedError(f"{name} is not counted")
        return function(*args, **(kwargs or {}))


class Products:
    """The matrix products of a computation, to be done again without anything else.

    Parameters
    ----------
    computation
        Runs once and is watched, forwards and backwards.
    """

    def __init__(self, computation: Callable[[], Any]) -> None:
        shapes: Counter[Shape] = Counter()
        with _Recorder(shapes):
            computation()
        self.work = []
        for (m, k, n, left_flipped, right_flipped), times in shapes.items():
            left = torch.randn(k, m).t() if left_flipped else torch.randn(m, k)
            right = torch.randn(n, k).t() if right_flipped else torch.randn(k, n)
            self.work.append((left, right, torch.empty(m, n), times))

    @property
    def flops(self) -> float:
        """Multiplications and additions."""
        return float(sum(2 * a.shape[0] * a.shape[1] * b.shape[1] * times for a, b, _, times in self.work))

    def __call__(self) -> None:
        """Do them."""
        for left, right, out, times in self.work:
            for _ in range(times):
                torch.mm(left, right, out=out)


def copy_of(nbytes: int) -> Callable[[], None]:
    """Return a function that copies so many bytes in memory."""
    source, target = np.zeros(nbytes, np.uint8), np.empty(nbytes, np.uint8)
    return lambda: np.copyto(target, source)
