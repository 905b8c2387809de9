"""Options of reading: what of a written molecule counts, and when it is given up."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from cytomol.config import Config

__all__ = ["ReadingOptions"]


class ReadingOptions(Config):
    """How molecules are read; what is not given is left to the backbone, or to the defaults of reading."""

    group: ClassVar[str] = "reading"

    standardize: Literal["keep", "parent"] | None = Field(
        None,
        description="Read salts, mixtures and charges as they are (keep), or the largest part, uncharged "
        "(parent); if not given, as the backbone does, keep without one.",
    )
    max_atoms: int | None = Field(
        None,
        ge=1,
        description="Atoms, hydrogens apart, beyond which a molecule is invalid; if not given, those of the "
        "backbone, 1000 without one.",
    )
    molecule_timeout: float | None = Field(
        None,
        gt=0,
        description="Seconds of processor time after which a molecule's features are given up; if not "
        "given, those of the backbone, 20 without one.",
    )

    @property
    def reading(self) -> dict[str, Any]:
        """How molecules are read, where it is not left to the backbone or to the defaults."""
        given = {name: getattr(self, name) for name in ReadingOptions.model_fields}
        return {name: value for name, value in given.items() if value is not None}
