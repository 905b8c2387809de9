"""Train until the end, an early stop or an interruption: in this process, in others, or with others."""

from __future__ import annotations

import signal
from pathlib import Path

from lightning import Trainer
from lightning.fabric.plugins.environments import LightningEnvironment
from lightning.fabric.utilities.exceptions import MisconfigurationException
from torch import distributed
from torch.multiprocessing.spawn import ProcessExitedException, ProcessRaisedException

from cytomol.counted import counted
from cytomol.errors import ConfigError, CytomolError
from cytomol.methods.config import MethodConfig
from cytomol.nn import together
from cytomol.nn.allocator import keep_memory
from cytomol.progress import Reporter
from cytomol.training.dataset.data import PretrainData, split_epoch
from cytomol.training.loop.callbacks import Keeper
from cytomol.training.loop.interrupt import Interruption
from cytomol.training.loop.launch import Launch
from cytomol.training.loop.loggers import loggers
from cytomol.training.loop.module import PretrainDataModule, PretrainModule
from cytomol.training.loop.quiet import quiet_lightning
from cytomol.training.loop.run import Run
from cytomol.training.loop.state import partial_path

__all__ = ["check_processes", "lightning_trainer", "train"]

# How torch's backends say that another process is gone; gloo has no type of error for it.
_GONE = (
    "Connection closed by peer",
    "Connection reset by peer",
    "Broken pipe",
    "Timed out",
    "remote process exited",  # NCCL's
)


def check_processes(config: MethodConfig, out: Path, launch: Launch | None) -> None:
    """Refuse before any work processes or devices that cannot train together.

    Raises
    ------
    ConfigError
        If there are no such devices, a batch is too small for them, or nobody started the processes.
    """
    if launch is not None:
        launch.check(config.devices, config.nodes)
    elif config.nodes > 1:
        raise ConfigError(
            f"nobody has started processes on {config.nodes} nodes",
            hint=f"start them with srun, or on every node with torchrun --nnodes {config.nodes} "
            f"--nproc-per-node {config.devices} --rdzv-backend c10d --rdzv-endpoint HOST:PORT -m cytomol "
            "pretrain ...",
        )
    if config.strategy == "fsdp":
        raise ConfigError(
            "strategy fsdp: encoders and code books change weights in place while they compute, which is "
            "lost where each process holds a part of the weights",
            hint="use ddp; the models fit every device",
        )
    if config.batch_size < 2 * (processes := _processes(config, launch)):
        raise ConfigError(
            f"batch_size {config.batch_size} on {counted(processes, 'device', comma=False)}",
            hint="at least 2 molecules per device",
        )
    with quiet_lightning():
        lightning_trainer(config, out, launch)  # are there such devices?


def train(
    run: Run, data: PretrainData, config: MethodConfig, reporter: Reporter, launch: Launch | None
) -> Run:
    """Train until the end, an early stop or an interruption; return the training as saved.

    Of processes that were started from outside, only the first gets back what was saved.

    Raises
    ------
    KeyboardInterrupt
        If the user interrupted it; the state is saved.
    CytomolError
        If there are too few molecules, or a process ended before its time.
    """
    keep_memory()
    module_data = PretrainDataModule(data, config, run.state)
    _check_molecules(data, config, _processes(config, launch))
    run.backbone.method.train()  # Lightning leaves the mode as it finds it
    module = PretrainModule(run.backbone.method, config, run.state, module_data.steps_per_epoch)
    # who started the processes from outside passes signals on to all, in its own time
    say = reporter.say if launch is None else _say_nothing
    with quiet_lightning(), Interruption(say) as interruption:
        trainer = lightning_trainer(config, run.out, launch, Keeper(run, reporter, interruption))
        try:
            trainer.fit(module, datamodule=module_data)
        except SystemExit:  # how Lightning answers a KeyboardInterrupt
            raise KeyboardInterrupt from None
        except ProcessExitedException as error:
            raise _ended(error, run.out) from None
        except ProcessRaisedException as error:
            raise _failed(error, run.out) from error
        except RuntimeError as error:
            if launch is None or not any(text in str(error) for text in _GONE):
                raise
            hint = _how_to_go_on(run.out)
            raise CytomolError("another process of the training is gone", hint=hint) from error
        finally:
            together.end()
            if launch is not None and distributed.is_initialized():
                distributed.destroy_process_group()
    # Processes of ours have trained their own copy, so what was saved counts; of processes that were started
    # from outside, the first one reads it and takes it away.
    done = Run.saved(run.out) if launch is None or launch.rank == 0 else run
    if done.state.interrupted:
        reporter.say(
            f"interrupted: {partial_path(run.out)} holds the state (--resume continues) and a usable model"
        )
        raise KeyboardInterrupt
    return done


