"""Options of the targets: what is learnt from, and what is reconstructed."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from cytomol.config import Config

__all__ = ["SourceOptions", "TargetOptions"]


class SourceOptions(Config):
    """What is learnt from."""

    group: ClassVar[str] = "targets"

    modalities: tuple[str, ...] | None = Field(
        None,
        description="Cell modalities to learn from; all when not given, an empty list for none.",
    )
    scaling: Literal["robust", "minmax"] = Field(
        "robust",
        description="How profile features are scaled to [0, 1]: robust to tails, or by minimum and maximum.",
    )
    target_spaces: Literal["separate", "pooled"] = Field(
        "separate",
        description="Modalities of one kind: each for itself (separate), or joined column by column into "
        "one, with one projector, one decoder and one mean over its entries (pooled, the authors' code).",
    )


class TargetOptions(Config):
    """What is reconstructed."""

    group: ClassVar[str] = "targets"

    molecule_targets: tuple[str, ...] = Field(
        ("morgan",), description="Molecular features to reconstruct: morgan, maccs, counts, descriptors."
    )
    profile_targets: tuple[str, ...] | None = Field(
        None,
        description="Modalities whose profiles are reconstructed; all that are learnt from if not given.",
    )
    relation_targets: tuple[str, ...] = Field(
        (),
        description="Relations of molecules with genes that are reconstructed, as 0 or 1 for each gene.",
    )
