"""The peak of resident memory of this process."""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["peak_mb"]


def peak_mb(*, children: bool = False) -> float:
    """Return the largest resident memory that this process has had, in MB; NaN where that is not known.

    Parameters
    ----------
    children
        Take the largest of the processes that it started and that ended, if that is larger.

    Notes
    -----
    On Linux it is read from ``/proc``: what ``getrusage`` says there also holds the peak of the process
    that started this one.
    """
    if sys.platform == "win32":
        return float("nan")
    import resource

    unit = 1 if sys.platform == "darwin" else 1024

    def usage(who: int) -> float:
        return resource.getrusage(who).ru_maxrss * unit / 1e6

    peak = _high_water()
    peak = usage(resource.RUSAGE_SELF) if peak is None else peak
    return max(peak, usage(resource.RUSAGE_CHILDREN)) if children else peak


def _high_water() -> float | None:
    """Return the high-water mark that Linux keeps of a process, in MB; None elsewhere."""
    try:
        text = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return None
    for line in text.splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024 / 1e6
    return None
