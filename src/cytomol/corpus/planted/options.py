"""Sizes and rates of a planted corpus."""

from __future__ import annotations

from pydantic import Field

from cytomol.config import Config

__all__ = ["MAXIMUM_SIZE", "MINIMUM_SIZE", "PlantedOptions"]

MINIMUM_SIZE, MAXIMUM_SIZE = 200, 1_000_000


class PlantedOptions(Config):
    """What a planted corpus holds beside its molecules."""

    genes: int = Field(default=300, ge=80, le=20_000, description="Genes.")
    morphology_width: int = Field(default=60, ge=2, description="Features of a morphology profile.")
    expression_width: int = Field(
        default=100, ge=2, description="Genes of an expression profile (at most all genes)."
    )
    perturbation_width: int = Field(default=60, ge=2, description="Features of a gene's knock-out profile.")
    morphology_rate: float = Field(
        default=0.5, gt=0, le=0.8, description="Share of molecules with morphology."
    )
    expression_rate: float = Field(
        default=0.25, gt=0, le=0.8, description="Share of molecules with expression."
    )
    perturbation_rate: float = Field(
        default=0.6, gt=0, le=0.8, description="Share of genes with a knock-out."
    )
    noise: float = Field(
        default=0.7, ge=0, description="Sd of measurement noise, in sd of the noiseless columns."
    )
    batch: float = Field(default=0.4, ge=0, description="Sd of plate offsets, same unit.")
    labelled: int | None = Field(
        default=None, ge=20, description="Molecules in the assays' training fold (default: by size)."
    )
