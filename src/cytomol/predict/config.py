"""Options of fine-tuning, put together from groups; the command line is generated from them."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from cytomol.assays.options import AssayOptions
from cytomol.learners.head.options import BLOCKS, HeadOptions
from cytomol.options.machine import MachineOptions
from cytomol.options.reading import ReadingOptions

__all__ = ["BLOCKS", "FinetuneConfig"]


class FinetuneConfig(AssayOptions, ReadingOptions, HeadOptions, MachineOptions):
    """How a head is put on a backbone; the defaults are what validation favoured."""

    group: ClassVar[str] = "training"

    seed: int = Field(0, ge=0, lt=2**32, description="Seed of the heads.")
