"""``cytomol pretrain`` in several processes: its own, torchrun's or srun's; and one of them killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cytomol.cli.main import main
from cytomol.corpus.planted import write_planted
from cytomol.training.loop.callbacks import Keeper

SMALL = [
    "--width",
    "16",
    "--layers",
    "2",
    "--batch-size",
    "48",
    "--threads",
    "1",
    "--workers",
    "1",
    "--accelerator",
    "cpu",
    "--no-report",
]
CHMR = ["--method", "chmr", "--views", "1d,2d", "--depth", "3", "--epochs", "3"]
INFOALIGN = ["--method", "infoalign", "--epochs", "3"]
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds processes as Linux shows them")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("planted") / "corpus"
    write_planted(path, 200, seed=2)
    return path


def _run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        main(["pretrain", *map(str, arguments), *SMALL])
    assert isinstance(end.value.code, int)
    return end.value.code


def _command(*arguments: object) -> list[str]:
    return ["cytomol", "pretrain", *map(str, arguments), *SMALL]


def _torchrun(*arguments: object) -> list[str]:
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    return [*start, *_command(*arguments)]


def _history(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((path / "training.json").read_text())["history"]
    return found


def _assert_same_curve(one: Path, two: Path) -> None:
    alone, together = _history(one), _history(two)
    assert len(alone) == len(together) == 3
    for before, after in zip(alone, together, strict=True):
        assert before["train"].keys() == after["train"].keys()
        assert before["valid"].keys() == after["valid"].keys()
        assert before["lr"] == after["lr"]
        for name, value in before["train"].items():
            assert after["train"][name] == pytest.approx(value, rel=1e-4, abs=1e-5), name
        assert after["valid"]["loss"] == pytest.approx(before["valid"]["loss"], rel=1e-3)


@pytest.mark.slow
def test_torchrun_starts_two_that_learn_what_one_does(corpus: Path, tmp_path: Path) -> None:
    assert _run(corpus, "-o", tmp_path / "one", *CHMR) == 0
    two = subprocess.run(
        _torchrun(corpus, "-o", tmp_path / "two", *CHMR), stderr=subprocess.PIPE, text=True, check=False
    )
    assert two.returncode == 0, two.stderr
    lines = two.stderr.splitlines()
    assert sum(line.startswith("epoch ") for line in lines) == 3
    assert sum(line.startswith("wrote ") for line in lines) == 1
    assert not [line for line in lines if "arning" in line]
    _assert_same_curve(tmp_path / "one", tmp_path / "two")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


@pytest.mark.slow
def test_srun_starts_two_that_learn_what_one_does(corpus: Path, tmp_path: Path) -> None:
    assert _run(corpus, "-o", tmp_path / "one", *INFOALIGN) == 0
    job = {
        "SLURM_JOB_ID": "7", "SLURM_NTASKS": "2", "SLURM_NTASKS_PER_NODE": "2", "SLURM_NNODES": "1",
        "SLURM_STEP_NUM_TASKS": "2", "SLURM_STEP_NUM_NODES": "1", "SLURM_NODEID": "0",
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port()),
    }  # fmt: skip
    command = [sys.executable, "-m", *_command(corpus, "-o", tmp_path / "two", *INFOALIGN, "--devices", 2)]
    tasks = [
        subprocess.Popen(
            command,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | job | {"SLURM_PROCID": str(rank), "SLURM_LOCALID": str(rank)},
        )
        for rank in range(2)
    ]
    said = [task.communicate()[1] for task in tasks]
    assert [task.returncode for task in tasks] == [0, 0], said
    assert said[0].count("\nepoch ") == 3
    assert not said[1]
    _assert_same_curve(tmp_path / "one", tmp_path / "two")


class _CtrlC:
    """Sends SIGINT to this process after some training steps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
        original = Keeper.on_train_batch_end
        self.left = steps

        def hook(keeper: Keeper, *args: Any, **kwargs: Any) -> None:
            self.left -= 1
            if self.left == 0:
                signal.raise_signal(signal.SIGINT)
            original(keeper, *args, **kwargs)

        monkeypatch.setattr(Keeper, "on_train_batch_end", hook)


def _trainers(parent: int) -> list[int]:
    """Return the processes that ``parent`` has started to train."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    commands = {int(child): Path(f"/proc/{child}/cmdline").read_text() for child in children}
    return [child for child, command in commands.items() if "spawn_main" in command or "cytomol" in command]


def _killed(command: list[str]) -> tuple[int, list[str]]:
    """Kill a process of a training after an epoch; return the status and the errors that it ended with."""
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as job:
        assert job.stderr is not None
        for line in job.stderr:
            if line.startswith("epoch "):
                os.kill(_trainers(job.pid)[-1], signal.SIGKILL)
                break
        rest = job.stderr.read()
    return job.returncode, [line for line in rest.splitlines() if line.startswith("cytomol: ")]


@LINUX
@pytest.mark.slow
def test_a_killed_process_ends_the_job_which_goes_on(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "m"
    arguments = [corpus, "-o", out, *INFOALIGN[:2]]
    with monkeypatch.context() as patch:
        _CtrlC(patch, 6)
        assert _run(*arguments, "--epochs", 5000) == 130
    more = _command(*arguments, "--epochs", 5000, "--resume", "--devices", 2)
    status, errors = _killed([sys.executable, "-m", *more])
    assert status == 2
    assert len(errors) == 1
    assert "training process 2 was ended by SIGKILL" in errors[0]
    assert "--resume continues" in errors[0]
    assert not out.exists()
    assert _run(*arguments, "--epochs", 3, "--resume") == 0  # with one process
    assert [entry["epoch"] for entry in _history(out)] == [1, 2, 3]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m"]


@LINUX
@pytest.mark.slow
def test_a_killed_process_of_torchrun_ends_the_job(corpus: Path, tmp_path: Path) -> None:
    arguments = [corpus, "-o", tmp_path / "m", *INFOALIGN[:2], "--epochs", 5000]
    status, errors = _killed(_torchrun(*arguments))
    assert status == 1
    assert len(errors) == 1
    assert "another process of the training is gone" in errors[0]
    assert "nothing was saved yet" in errors[0]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--nodes", "2", "--devices", "4"], "torchrun --nnodes 2 --nproc-per-node 4"),
        (["--strategy", "fsdp"], "use ddp"),
        (["--batch-size", "9", "--devices", "5"], "at least 2 molecules per device"),
    ],
)
def test_what_cannot_train_together_is_refused(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["pretrain", str(corpus), "-o", str(tmp_path / "m"), *SMALL, *options])
    assert end.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert message in lines[0]
    assert not list(tmp_path.iterdir())


def test_other_processes_than_were_started_are_refused(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"RANK": "0", "WORLD_SIZE": "4", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    assert _run(corpus, "-o", tmp_path / "m", "--devices", 2) == 2
    assert "torchrun started 4 processes on 1 node" in capsys.readouterr().err
