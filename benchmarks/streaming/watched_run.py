"""A command run in a process of its own and watched: its memory, its finished parts, a kill in the middle."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

__all__ = ["WatchedRun", "finished_parts", "watch_run"]

_PAUSE = 0.05  # seconds between two looks


@dataclass(frozen=True)
class WatchedRun:
    """What a run took.

    Attributes
    ----------
    seconds
        From start to end, or to the kill.
    largest, tree
        Most memory of one process and of all together, in MB (10**6 bytes), resident.
    before
        Parts that were finished when it began, and when.
    again
        How many of them it wrote again.
    lost_seconds, chunk_seconds
        Of a run that was killed: since its last finished part, and the mean time of a part before that.
    """

    seconds: float
    largest: float
    tree: float
    before: dict[Path, int]
    again: int
    lost_seconds: float = 0.0
    chunk_seconds: float = 0.0


def finished_parts(out: Path) -> dict[Path, int]:
    """Return the notes of finished parts beside an output, and when they were written, in nanoseconds."""
    folder = out.with_name(f".{out.name}.parts")
    found = {}
    for path in folder.glob("[0-9]*.json"):
        if (written := _written(path)) is not None:
            found[path] = written
    return found


def watch_run(ask: Sequence[str], out: Path, *, kill_at: int | None = None) -> WatchedRun:
    """Run ``cytomol`` with some arguments.

    Parameters
    ----------
    ask
        The arguments.
    out
        The output among them.
    kill_at
        Kill it with all its processes, half a part after so many parts are finished.

    Raises
    ------
    subprocess.CalledProcessError
        If it fails, or ends before it was killed.
    """
    before = finished_parts(out)
    again: set[Path] = set()
    began, largest, tree = time.perf_counter(), 0.0, 0.0
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = psutil.Popen([sys.executable, "-m", "cytomol", *ask], env=environment)
    killed: tuple[float, float] | None = None
    while process.poll() is None:
        held = _held(process)
        largest, tree = max([largest, *held]), max(tree, sum(held))
        again |= {path for path, written in before.items() if _written(path) not in {written, None}}
        if kill_at is not None and killed is None and len(there := finished_parts(out)) >= kill_at:
            killed = _killed(process, out, there)
        time.sleep(_PAUSE)
    if (kill_at is None and process.returncode) or (kill_at is not None and killed is None):
        raise subprocess.CalledProcessError(process.returncode, list(ask))
    lost, chunk = killed or (0.0, 0.0)
    return WatchedRun(time.perf_counter() - began, largest, tree, before, len(again), lost, chunk)


def _killed(process: psutil.Popen, out: Path, there: dict[Path, int]) -> tuple[float, float]:
    """Kill a run in the middle of a part; return what was lost, and the time of a part, in seconds."""
    written = sorted(there.values())
    chunk = (written[-1] - written[0]) / 1e9 / max(1, len(written) - 1)
    time.sleep(chunk / 2)
    for one in [*process.children(recursive=True), process]:
        one.kill()
    process.wait()
    return time.time() - max(finished_parts(out).values()) / 1e9, chunk


def _held(process: psutil.Popen) -> list[float]:
    """Return the resident memory of a process and of those below it, in MB."""
    try:
        return [one.memory_info().rss / 1e6 for one in [process, *process.children(recursive=True)]]
    except psutil.Error:  # one has just ended
        return []


def _written(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:  # the parts are joined and removed
        return None
