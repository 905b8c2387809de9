"""Options of hierarchical quantization."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from cytomol.config import Config

__all__ = ["QuantizationOptions"]


class QuantizationOptions(Config):
    """How representations are quantized."""

    group: ClassVar[str] = "quantization"

    lambda_vq: float = Field(10.0, ge=0, description="Weight of the quantization loss; 0 for none.")
    quantizer: Literal["tree", "leaves", "flat", "none"] = Field(
        "tree",
        description="Code book: a binary tree routed from its root (tree, as published), one over the leaves "
        "of k-means by moving averages (leaves), flat, or none.",
    )
    quantized: Literal["views", "anchor"] = Field(
        "views",
        description="What of a molecule is quantized beside its profiles: each view (as published), or their "
        "sum.",
    )
    depth: int = Field(
        6, ge=1, le=14, description="Levels of the tree; a flat code book holds as many codes as its leaves."
    )
    eta: float = Field(
        1.0, ge=0, description="Weight of moving codes towards projections in the quantization loss."
    )
    reverse_assignment: Literal["none", "pooled", "within", "authors"] = Field(
        "pooled",
        description="Also pull every code towards its nearest sample: of all modalities (pooled), of each "
        "modality and among those that reach the code's parent (within), or so that codes which none "
        "reaches go to the first sample (authors, as coded).",
    )
    reseed_dead_codes: bool = Field(True, description="Re-seed codes that stay unused from the batch.")

    @field_validator("reverse_assignment", mode="before")
    @classmethod
    def _once_a_switch(cls, chosen: Any) -> Any:
        """Read backbones of 0.1, which knew on and off."""
        return {True: "pooled", False: "none"}.get(chosen, chosen) if isinstance(chosen, bool) else chosen
