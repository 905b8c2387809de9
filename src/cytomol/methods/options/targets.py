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
    profile_weights: Literal["none", "reliability"] = Field(
        "none",
        description="All profiles weigh alike (none), or as far as the corpus says that they can be trusted, "
        "such as by the correlation of their replicates (reliability).",
    )
    least_weight: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Reliability below which no profile counts less; 0 lets unreliable ones weigh nothing.",
    )
    profile_correction: Literal["declared", "none"] = Field(
        "declared",
        description="Correct profiles for plate or library as each modality of the corpus declares it, or "
        "take them as they are (none).",
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
