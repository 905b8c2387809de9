"""Options of filling: what stands in for a profile that was not measured."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from cytomol.config import Config

__all__ = ["FillingOptions"]


class FillingOptions(Config):
    """How profiles are read, and what stands in for a missing one."""

    group: ClassVar[str] = "filling"

    profile_inputs: Literal["minmax", "zscore", "raw"] = Field(
        "minmax",
        description="How projectors read profiles: scaled to [0, 1] as the targets are, to mean 0 and "
        "variance 1 (zscore), or as they lie in the file (raw, the authors' code).",
    )
    augmentation: Literal["propagation", "authors", "nearest", "mean", "zero", "random"] = Field(
        "propagation",
        description="What stands in for a missing profile: neighbours' profiles spread step by step "
        "(propagation; authors: as their code has it), the mean of the measured neighbours (nearest) or "
        "of all profiles (mean), zeros or noise.",
    )
    neighbours: int = Field(
        10, ge=1, le=1000, description="Structural neighbours that fill a missing profile."
    )
    propagation_steps: int = Field(
        5, ge=0, le=100, description="Steps of filling missing profiles from neighbours."
    )
    restore_observed: bool = Field(
        True,
        description="Observed profiles keep their values during propagation (not so in the authors' code).",
    )
    propagation_fill: Literal["renormalise", "mean"] = Field(
        "renormalise",
        description="Neighbours without a profile: left out of the average, or counted as the column mean.",
    )
