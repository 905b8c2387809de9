"""What every row needs to know."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings:
    """Repeats of quick and of slow measurements, and threads."""

    repeats: int = 7
    slow_repeats: int = 3
    threads: int = 2
