"""Options of reconstruction along the context."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from cytomol.config import Config

__all__ = ["ReconstructionOptions"]


class ReconstructionOptions(Config):
    """What is reconstructed, and from what."""

    group: ClassVar[str] = "reconstruction"

    reconstruction: bool = Field(True, description="Reconstruct molecular features and profiles along walks.")
    decode_from: Literal["modality", "anchor", "both"] = Field(
        "both",
        description="What profiles are decoded from: their own projection (paper), the molecule's, or both.",
    )
    missing_input: Literal["augmented", "placeholder"] = Field(
        "augmented",
        description="What decoders read for a missing profile: the augmented one or the column mean.",
    )
    continuous_loss: Literal["mse", "bce"] = Field(
        "mse", description="Loss of continuous targets: mse (paper) or bce (the authors' code)."
    )
