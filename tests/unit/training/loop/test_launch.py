"""Who started a process, and what it is told."""

from __future__ import annotations

import time
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lightning.fabric.plugins.environments import SLURMEnvironment, TorchElasticEnvironment

from cytomol.errors import ConfigError, InputError, note
from cytomol.training.loop.launch import Launch, launched

ADDRESS = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"}


def _torchrun(rank: int, nodes: int, per_node: int) -> dict[str, str]:
    return {
        "RANK": str(rank),
        "WORLD_SIZE": str(nodes * per_node),
        "LOCAL_RANK": str(rank % per_node),
        "LOCAL_WORLD_SIZE": str(per_node),
        "GROUP_WORLD_SIZE": str(nodes),
        **ADDRESS,
    }


def _srun(rank: int, nodes: int, per_node: int) -> dict[str, str]:
    return {
        "SLURM_PROCID": str(rank),
        "SLURM_STEP_NUM_TASKS": str(nodes * per_node),
        "SLURM_STEP_NUM_NODES": str(nodes),
        "SLURM_LOCALID": str(rank % per_node),
        "SLURM_NODEID": str(rank // per_node),
        "SLURM_NTASKS": str(nodes * per_node),
    }


@given(data=st.data(), nodes=st.integers(1, 5), per_node=st.integers(1, 5))
def test_both_tell_a_process_its_place(data: Any, nodes: int, per_node: int) -> None:
    world = nodes * per_node
    rank = data.draw(st.integers(0, world - 1))
    for by, said in (("torchrun", _torchrun), ("srun", _srun)):
        found = launched(said(rank, nodes, per_node))
        if world == 1:
            assert found is None
            continue
        assert found == Launch(by, rank, world, nodes)  # type: ignore[arg-type]
        assert found.per_node == per_node
        for devices in {1, per_node}:
            found.check(devices, 1)
            found.check(devices, nodes)
        with pytest.raises(ConfigError, match=f"{by} started {world} processes on {nodes} nodes?"):
            found.check(per_node + 1, nodes)
        with pytest.raises(ConfigError, match="leave both options out"):
            found.check(1, nodes + 1)


def test_nobody_started_it() -> None:
    assert launched({}) is None
    assert launched({"RANK": "1", "WORLD_SIZE": "2"}) is None
    # sbatch runs a script once and tells it how many tasks there may be; only srun starts them
    assert launched({"SLURM_PROCID": "0", "SLURM_NTASKS": "4", "SLURM_LOCALID": "0"}) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"RANK": "two"}, "environment variable RANK: 'two' is no number"),
        ({"WORLD_SIZE": "-2"}, "WORLD_SIZE"),
        ({"RANK": "7"}, "process 7 of 4 on 2 nodes"),
        ({"GROUP_WORLD_SIZE": "3"}, "as many processes on every node"),
        ({"GROUP_WORLD_SIZE": "0"}, "on 0 nodes"),
    ],
)
def test_what_makes_no_sense_is_refused(change: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        launched({**_torchrun(1, 2, 2), **change})


def test_lightning_finds_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(Launch("torchrun", 0, 2, 1).environment(), TorchElasticEnvironment)
    for name, value in (_srun(1, 1, 2) | {"SLURM_NTASKS_PER_NODE": "2"}).items():
        monkeypatch.setenv(name, value)
    slurm = Launch("srun", 1, 2, 1).environment()
    assert isinstance(slurm, SLURMEnvironment)
    assert not slurm.auto_requeue
    assert (slurm.global_rank(), slurm.world_size()) == (1, 2)


def test_the_first_process_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    monkeypatch.setenv("TORCH_CPP_LOG_LEVEL", "ERROR")
    with pytest.raises(InputError, match=r"^here: no$"), Launch("torchrun", 0, 2, 1).first_speaks():
        raise InputError("no", where="here")
    assert not waited
    second = Launch("torchrun", 1, 2, 1)
    with pytest.raises(InputError, match=r"^here: process 2 of 2: no \(do\)$"), second.first_speaks():
        raise InputError("no", where="here", hint="do")
    assert waited
    with pytest.raises(SystemExit) as end, second.first_speaks():
        raise KeyboardInterrupt
    assert end.value.code == 130
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with second.first_speaks():
            note("odd", where="here")
    assert not said
