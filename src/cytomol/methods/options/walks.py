"""Options of walks in the context graph."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from cytomol.config import Config

__all__ = ["WalkOptions"]


class WalkOptions(Config):
    """How the context graph is walked, and what takes part in it."""

    group: ClassVar[str] = "context"

    walk_length: int = Field(4, ge=0, le=64, description="Steps of a context walk; 0 leaves the context out.")
    count_stuck: bool = Field(
        False,
        description="Count the steps of a walk at a node without neighbours as entries of weight 0 (the "
        "authors' code), so that the mean over entries shrinks.",
    )
    unprofiled_genes: bool = Field(
        False,
        description="Let genes without a profile take part in the context graph; where no gene has one, all "
        "do.",
    )
    similarity_radius: int | None = Field(
        None,
        ge=1,
        le=8,
        description="Morgan radius of the fingerprints by which molecules are similar; that of the target if "
        "not given.",
    )
