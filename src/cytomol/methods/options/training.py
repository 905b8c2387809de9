"""Options of pretraining, and of the machine that it runs on."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from cytomol.config import Config
from cytomol.options.machine import MOST_THREADS, MachineOptions

__all__ = ["PretrainingMachine", "TrainingOptions"]


class TrainingOptions(Config):
    """How a method is trained."""

    group: ClassVar[str] = "training"

    epochs: int = Field(20, ge=0, description="Passes over the molecules; 0 writes the untrained model.")
    batch_size: int = Field(512, ge=1, description="Molecules in a step.")
    lr: float = Field(5e-4, gt=0, lt=1, description="Learning rate of Adam.")
    weight_decay: float = Field(1e-8, ge=0, lt=1, description="Weight decay of Adam.")
    warmup_epochs: float = Field(
        0.5, ge=0, description="Epochs over which the learning rate rises to its value."
    )
    schedule: Literal["cosine", "constant"] = Field(
        "cosine", description="Course of the learning rate after warm-up."
    )
    cosine_cycles: float = Field(
        7 / 16,
        gt=0,
        le=0.5,
        description="Part of a cosine wave that the learning rate follows; 0.5 ends at zero.",
    )
    gradient_clip: float = Field(1.0, ge=0, description="Largest norm of the gradient; 0 does not clip.")
    validation_fraction: float = Field(
        0.05, ge=0, lt=1, description="Share of molecules held out to validate; 0 for none."
    )
    patience: int = Field(
        0, ge=0, description="Epochs without better validation before stopping; 0 never stops."
    )
    seed: int = Field(0, ge=0, lt=2**32, description="Seed of everything random.")
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = Field(
        "32-true", description="Arithmetic of training."
    )


class PretrainingMachine(MachineOptions):
    """How a machine pretrains."""

    devices: int = Field(1, ge=1, description="Devices or processes of a node that train together.")
    nodes: int = Field(
        1, ge=1, description="Nodes that train together; torchrun or srun starts the processes on them."
    )
    strategy: Literal["auto", "ddp", "fsdp"] = Field(
        "auto",
        description="How processes train together: each with a copy of the model (ddp; auto), or with a part "
        "of it (fsdp, which no method bears so far).",
    )
    workers: int = Field(
        0, ge=0, le=MOST_THREADS, description="Processes that featurize molecules; 0 takes one per core."
    )
    logger: str = Field("csv", description="Where losses are logged: csv, tensorboard, mlflow or none.")