def _say_nothing(text: str) -> None:
    del text


def _processes(config: MethodConfig, launch: Launch | None) -> int:
    return config.devices if launch is None else launch.world


def _check_molecules(data: PretrainData, config: MethodConfig, processes: int) -> None:
    """Refuse to divide too few molecules."""
    devices = counted(processes, "device", comma=False)
    if len(data.train) < 2 * processes:
        raise ConfigError(f"{counted(len(data.train), 'molecule', comma=False)} to train on {devices}")
    fewest = min(map(len, split_epoch(data.validation, config.batch_size, None)), default=processes)
    if fewest < processes:
        raise ConfigError(
            f"{counted(len(data.validation), 'molecule', comma=False)} to validate on {devices}",
            hint="set validation_fraction higher, or to 0",
        )


def _ended(error: ProcessExitedException, out: Path) -> CytomolError:
    """Return what is said of a process of ours that something ended."""
    number, signalled = error.error_index + 1, error.signal_name
    how = f"was ended by {signalled}" if signalled else f"ended with status {error.exit_code}"
    why = ""
    if signalled == signal.Signals(9).name:
        why = ", as the system does where memory is short"
    return CytomolError(f"training process {number} {how}{why}", hint=_how_to_go_on(out))


def _failed(error: ProcessRaisedException, out: Path) -> CytomolError:
    """Return what is said of a process of ours that failed."""
    last = [line for line in str(error).splitlines() if line.strip()][-1].strip()
    if any(text in last for text in _GONE):
        return CytomolError("a training process is gone", hint=_how_to_go_on(out))
    return CytomolError(f"a training process failed: {last}")


def _how_to_go_on(out: Path) -> str:
    if partial_path(out).exists():
        return "--resume continues from what was saved last"
    return "nothing was saved yet: start again"


def lightning_trainer(config: MethodConfig, out: Path, launch: Launch | None, *keepers: Keeper) -> Trainer:
    """Return Lightning's trainer; it neither prints nor saves, the keeper does."""
    logger = loggers[config.logger](out) if keepers else False
    # Processes of ours are spawned, not the command run again: the corpus is prepared once, and a training
    # started from Python works as well. A modality absent from a batch leaves its decoder unused.
    # What is off, and what stands in for it: checkpoints of Lightning are pickled and end with an epoch, the
    # keeper's are directories that load as a model and go on in mid-epoch to the bit; its bar knows steps
    # alone and waits for the loss of each, the reporter's serves all that comes before too, and a log; its
    # sampler would deal out what the loader, which knows the place in the epoch, has dealt; a sanity check
    # would validate before a resumed step.
    spawned = "ddp_spawn_find_unused_parameters_true" if config.devices > 1 else "auto"
    try:
        return Trainer(
            accelerator=config.accelerator,
            devices=config.devices if launch is None else launch.per_node,
            num_nodes=1 if launch is None else launch.nodes,
            strategy=spawned if launch is None else "ddp_find_unused_parameters_true",
            plugins=[LightningEnvironment() if launch is None else launch.environment()],
            precision=config.precision,
            max_epochs=config.epochs,
            gradient_clip_val=config.gradient_clip or None,
            callbacks=list(keepers),
            logger=logger or False,
            reload_dataloaders_every_n_epochs=1,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=out.parent,
        )
    except (MisconfigurationException, ValueError, RuntimeError, TypeError) as error:
        reason = str(error).splitlines()[0]
        devices = counted(_processes(config, launch), "device", comma=False)
        raise ConfigError(
            f"accelerator {config.accelerator!r}, {devices}, {config.precision}: {reason}"
        ) from None
