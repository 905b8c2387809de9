"""Processes beside this one: how many, and how they start, on Linux, macOS and Windows alike."""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing.context import BaseContext

__all__ = ["default_workers", "fresh_processes"]


def default_workers() -> int:
    """Return the number of processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def fresh_processes(*preload: str) -> BaseContext:
    """Return the way in which processes start: from a fresh interpreter, never as a copy of this one.

    A copy (fork) of a process that runs torch's threads can hang. Windows knows spawn alone; elsewhere a
    server that has been started once is quicker.

    Parameters
    ----------
    preload
        Modules that the server, where there is one, reads once for all of its processes.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    if preload:
        context.set_forkserver_preload(list(preload))
    return context
