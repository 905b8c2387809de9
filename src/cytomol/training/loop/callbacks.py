"""What happens beside the steps of a training: history, saving, early stop, interruption, display."""

# ruff: noqa: ARG002, PLR0917 - the hooks have the parameters that Lightning gives them
from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from torch import distributed

from cytomol.counted import counted
from cytomol.errors import ConfigError
from cytomol.nn.together import current
from cytomol.progress import Reporter, duration
from cytomol.training.loop.interrupt import Interruption
from cytomol.training.loop.module import PretrainModule, check_finite
from cytomol.training.loop.quiet import silence
from cytomol.training.loop.run import Run
from cytomol.training.loop.state import optimizer_tensors, restore_optimizer
from cytomol.training.loop.totals import Totals

__all__ = ["Keeper", "check_alike"]

# A training is saved this often in seconds, and when it ends or is interrupted.
SAVE_EVERY = 30.0
# The loss is read (which waits for a GPU) at most this often in seconds.
_LOOK_EVERY = 0.5


class Keeper(Callback):  # type: ignore[misc]
    """Keeps the state of a training, saves it, shows it and ends it.

    Parameters
    ----------
    run
        The training.
    reporter
        Shows progress (first process only).
    interruption
        Tells whether the user asked to stop.
    """

    def __init__(self, run: Run, reporter: Reporter, interruption: Interruption) -> None:
        self.run = run
        self.reporter = reporter
        self.interruption = interruption
        self._train, self._valid = Totals(), Totals()
        self._shown = ExitStack()
        self._saved = self._looked = self._clock = 0.0

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Called in a process that was started for the training.
        self.__dict__.update(state)
        silence()

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Let one process speak for all."""
        if not trainer.is_global_zero:
            self.reporter = Reporter(quiet=True)

    def on_train_start(self, trainer: Trainer, pl_module: PretrainModule) -> None:
        """Take the signals; continue where the state says."""
        if trainer.world_size > 1:
            self.interruption.arm_child()
            check_alike(self.run, pl_module)
        else:
            self.interruption.arm()
        optimizer = trainer.optimizers[0]
        if self.run.optimizer:
            restore_optimizer(optimizer, self.run.optimizer)
        scaler = getattr(trainer.precision_plugin, "scaler", None)
        if scaler is not None and self.run.state.scaler:
            scaler.load_state_dict(self.run.state.scaler)
        if trainer.is_global_zero:
            self._train = Totals.of(self.run.state.totals, pl_module.device)
        steps = pl_module.config.epochs * pl_module.steps_per_epoch
        self._show = self._shown.enter_context(self.reporter.training(steps, pl_module.step))
        self._saved = time.perf_counter()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: PretrainModule) -> None:
        """Start the clock of the epoch."""
        self._clock = time.perf_counter()

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: PretrainModule,
        outputs: Mapping[str, Any],
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Count the step; stop if asked to."""
        state, now = self.run.state, time.perf_counter()
        self._train.add(outputs["quantities"])
        state.seconds += now - self._clock
        self._clock = now
        state.molecules += outputs["quantities"].molecules
        state.batch += 1
        if state.first_loss is None or now - self._looked > _LOOK_EVERY:
            self._looked = now
            loss = float(outputs["loss"])
            check_finite(loss, state)
            state.first_loss = loss if state.first_loss is None else state.first_loss
            self._show(pl_module.step, f"epoch {state.epoch + 1}  loss {loss:.4g}")
        if state.batch == pl_module.steps_per_epoch:
            return  # the epoch's end comes next, which saves and stops
        interrupted = trainer.strategy.reduce_boolean_decision(self.interruption.requested, all=False)
        due = trainer.strategy.reduce_boolean_decision(now - self._saved > 10 * SAVE_EVERY, all=False)
        if interrupted or due:
            state.interrupted = interrupted
            self._save(trainer, pl_module)
        if interrupted:
            trainer.limit_val_batches = 0
            trainer.should_stop = True

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: PretrainModule) -> None:
        """Forget the validation before."""
        self._valid = Totals()

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: PretrainModule,
        outputs: Mapping[str, Any],
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Add up a batch."""
        self._valid.add(outputs["quantities"])

    def on_train_epoch_end(self, trainer: Trainer, pl_module: PretrainModule) -> None:
        """Write the epoch into the history; stop early, save, show."""
        state = self.run.state
        if state.interrupted:
            return
        train, valid = _means(_of_first(self._train)), _means(_of_first(self._valid))
        check_finite(train["loss"], state)
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        speed = state.molecules / max(state.seconds, 1e-9)
        entry = {
            "epoch": state.epoch + 1,
            "step": pl_module.step,
            "lr": rate,
            "seconds": round(state.seconds, 3),
            "molecules_per_second": round(speed, 1),
            "train": train,
            "valid": valid,
        }
        state.history.append(entry)
        self._train, self._valid = Totals(), Totals()
        state.epoch, state.batch = state.epoch + 1, 0
        improved = self._improved(pl_module, valid)
        self._report(trainer, pl_module, entry, improved=improved)

        interrupted = trainer.strategy.reduce_boolean_decision(self.interruption.requested, all=False)
        state.interrupted = interrupted and state.epoch < pl_module.config.epochs and not state.stopped
        ending = state.interrupted or state.stopped or state.epoch >= pl_module.config.epochs
        trainer.should_stop = trainer.should_stop or ending
        due = time.perf_counter() - self._saved > SAVE_EVERY
        if trainer.strategy.reduce_boolean_decision(ending or due, all=False):
            self._save(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: PretrainModule) -> None:
        """Take the bar away."""
        self._shown.close()

    def on_exception(self, trainer: Trainer, pl_module: PretrainModule, exception: BaseException) -> None:
        """Take the bar away."""
        self._shown.close()

    def _improved(self, pl_module: PretrainModule, valid: Mapping[str, float]) -> bool:
        """Note the best epoch; stop when validation has not improved for ``patience`` epochs."""
        state, patience = self.run.state, pl_module.config.patience
        if not valid:
            return False
        improved = state.best_loss is None or valid["loss"] < state.best_loss
        if improved:
            state.best_epoch, state.best_loss = state.epoch, valid["loss"]
            if patience:
                self.run.best = {
                    name: tensor.detach().cpu().clone()
                    for name, tensor in pl_module.method.state_dict().items()
                }
        state.stopped = bool(patience) and state.epoch - (state.best_epoch or 0) >= patience
        return improved

    def _report(
        self, trainer: Trainer, pl_module: PretrainModule, entry: dict[str, Any], *, improved: bool
    ) -> None:
        """Print the line of an epoch, and hand it to the loggers."""
        state, config = self.run.state, pl_module.config
        left = (config.epochs - state.epoch) * state.seconds / max(1, state.epoch)
        loss, speed = entry["train"]["loss"], entry["molecules_per_second"]
        valid = f"  valid {entry['valid']['loss']:.4g}{'*' if improved else ''}" if entry["valid"] else ""
        self.reporter.say(
            f"epoch {state.epoch}/{config.epochs}  loss {loss:.4g}{valid}  lr {entry['lr']:.3g}"
            f"  {speed:,.0f} molecules/s  left {duration(left)}"
        )
        self._show(pl_module.step, f"epoch {min(state.epoch + 1, config.epochs)}")
        numbers = {
            name: value for name, value in state.metrics()[-1].items() if name not in {"epoch", "step"}
        }
        for logger in trainer.loggers:
            logger.log_metrics(numbers, step=entry["step"])
        if state.stopped:
            self.reporter.say(
                f"stopped early: no better validation for {counted(config.patience, 'epoch', comma=False)};"
                f" best was epoch {state.best_epoch}"
            )

    def _save(self, trainer: Trainer, pl_module: PretrainModule) -> None:
        """Write the state (first process)."""
        self._saved = time.perf_counter()
        if not trainer.is_global_zero:
            return
        self.run.state.totals = self._train.numbers()
        scaler = getattr(trainer.precision_plugin, "scaler", None)
        self.run.state.scaler = {} if scaler is None else dict(scaler.state_dict())
        self.run.save(pl_module.method, optimizer_tensors(trainer.optimizers[0]))


def _of_first(totals: Totals) -> dict[str, tuple[float, float]]:
    """Return the totals as numbers, those of the first process: all add up the same but for rounding."""
    told = [totals.numbers()]
    if current() is not None:
        distributed.broadcast_object_list(told, src=0)
    return told[0]


def check_alike(run: Run, module: PretrainModule) -> None:
    """Refuse to train together on different data, with different options or from different states.

    Raises
    ------
    ConfigError
        In every process, with the first that differs.
    """
    own = {
        "data": run.facts,
        "options": module.config.result_options(),
        "state": [run.state.epoch, run.state.batch],
    }
    told: list[dict[str, Any]] = [{}] * distributed.get_world_size()
    distributed.all_gather_object(told, own)
    for rank, other in enumerate(told):
        if different := [name for name, value in other.items() if value != told[0][name]]:
            raise ConfigError(
                f"process {rank + 1} of {len(told)} has other {' and '.join(different)} than the first",
                hint="give all processes the same corpus, options and output",
            )


def _means(totals: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    return {name: total / weight for name, (total, weight) in totals.items() if weight}
