"""Commands in processes of their own: wall time, and the most memory that the whole family holds."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

__all__ = ["Ran", "python"]

_SAMPLE = 0.02  # seconds between two looks at the memory


@dataclass(frozen=True)
class Ran:
    """Seconds, and the largest sum of resident memory over the process and its children, in bytes."""

    seconds: float
    peak: float
    output: str


def python(arguments: Sequence[str], *, threads: int, memory: bool = True) -> Ran:
    """Run this Python with ``arguments``.

    Raises
    ------
    RuntimeError
        If it fails; the message holds the end of what it said.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "NUMBA_NUM_THREADS": str(threads)}
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        peak = [0.0]
        watcher = threading.Thread(target=_watch, args=(process.pid, peak), daemon=True)
        if memory:
            watcher.start()
        output, _ = process.communicate()
        seconds = time.perf_counter() - began
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: {output[-2000:]}")
    return Ran(seconds, peak[0], output)


def _watch(pid: int, peak: list[float]) -> None:
    """Note the largest sum of private and shared memory; a page that two processes share counts once."""
    try:
        root = psutil.Process(pid)
        while True:
            family = [root, *root.children(recursive=True)]
            peak[0] = max(peak[0], sum(_held(process) for process in family))
            time.sleep(_SAMPLE)
    except psutil.NoSuchProcess:
        return


def _held(process: psutil.Process) -> float:
    """Return the memory of a process, shared pages by their share where the system tells."""
    try:
        return float(getattr(process.memory_full_info(), "pss", 0) or process.memory_info().rss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0.0
