"""Options of the contrast of molecules with their profiles."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from cytomol.config import Config

__all__ = ["ContrastOptions"]


class ContrastOptions(Config):
    """How molecules and profiles are brought together, and told from the others."""

    group: ClassVar[str] = "contrast"

    profile_inputs: Literal["minmax", "zscore", "raw"] = Field(
        "minmax",
        description="How profiles are read: scaled to [0, 1] (minmax), to mean 0 and variance 1 (zscore), or "
        "as they lie in the file (raw).",
    )
    temperature: float = Field(1 / 14.3, gt=0, le=10, description="Temperature of the contrast.")
    retrieval: bool = Field(
        True, description="Contrast what modern Hopfield networks retrieve for molecules and profiles."
    )
    retrieval_scale: float = Field(
        14.3, gt=0, le=1000, description="Inverse temperature of the retrieval; the larger, the fewer answer."
    )
    hidden: int = Field(
        512, ge=8, le=16384, description="Width of the hidden layers that views and profiles go through."
    )
    hidden_layers: int = Field(1, ge=0, le=8, description="Hidden layers that they go through.")
