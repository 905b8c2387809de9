"""Options of the context graph."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from cytomol.config import Config

__all__ = ["ContextOptions"]


class ContextOptions(Config):
    """How the context graph is built; the defaults are those of the released InfoAlign and CHMR models."""

    minimum_similarity: float = Field(
        0.8, gt=0, le=1, description="Similarity edges are never weaker than this."
    )
    maximum_similarity: float = Field(
        0.99, gt=0, le=1, description="Similarity edges at least this strong are always kept."
    )
    drop_fraction: float = Field(
        0.995, ge=0, lt=1, description="Share of the compared pairs that the similarity threshold drops."
    )
    readout_fraction: float = Field(
        0.01, gt=0, le=1, description="Share of expression values, the largest, that become readout edges."
    )
    candidates: Literal["all", "shortcut"] = Field(
        "all",
        description="Pairs compared: all, exactly, or as the authors do only within a Murcko scaffold "
        "(molecules) and within k-means clusters of two principal components (profiles).",
    )
    criteria: tuple[str, ...] | None = Field(None, description="Edge criteria to apply; none given: all.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.minimum_similarity > self.maximum_similarity:
            raise ValueError("minimum_similarity exceeds maximum_similarity")
        return self
