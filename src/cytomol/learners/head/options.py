"""Options of a head: what it reads, what it is, the forest beside it, and how it is trained."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from cytomol.config import Config
from cytomol.learners.blocks import BLOCKS
from cytomol.learners.head import presets

__all__ = ["HeadOptions"]


class HeadInputs(Config):
    """What a head reads."""

    group: ClassVar[str] = "features"

    features: str = Field(
        "auto",
        description="Inputs of the head, joined by +: embedding, 1d (bits of the 1D view), counts (Morgan "
        "counts), maccs (MACCS keys), descriptors. auto: what goes with the backbone's method, 1d "
        "without a backbone.",
    )
    counts_radius: int = Field(2, ge=1, le=8, description="Radius of the Morgan counts.")
    bits_radius: int | None = Field(
        None,
        ge=0,
        le=8,
        description="Radius of the Morgan bits that the head reads as 1d; by default that of the backbone's "
        "1D view. The embedding reads the backbone's in any case.",
    )
    standardize_embedding: bool = Field(
        True, description="Scale every embedding column to mean 0, variance 1 over the training rows."
    )
    embedding_scale: float = Field(
        1.0,
        gt=0,
        le=10,
        description="Spread of the standardised embedding; below 1 the other features weigh more.",
    )
    descriptor_scaling: Literal["quantile", "robust"] = Field(
        "quantile",
        description="Scaling of descriptors: to normal scores by quantiles, or by median and range.",
    )

    embedding_mode: Literal["frozen", "training"] = Field(
        "frozen",
        description="A backbone that is not unfrozen stays as it is (frozen), or runs in training mode while "
        "the head learns (training): without gradient, but dropout acts and batch statistics move, so that "
        "a molecule has another embedding in every step. The papers' authors do the latter, by accident.",
    )

    @field_validator("features")
    @classmethod
    def _known_blocks(cls, features: str) -> str:
        if features == "auto":
            return features
        blocks = [block.strip().lower() for block in features.split("+")]
        unknown = [block for block in blocks if block not in BLOCKS]
        if unknown or len(set(blocks)) != len(blocks):
            raise ValueError(f"features are one or more of {', '.join(BLOCKS)}, joined by +, each once")
        return "+".join(block for block in BLOCKS if block in blocks)

    def blocks(self, default: tuple[str, ...] | None) -> tuple[str, ...]:
        """Return the feature blocks in order: those chosen, else ``default``, 1d where that is None.

        ``default`` are the blocks that the method of the backbone names; None without a backbone.
        """
        if self.features != "auto":
            return tuple(self.features.split("+"))
        return ("1d",) if default is None else default


class HeadShape(Config):
    """What a head is."""

    group: ClassVar[str] = "head"

    head: str = Field(
        "auto",
        description="Head of a paper: infoalign (batch norm), chmr (layer norm). auto: batch norm for "
        "classification, layer norm for regression.",
    )
    hidden: int = Field(1200, ge=1, le=16384, description="Width of the hidden layer; 4d for d = 300.")
    hidden_layers: int = Field(1, ge=1, le=8, description="Hidden layers.")
    norm: Literal["auto", "batch", "layer", "none"] = Field(
        "auto", description="Normalization in the head; auto: that of the head."
    )
    dropout: float = Field(0.5, ge=0, lt=1, description="Dropout of the head.")
    ensemble: int = Field(1, ge=1, le=100, description="Heads of different seeds whose logits are averaged.")


class ForestBeside(Config):
    """A random forest beside the head."""

    group: ClassVar[str] = "forest"

    forest_gamma: float = Field(
        0.0,
        ge=0,
        le=10,
        description="For classes: gamma of gamma x (the head's logit) + (a forest's probability), where the "
        "forest reads the 1d block. 0 is no forest. What comes out ranks; as a probability it is at least "
        "one half where gamma is small.",
    )
    forest_trees: int = Field(500, ge=1, le=10_000, description="Trees of that forest, of each task.")
    forest_class_weight: float = Field(
        1.0, gt=0, le=1e4, description="Weight of class 1 in that forest; class 0 has 1."
    )
    forest_seed: int = Field(0, ge=0, lt=2**32, description="Seed of that forest.")


class HeadTraining(Config):
    """How a head is trained."""

    group: ClassVar[str] = "training"

    unfreeze: Literal["none", "all", "staged"] = Field(
        "none",
        description="Backbone: frozen (none), trained with the head (all), or head first and then the "
        "backbone from its last layers (staged).",
    )
    stage_epochs: int = Field(5, ge=1, description="Epochs between two layers that staged unfreezing frees.")
    optimizer: Literal["adam", "adamw"] = Field("adamw", description="Optimizer.")
    lr: float = Field(1e-3, gt=0, lt=1, description="Learning rate of the head.")
    backbone_lr: float = Field(1e-5, gt=0, lt=1, description="Learning rate of an unfrozen backbone.")
    weight_decay: float = Field(1e-2, ge=0, le=10, description="Weight decay.")
    batch_size: int = Field(256, ge=2, description="Molecules in a step.")
    epochs: int = Field(300, ge=1, description="Largest number of passes over the training rows.")
    target_scaling: Literal["standard", "raw"] = Field(
        "standard",
        description="Values that a regression head learns: to mean 0, variance 1 over the training rows "
        "(standard), or as they are (raw).",
    )
    schedule: Literal["constant", "onecycle", "cosine"] = Field(
        "constant",
        description="Course of the learning rate of a head on a frozen backbone: constant, up and down "
        "to nothing over the epochs (onecycle), or from epoch to epoch down to a fifth (cosine).",
    )
    patience: int = Field(
        50, ge=0, description="Epochs without better validation before stopping; 0 never stops."
    )
    select_by: Literal["score", "loss"] = Field(
        "score", description="What validation compares: ROC-AUC or MAE (score), or the loss."
    )
    keep: Literal["best", "last", "average"] = Field(
        "best",
        description="Weights of a head on a frozen backbone that stay: of the epoch that validated best, of "
        "the last, or the average over the last quarter of the epochs.",
    )
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="Share of every class label that is spread over both classes."
    )
    focal_gamma: float = Field(
        0.0, ge=0, le=10, description="Focus of the class loss on labels that are predicted badly; 0 is none."
    )


class HeadOptions(HeadInputs, HeadShape, ForestBeside, HeadTraining):
    """All options of a head.

    The defaults are what validation favoured; :meth:`preset` gives the published heads, and those of the
    authors' code.
    """

    @model_validator(mode="after")
    def _stops_or_ends(self) -> Self:
        if self.schedule == "onecycle" and self.patience:
            raise ValueError("a learning rate that ends at nothing goes with patience 0")
        if self.keep == "best":
            return self
        if self.patience:
            raise ValueError(f"weights of the {self.keep} epochs go with patience 0: nothing stops early")
        return self

    @model_validator(mode="after")
    def _unfrozen_reads_embedding(self) -> Self:
        if self.unfreeze == "none" and self.embedding_mode == "frozen":
            return self
        if self.features != "auto" and "embedding" not in self.features.split("+"):
            raise ValueError("a backbone that changes needs the embedding among the features")
        if self.ensemble > 1:
            raise ValueError("an ensemble of heads needs a frozen backbone")
        if self.unfreeze == "none":
            if self.keep == "average":
                raise ValueError("an average over epochs needs a frozen backbone")
            return self
        if self.embedding_mode == "training":
            raise ValueError("embedding_mode is that of a backbone without gradient: unfreeze must be none")
        if self.forest_gamma:
            raise ValueError("a forest beside the head needs a frozen backbone: unfreeze must be none")
        if self.schedule != "constant" or self.keep != "best":
            raise ValueError("schedule and keep are those of a head on a frozen backbone")
        return self

    @model_validator(mode="after")
    def _forest_reads_bits(self) -> Self:
        if self.forest_gamma and self.features != "auto" and "1d" not in self.features.split("+"):
            raise ValueError("a forest beside the head needs 1d among the features")
        return self

    @property
    def changes_backbone(self) -> bool:
        """Whether training changes the backbone: its weights, or the statistics of its batch norms."""
        return self.unfreeze != "none" or self.embedding_mode == "training"

    @classmethod
    def preset(cls, name: str, head: str | None) -> Self:
        """Return the settings of a name.

        Parameters
        ----------
        name
            "default"; "paper", the published head; "authors", the head as the authors' code trains it;
            "authors:SET", with what CHMR's authors set by hand for one data set, such as "authors:bace".
            InfoAlign's authors train every set alike, so there "authors:SET" is "authors".
        head
            Published head that goes with the backbone's method; None without one, which gives CHMR's head.

        Raises
        ------
        ConfigError
            If the name is unknown; the known ones are listed.
        """
        presets.check_preset(name)
        if name == "default":
            return cls()
        if name == "paper":
            return cls.build(presets.paper(head or "chmr"))
        return cls.build(presets.authors(head, name.partition(":")[2] or None))
