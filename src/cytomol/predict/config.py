"""Options of fine-tuning: one flat, frozen model; the command line is generated from it."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from cytomol.config import Config

__all__ = ["BLOCKS", "FinetuneConfig"]

BLOCKS = ("embedding", "1d", "counts", "maccs", "descriptors")


class FinetuneConfig(Config):
    """How a head is put on a backbone.

    The defaults are what validation favoured; ``paper("infoalign")`` and ``paper("chmr")`` give the
    published heads.
    """

    # what is predicted, and what is held out
    task_type: Literal["auto", "classification", "regression"] = Field(
        "auto", description="Kind of the tasks; auto: classification if every label is 0 or 1."
    )
    split_type: str = Field(
        "scaffold",
        description="Split where none is given: scaffold, scaffold-infoalign or random.",
    )
    split_fractions: tuple[float, ...] | None = Field(
        None, description="Shares of train, valid and test; by default those of the split type."
    )
    split_seed: int = Field(0, ge=0, lt=2**32, description="Seed of split types that shuffle.")

    # what the head reads
    features: str = Field(
        "auto",
        description="Inputs of the head, joined by +: embedding, 1d (bits of the 1D view), counts (Morgan "
        "counts), maccs (MACCS keys), descriptors. auto: embedding (InfoAlign), 1d+embedding (CHMR), 1d (no "
        "backbone).",
    )
    counts_radius: int = Field(
        2, ge=1, le=8, description="Radius of the Morgan counts; the bits of the 1D view are the backbone's."
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

    # the head
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

    # training
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
    schedule: Literal["constant", "onecycle"] = Field(
        "constant",
        description="Course of the learning rate of a head on a frozen backbone: constant, or up and down "
        "to nothing over the epochs.",
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
    seed: int = Field(0, ge=0, lt=2**32, description="Seed of the heads.")
    accelerator: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where to train.")
    threads: int = Field(0, ge=0, description="Threads of torch; 0 leaves the choice to torch.")

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

    @model_validator(mode="after")
    def _stops_or_ends(self) -> Self:
        if self.schedule == "onecycle" and self.patience:
            raise ValueError("a learning rate that ends with the epochs goes with patience 0")
        if self.keep == "best":
            return self
        if self.patience:
            raise ValueError(f"weights of the {self.keep} epochs go with patience 0: nothing stops early")
        return self

    @model_validator(mode="after")
    def _unfrozen_reads_embedding(self) -> Self:
        if self.unfreeze == "none":
            return self
        if self.schedule != "constant" or self.keep != "best":
            raise ValueError("schedule and keep are those of a head on a frozen backbone")
        if self.ensemble > 1:
            raise ValueError("an ensemble of heads needs a frozen backbone: unfreeze must be none")
        if self.features != "auto" and "embedding" not in self.features.split("+"):
            raise ValueError("an unfrozen backbone needs the embedding among the features")
        return self

    def blocks(self, method: str | None) -> tuple[str, ...]:
        """Return the feature blocks in order; ``method`` is that of the backbone, None without one."""
        if self.features != "auto":
            return tuple(self.features.split("+"))
        if method is None:
            return ("1d",)
        return ("embedding",) if method == "infoalign" else ("embedding", "1d")

    @classmethod
    def paper(cls, method: str) -> Self:
        """Return the published head of "infoalign" or "chmr"."""
        common = {"optimizer": "adam", "standardize_embedding": False, "head": method}
        if method == "infoalign":
            return cls.build(
                {**common, "features": "embedding", "weight_decay": 1e-5, "batch_size": 5120, "lr": 1e-2}
            )
        return cls.build({**common, "features": "1d+embedding", "weight_decay": 0.0})
