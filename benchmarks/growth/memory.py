"""Memory and processor time of this process, as the system counts them.

A watcher outside would count what comes after the step as well (its result is kept for other steps),
and looking often at a process of many gigabytes slows it down; the system notes the highest mark itself.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

__all__ = ["forget_peak", "held_mb", "peak_mb", "processor_seconds"]

_STATUS = Path("/proc/self/status")


def forget_peak() -> None:
    """Let the highest mark begin anew, where the system can; elsewhere loading the inputs counts too."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def held_mb() -> float:
    """Return the resident memory in 10^6 bytes; files that are mapped count as far as they were read."""
    return _status("VmRSS")


def peak_mb() -> float:
    """Return the highest mark of the resident memory in 10^6 bytes."""
    return _status("VmHWM")


def processor_seconds() -> tuple[float, float]:
    """Return the processor time of this process so far, and that of the system on its behalf."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime, used.ru_stime


def _status(name: str) -> float:
    if not _STATUS.exists():
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    lines = (line.split() for line in _STATUS.read_text().splitlines())
    return next(int(words[1]) * 1024 / 1e6 for words in lines if words[0] == f"{name}:")
