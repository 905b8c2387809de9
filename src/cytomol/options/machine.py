"""Options of the machine: where and with how many threads, never what is computed."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from cytomol.config import MACHINE, Config

__all__ = ["MOST_THREADS", "MachineOptions"]

MOST_THREADS = 4096
"""More than any machine has; no library below takes far more."""


class MachineOptions(Config):
    """How a machine computes; runs that differ in nothing else have the same result but for rounding."""

    group: ClassVar[str] = MACHINE

    accelerator: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="Where to train.")
    threads: int = Field(
        0, ge=0, le=MOST_THREADS, description="Threads of a process; 0 leaves the choice to torch."
    )
