"""Which way the graph encoder computes: in the fused functions of a CPU, or by torch's own operations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

from cytomol.nn.linear import FEWEST_ROWS

__all__ = ["can_be_fused", "plain_operations"]

_PLAIN = ContextVar("plain", default=False)


@contextmanager
def plain_operations() -> Iterator[None]:
    """Leave the fused functions out, as every device but a CPU does; to compare the two ways."""
    before = _PLAIN.set(True)
    try:
        yield
    finally:
        _PLAIN.reset(before)


def can_be_fused(rows: Tensor, count: int | None = None) -> bool:
    """Say whether the fused functions take such rows: enough of them, float32, on a CPU.

    ``count`` is the number of rows of the whole batch, where these are a part of it.
    """
    return (
        (len(rows) if count is None else count) >= FEWEST_ROWS
        and rows.device.type == "cpu"
        and rows.dtype == torch.float32
        and (not torch.is_autocast_enabled("cpu") or torch.get_autocast_dtype("cpu") == torch.bfloat16)
        and not _PLAIN.get()
    )
