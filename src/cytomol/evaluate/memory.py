"""The peak of resident memory of this process."""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["peak_mb"]


def peak_mb() -> float:
    """Return the largest resident memory that this process has had, in MB; NaN where that is not known.

    On Linux it is read from ``/proc``: what ``getrusage`` says there also holds the peak of the process
    that started this one.
    """
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024 / 1e6
    except OSError:
        pass  # not Linux
    if sys.platform == "win32":
        return float("nan")
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
