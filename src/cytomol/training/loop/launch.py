"""Who started this process to train together with others, and which of them it is.

torchrun and srun start all processes of a training and tell each its place in environment variables. Where
nothing is said, one process is at work, which may start others of its own.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from cytomol.counted import counted
from cytomol.errors import ConfigError, CytomolError, InputNote

__all__ = ["Launch", "launched"]

_TORCHRUN = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
_INTERRUPTED = 130  # exit status, which the first process has as well
_FIRST_SPEAKS = 1.0  # seconds
_SRUN = ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID", "SLURM_NODEID")


@dataclass(frozen=True)
class Launch:
    """The place of a process among those that were started to train together.

    Attributes
    ----------
    by
        Who started them.
    rank
        This process, counted from 0.
    world
        Number of processes.
    nodes
        Number of machines.
    """

    by: Literal["torchrun", "srun"]
    rank: int
    world: int
    nodes: int

    @property
    def per_node(self) -> int:
        """Processes of each machine."""
        return self.world // self.nodes

    def check(self, devices: int, nodes: int) -> None:
        """Refuse options that say something else than what was started; 1 says nothing.

        Raises
        ------
        ConfigError
            With what was started.
        """
        if devices not in {1, self.per_node} or nodes not in {1, self.nodes}:
            raise ConfigError(
                f"--nodes {nodes} --devices {devices}, but {self.by} started {self.world} processes on "
                f"{counted(self.nodes, 'node', comma=False)}",
                hint="leave both options out, or give what was started",
            )

    @contextmanager
    def first_speaks(self) -> Iterator[None]:
        """Let the first process speak for all: another one prints no notes, and its error late.

        Where all fail alike, who started them ends the others as soon as the first has said why.
        """
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # read when torch is loaded
        if self.rank == 0:
            yield
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InputNote)
            try:
                yield
            except KeyboardInterrupt:
                raise SystemExit(_INTERRUPTED) from None
            except CytomolError as error:
                time.sleep(_FIRST_SPEAKS)
                what = f"process {self.rank + 1} of {self.world}: {error.what}"
                raise type(error)(what, where=error.where, hint=error.hint) from error

    def environment(self) -> Any:
        """Return how Lightning finds the other processes."""
        from lightning.fabric.plugins.environments import SLURMEnvironment, TorchElasticEnvironment

        # a job that SLURM starts again is told to --resume: Lightning's own checkpoint would be another file
        return TorchElasticEnvironment() if self.by == "torchrun" else SLURMEnvironment(auto_requeue=False)


def launched(environment: Mapping[str, str] | None = None) -> Launch | None:
    """Return the place of this process among those that torchrun or srun started; None if it is alone.

    Parameters
    ----------
    environment
        Environment variables; those of this process when None.

    Raises
    ------
    ConfigError
        If the variables make no sense.

    Examples
    --------
    >>> said = {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1", "MASTER_ADDR": "a", "MASTER_PORT": "1"}
    >>> launched(said)
    Launch(by='torchrun', rank=1, world=2, nodes=1)
    >>> launched({"SLURM_PROCID": "0", "SLURM_NTASKS": "4"}) is None  # a script of sbatch, without srun
    True
    """
    said = os.environ if environment is None else environment
    if all(name in said for name in _TORCHRUN):
        rank, world = _number(said, "RANK"), _number(said, "WORLD_SIZE")
        on_node = _number(said, "LOCAL_WORLD_SIZE", world)
        found = Launch("torchrun", rank, world, _number(said, "GROUP_WORLD_SIZE", world // max(on_node, 1)))
    elif all(name in said for name in _SRUN):
        rank, world = _number(said, "SLURM_PROCID"), _number(said, "SLURM_STEP_NUM_TASKS")
        found = Launch("srun", rank, world, _number(said, "SLURM_STEP_NUM_NODES", 1))
    else:
        return None
    if not 0 <= found.rank < found.world or found.nodes < 1 or found.world % found.nodes:
        raise ConfigError(
            f"{found.by} says that this is process {found.rank} of {found.world} on "
            f"{counted(found.nodes, 'node', comma=False)}",
            hint="start as many processes on every node",
        )
    return found if found.world > 1 else None


def _number(said: Mapping[str, str], name: str, otherwise: int | None = None) -> int:
    text = said.get(name, "" if otherwise is None else str(otherwise))
    if not (text.isascii() and text.isdigit()):
        raise ConfigError(f"{text!r} is no number of processes", where=f"environment variable {name}")
    return int(text)
