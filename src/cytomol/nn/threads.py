"""Threads that share the rows of a table between them."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

__all__ = ["group_ranges", "row_ranges", "share"]

Range = tuple[int, int]

_pool: ThreadPoolExecutor | None = None


def threads_for(rows: int) -> int:
    """Return how many of torch's number of threads are worth their start for so many rows."""
    return max(1, min(torch.get_num_threads(), rows // 512))


def row_ranges(rows: int) -> list[Range]:
    """Divide rows among threads: first and last + 1 of each."""
    return list(pairwise(np.linspace(0, rows, threads_for(rows) + 1).astype(int).tolist()))


def group_ranges(offsets: NDArray[np.int64]) -> list[Range]:
    """Divide groups among threads, to each about as many rows.

    Parameters
    ----------
    offsets
        First row of each group, and the number of rows, int64, shape (groups + 1,).
    """
    rows = int(offsets[-1])
    cuts = np.searchsorted(offsets, np.linspace(0, rows, threads_for(rows) + 1)[1:-1])
    return list(pairwise([0, *cuts.tolist(), len(offsets) - 1]))


def _forget_threads() -> None:
    """Start afresh in a process that was forked: the threads stayed behind."""
    global _pool  # noqa: PLW0603 - see share
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)


def share(ranges: list[Range], work: Callable[[int, int, int], Any]) -> list[Any]:
    """Call ``work(first, last, thread)`` for every range, side by side, the first one here.

    Work that frees the interpreter lock gains by it.
    """
    global _pool  # noqa: PLW0603 - threads live as long as the process
    if len(ranges) == 1:
        return [work(*ranges[0], 0)]
    if _pool is None:
        _pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="cytomol-kernels")
    rest = [_pool.submit(work, *span, k) for k, span in enumerate(ranges[1:], start=1)]
    return [work(*ranges[0], 0), *(job.result() for job in rest)]
