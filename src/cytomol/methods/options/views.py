"""Options of the views: what a method sees of a molecule."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from cytomol.config import Config

__all__ = ["VIEWS", "GeometryOptions", "ViewOptions"]

VIEWS = ("1d", "2d", "3d")


class ViewOptions(Config):
    """What a method sees of a molecule."""

    group: ClassVar[str] = "views"

    views: tuple[str, ...] = Field(
        VIEWS, description="Molecular views: 1d (fingerprints), 2d (graph), 3d (geometry)."
    )
    morgan_radius: int = Field(4, ge=1, le=8, description="Radius of the Morgan fingerprint, in bonds.")
    morgan_bits: int = Field(
        1024, ge=64, le=16384, multiple_of=8, description="Bits of the Morgan fingerprint."
    )
    chirality: Literal["canonical", "as_written"] = Field(
        "canonical",
        description="Stereocentres as the molecule has them, however it is written (canonical), or as RDKit "
        "tags them in the order of the SMILES (as_written, the papers and their code).",
    )

    @field_validator("views")
    @classmethod
    def _known_views(cls, views: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [view for view in views if view not in VIEWS]
        if unknown or not views or len(set(views)) != len(views):
            raise ValueError(f"views are one or more of {', '.join(VIEWS)}, each once")
        return tuple(view for view in VIEWS if view in views)


class GeometryOptions(Config):
    """How the 3d view is computed, for methods that have one."""

    group: ClassVar[str] = "views"

    geometry: str = Field("rdkit", description="Provider of the 3d view: rdkit or unimol.")
    geometry_timeout: float = Field(
        20.0,
        gt=0,
        description="Seconds after which a molecule's conformer is given up and its 3d view masked.",
    )
