"""Options of the context graph."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from cytomol.chem.similarity.search import EXACT_UP_TO
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
    similarity_search: Literal["auto", "exact", "index"] = Field(
        "auto",
        description="How similar molecules and profiles are found: exact compares all candidates, index asks "
        "an approximate index, auto takes the index above exact_up_to.",
    )
    exact_up_to: int = Field(
        EXACT_UP_TO,
        ge=1,
        description="Molecules or profiles up to which the automatic search compares all candidates.",
    )
    similarity_digits: int | None = Field(
        None, ge=1, le=7, description="Digits to which the weight of a similarity edge is rounded; None: all."
    )
    compared_modalities: tuple[str, ...] | None = Field(
        None, description="Modalities whose profiles are compared; None: all."
    )
    compared_values: Literal["auto", "scaled", "stored", "filled"] = Field(
        "auto",
        description="Values by which profiles are compared, on what two of them share: scaled by feature, as "
        "stored, or (auto) scaled where features are in different units; filled takes the column's mean for "
        "what is not measured, as the published code does.",
    )
    readout_weight: Literal["scaled", "raw"] = Field(
        "scaled", description="Weight of a readout edge: |value| scaled to at most 1, or as it stands."
    )
    gene_profiles: Literal["leaf", "node"] = Field(
        "leaf", description="A gene's profile is a node of its own, or belongs to the gene's node."
    )
    criteria: tuple[str, ...] | None = Field(None, description="Edge criteria to apply; none given: all.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.minimum_similarity > self.maximum_similarity:
            raise ValueError("minimum_similarity exceeds maximum_similarity")
        return self
