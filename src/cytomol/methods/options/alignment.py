"""Options of the alignment of molecules and profiles."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from cytomol.config import Config

__all__ = ["AlignmentOptions"]


class AlignmentOptions(Config):
    """How molecules and profiles are aligned."""

    group: ClassVar[str] = "alignment"

    lambda_sca: float = Field(
        10.0, ge=0, description="Weight of the alignment of molecules and profiles; 0 for none."
    )
    instance_alignment: bool = Field(True, description="Contrast molecules with their profiles (InfoNCE).")
    distribution_alignment: bool = Field(
        True, description="Keep profiles consistent with neighbours' (VICReg)."
    )
    alignment: Literal["paper", "held_out"] = Field(
        "held_out",
        description="Align all rows, placeholders too (paper), or measured ones alone (held_out).",
    )
    augmented_weight: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Weight of augmented profiles in the held_out contrast; 0 leaves them out.",
    )
    temperature: float = Field(0.2, gt=0, le=10, description="Temperature of the contrast.")
    alignment_reduction: Literal["mean", "sum"] = Field(
        "mean",
        description="The alignment terms of the modalities are averaged, or summed (the authors' code).",
    )
    variance_hinges: Literal["mean", "sum"] = Field(
        "mean",
        description="VICReg's two variance hinges are averaged (Bardes et al.), or summed (the authors' "
        "code).",
    )
