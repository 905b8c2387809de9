"""The method as Lightning trains it, and the data as Lightning asks for them."""

from __future__ import annotations

import math

import numpy as np
import torch
from lightning import LightningDataModule, LightningModule
from numpy.typing import NDArray
from torch import Tensor

from cytomol.errors import CytomolError
from cytomol.methods import Method
from cytomol.methods.config import MethodConfig
from cytomol.methods.output import MethodOutput
from cytomol.nn.batch import Batch
from cytomol.training.data import ORDER, TORCH, PretrainData, split_epoch, stream
from cytomol.training.loader import BatchLoader
from cytomol.training.schedule import learning_rate
from cytomol.training.state import RunState

__all__ = ["PretrainDataModule", "PretrainModule", "check_finite"]


class PretrainDataModule(LightningDataModule):  # type: ignore[misc]
    """Deals the molecules of each epoch into batches.

    Parameters
    ----------
    data
        What batches are made of.
    config
        Options of the method.
    state
        Where the training stands; shared with the module.
    """

    def __init__(self, data: PretrainData, config: MethodConfig, state: RunState) -> None:
        super().__init__()
        self.data = data
        self.config = config
        self.state = state

    @property
    def steps_per_epoch(self) -> int:
        """Number of training batches."""
        return -(-len(self.data.train) // self.config.batch_size)

    def train_dataloader(self) -> BatchLoader:
        """Return the batches of the epoch under way that are still to come."""
        epoch = self.state.epoch
        order = stream(self.config.seed, ORDER, epoch)
        parts = split_epoch(self.data.train, self.config.batch_size, order)
        return self._loader(parts, epoch=epoch, start=self.state.batch)

    def val_dataloader(self) -> BatchLoader | list[BatchLoader]:
        """Return the batches of validation molecules; none without them."""
        parts = split_epoch(self.data.validation, self.config.batch_size, None)
        world = self.trainer.world_size if self.trainer is not None else 1
        if not parts or min(map(len, parts)) < world:
            return []
        return self._loader(parts, epoch=None)

    def _loader(self, parts: list[NDArray[np.int64]], *, epoch: int | None, start: int = 0) -> BatchLoader:
        trainer = self.trainer
        rank, world = (0, 1) if trainer is None else (trainer.global_rank, trainer.world_size)
        pin = trainer is not None and trainer.strategy.root_device.type == "cuda"
        return BatchLoader(
            self.data, parts, seed=self.config.seed, epoch=epoch, start=start, rank=rank, world=world, pin=pin
        )


class PretrainModule(LightningModule):  # type: ignore[misc]
    """One training step of a method, with everything random derived from (seed, epoch, batch, process).

    Parameters
    ----------
    method
        What is trained.
    config
        Its options.
    state
        Where the training stands.
    steps_per_epoch
        Number of training batches.
    """

    def __init__(self, method: Method, config: MethodConfig, state: RunState, steps_per_epoch: int) -> None:
        super().__init__()
        self.method = method
        self.config = config
        self.state = state
        self.steps_per_epoch = steps_per_epoch

    @property
    def step(self) -> int:
        """Steps taken since the training began, interruptions left out."""
        return self.state.epoch * self.steps_per_epoch + self.state.batch

    def rate(self) -> float:
        """Return the learning rate of the step under way."""
        return learning_rate(
            self.step,
            steps=self.config.epochs * self.steps_per_epoch,
            warmup=round(self.config.warmup_epochs * self.steps_per_epoch),
            base=self.config.lr,
            schedule=self.config.schedule,
            cycles=self.config.cosine_cycles,
        )

    def forward(self, batch: Batch) -> MethodOutput:
        """Return loss and terms of a batch."""
        output: MethodOutput = self.method(batch)
        return output

    def training_step(self, batch: Batch, batch_idx: int) -> dict[str, object]:
        """Seed, set the learning rate, and return the loss."""
        del batch_idx
        place = (self.state.epoch, self.state.batch, self.global_rank)
        torch.manual_seed(int(stream(self.config.seed, TORCH, *place).integers(2**63)))
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = self.rate()
        output = self(batch)
        return {"loss": output.loss, "quantities": _quantities(output, batch), "size": batch.size}

    def validation_step(self, batch: Batch, batch_idx: int) -> dict[str, object]:
        """Return the loss of a batch of validation molecules."""
        del batch_idx
        output = self(batch)
        return {"loss": output.loss, "quantities": _quantities(output, batch), "size": batch.size}

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """Move a batch; pinned memory lets the copy run beside the step."""
        del dataloader_idx
        return batch.to(device, non_blocking=True)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return Adam; one fused kernel where it goes together with the arithmetic."""
        fused = self.config.precision == "32-true" and self.device.type in {"cpu", "cuda"}
        return torch.optim.Adam(
            self.method.parameters(), lr=self.config.lr, weight_decay=self.config.weight_decay, fused=fused
        )


def _quantities(output: MethodOutput, batch: Batch) -> dict[str, Tensor]:
    """Return loss, terms and metrics as detached scalars, without the terms that had nothing to compare."""
    empty = {name for name, sums in batch.targets.items() if not len(sums.rows)}
    terms = {name: value for name, value in output.terms.items() if name.partition("/")[2] not in empty}
    return {"loss": output.loss.detach(), **terms, **output.metrics}


def check_finite(loss: float, state: RunState) -> None:
    """Stop a training that went astray, instead of saving a broken model.

    Raises
    ------
    CytomolError
        If the loss is NaN or infinite.
    """
    if not math.isfinite(loss):
        raise CytomolError(
            f"the loss became {loss} in epoch {state.epoch + 1}, batch {state.batch + 1}",
            hint="lower --lr, or set --gradient-clip or --precision 32-true",
        )
