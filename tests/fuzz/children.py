"""Forked processes that work in a folder of their own and can be killed with all that they start."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["settle"]


def settle(place: Path) -> None:
    """Lead a group of processes, work in ``place``, and write to its log what would be printed."""
    os.setpgid(0, 0)
    os.chdir(place)
    log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
