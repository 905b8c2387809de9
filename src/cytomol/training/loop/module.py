"""The method as Lightning trains it, and the data as Lightning asks for them."""

from __future__ import annotations

import math

import numpy as np
import torch
from lightning import LightningDataModule, LightningModule
from numpy.typing import NDArray

from cytomol.errors import CytomolError
from cytomol.methods import Method
from cytomol.methods.config import MethodConfig
from cytomol.methods.output import MethodOutput
from cytomol.nn.batch import Batch
from cytomol.nn.schedule import learning_rate
from cytomol.nn.together import begin, counts, summed
from cytomol.training.dataset.data import ORDER, TORCH, Draw, PretrainData, split_epoch, stream
from cytomol.training.dataset.loader import BatchLoader
from cytomol.training.dataset.resident import ResidentData, resident_bytes
from cytomol.training.loop.state import RunState
from cytomol.training.loop.totals import Quantities

__all__ = ["PretrainDataModule", "PretrainModule", "check_finite"]


# Part of a GPU's free memory that the data may take; the rest is for the step.
_RESIDENT_SHARE = 0.4


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
        self._resident: ResidentData | None = None
        self._decided = False

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
        return self._loader(parts, epoch=None) if parts else []

    def _loader(self, parts: list[NDArray[np.int64]], *, epoch: int | None, start: int = 0) -> BatchLoader:
        trainer = self.trainer
        rank, world = (0, 1) if trainer is None else (trainer.global_rank, trainer.world_size)
        device = torch.device("cpu") if trainer is None else trainer.strategy.root_device
        return BatchLoader(
            self.data,
            parts,
            seed=self.config.seed,
            epoch=epoch,
            start=start,
            rank=rank,
            world=world,
            pin=device.type == "cuda",
            drawn=self._lives_on(device),
        )

    def _lives_on(self, device: torch.device) -> bool:
        """Say whether batches are made on the device, because the data fit there; put them there if so."""
        if device.type == "cuda" and not self._decided:  # once: free memory shrinks as training goes on
            self._decided = True
            free, _ = torch.cuda.mem_get_info(device)
            if resident_bytes(self.data) < _RESIDENT_SHARE * free:
                self._resident = ResidentData(self.data, device)
        return self._resident is not None

    def transfer_batch_to_device(
        self, batch: Batch | Draw, device: torch.device, dataloader_idx: int
    ) -> Batch:
        """Move a batch, or make it where it is wanted; pinned memory lets the copy run beside the step."""
        del dataloader_idx
        if isinstance(batch, Batch):
            return batch.to(device, non_blocking=True)
        assert self._resident is not None
        return self._resident.batch(batch)


class PretrainModule(LightningModule):  # type: ignore[misc]
    """One training step of a method, with everything random derived from (seed, epoch, batch).

    On a CPU processes that train together draw as one (``nn.together``); an accelerator draws for its own
    part of a batch, from its own generator.

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

    def on_fit_start(self) -> None:
        """Compute the loss of the whole batch with the other processes, if there are any."""
        begin(self.device)

    def training_step(self, batch: Batch, batch_idx: int) -> dict[str, object]:
        """Seed, set the learning rate, and return the loss."""
        del batch_idx
        alike = self.device.type == "cpu"
        place = (self.state.epoch, self.state.batch, 0 if alike else self.global_rank)
        torch.manual_seed(int(stream(self.config.seed, TORCH, *place).integers(2**63)))
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = self.rate()
        output = self(batch)
        return {"loss": output.loss, "quantities": _quantities(output, batch)}

    def validation_step(self, batch: Batch, batch_idx: int) -> dict[str, object]:
        """Return the loss of a batch of validation molecules."""
        del batch_idx
        output = self(batch)
        return {"loss": output.loss, "quantities": _quantities(output, batch)}

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return Adam, all its arithmetic in one kernel where torch has one."""
        # with 16-mixed Lightning scales gradients itself, which such a kernel would do as well
        fused = self.device.type in {"cpu", "cuda"} and self.config.precision != "16-mixed"
        return torch.optim.Adam(
            self.method.parameters(), lr=self.config.lr, weight_decay=self.config.weight_decay, fused=fused
        )

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip the norm of all gradients together, before the step."""
        if self.config.precision == "16-mixed":
            self.clip_gradients(optimizer, gradient_clip_val, gradient_clip_algorithm)
        elif gradient_clip_val:  # Lightning would refuse any fused optimizer under autocast
            torch.nn.utils.clip_grad_norm_(self.method.parameters(), gradient_clip_val)


def _quantities(output: MethodOutput, batch: Batch) -> Quantities:
    """Return loss, terms and metrics, detached; a term that had nothing to compare is left out or marked."""
    targets = {name: batch.targets.get(name.partition("/")[2]) for name in output.terms}
    listed = {name: len(s.rows) for name, s in targets.items() if s is not None and s.rows is not None}
    if listed:  # another process may have had something
        everywhere = counts(*listed.values())
        listed = {
            name: sum(of_one) for name, of_one in zip(listed, zip(*everywhere, strict=True), strict=True)
        }
    values = {name: value for name, value in output.terms.items() if listed.get(name, 1)}
    present = {
        name: summed(sums.entries) > 0
        for name, sums in targets.items()
        if sums is not None and sums.rows is None  # on a GPU it cannot be known without waiting
    }
    molecules = batch.size if batch.whole is None else batch.whole
    return Quantities({"loss": output.loss.detach(), **values, **output.metrics}, molecules, present)


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
