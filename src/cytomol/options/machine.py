"""Options of the machine: where and with how many threads, never what is computed."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from cytomol.config import MACHINE, Config

__all__ = ["MachineOptions"]


class MachineOptions(Config):
    """How a machine computes; runs that differ in nothing else have the same result but for rounding."""

    group: ClassVar[str] = MACHINE

    accelerator: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="Where to train.")
    threads: int = Field(0, ge=0, description="Threads of a process; 0 leaves the choice to torch.")
