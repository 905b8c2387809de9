"""Options of the context graph."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from cytomol.config import Config

__all__ = ["ContextOptions"]


class ContextOptions(Config):
    """How the context graph is built; the defaults are those of the released InfoAlign and CHMR models."""

    group: ClassVar[str] = "context"

    gene_profiles: Literal["leaf", "node"] = Field(
        "leaf",
        description="Where a gene's profile sits in the context graph: on a node of its own that hangs on "
        "the gene (leaf), or on the gene's own node (node, as in the authors' code).",
    )
    candidates: Literal["all", "shortcut"] = Field(
        "all",
        description="Pairs compared for similarity edges: all, or within scaffolds and clusters (shortcut).",
    )
    similarity_digits: int | None = Field(
        None,
        ge=1,
        le=7,
        description="Digits to which the weight of a similarity edge is rounded; all if not given.",
    )
    compared_modalities: tuple[str, ...] | None = Field(
        None,
        description="Modalities whose profiles are compared for similarity edges; all when not given.",
    )
    compared_values: Literal["auto", "scaled", "stored", "filled"] = Field(
        "auto",
        description="Values by which profiles are compared, on what two of them share: scaled by feature, as "
        "stored, or (auto) scaled where features are in different units; filled takes the column's mean for "
        "what is not measured, as the published code does.",
    )
    minimum_similarity: float = Field(0.8, gt=0, le=1, description="Lowest threshold of a similarity edge.")
    maximum_similarity: float = Field(0.99, gt=0, le=1, description="Highest threshold of a similarity edge.")
    drop_fraction: float = Field(
        0.995, ge=0, lt=1, description="Share of candidate pairs that the similarity threshold drops."
    )
    readout_fraction: float = Field(
        0.01,
        ge=0,
        le=1,
        description="Share of expression values, largest first, that link a molecule to a gene.",
    )
    readout_weight: Literal["scaled", "raw"] = Field(
        "scaled",
        description="Weight of such a link: |value| scaled to at most 1, or as it stands (raw, the authors' "
        "code).",
    )
    similarity_search: Literal["auto", "exact", "index"] = Field(
        "auto",
        description="How similar molecules and profiles are found: exact compares all, index asks an "
        "approximate index, auto takes the index above exact_up_to.",
    )
    exact_up_to: int = Field(
        200_000,
        ge=1,
        description="Molecules or profiles up to which the automatic search compares all pairs.",
    )
    criteria: tuple[str, ...] | None = Field(
        None,
        description="Reasons for an edge of the context graph (profile, target, readout, structure, "
        "profile_similarity, gene_similarity, gene_gene, molecule_molecule); all when not given.",
    )

    @model_validator(mode="after")
    def _ordered_thresholds(self) -> Self:
        if self.minimum_similarity > self.maximum_similarity:
            raise ValueError("minimum_similarity is above maximum_similarity")
        return self
