"""Trainings side by side until time is over; interrupted ones go on another time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.gpu.pack import pack_all, waiting
from benchmarks.gpu.plan import Clock, Settings, Training
from benchmarks.gpu.rows import Row, Table, number

from cytomol.training.loop.state import STATE, partial_path

__all__ = ["Reached", "command", "complete", "excluded", "finished", "models", "packed", "run", "train"]

_SAVING = 20.0  # seconds that interrupted trainings get to save themselves
_RESERVE = _SAVING + 15.0  # kept for saving and packing
_STOPPED = (130, -signal.SIGINT)  # statuses of what was asked to stop


def run(settings: Settings, table: Table, clock: Clock) -> None:
    """Train what is not finished and write its rows; pack the weights that were not packed yet."""
    open_ones = [
        training for name in settings.trainings if not finished(training := Training.read(name), table)
    ]
    if open_ones:
        _train(open_ones, settings, table, clock)
    pack_all(models(settings), settings.trainings, settings.out, packed(settings))


def complete(settings: Settings, table: Table) -> bool:
    """Say whether every training is finished, and its weights are packed."""
    return all(finished(Training.read(name), table) for name in settings.trainings) and not waiting(
        models(settings), settings.trainings, packed(settings)
    )


def _train(open_ones: list[Training], settings: Settings, table: Table, clock: Clock) -> None:
    exclude = excluded(settings)
    print("excluded: " + (str(exclude) if exclude else "nobody, there is no list of molecules"), flush=True)
    commands = [command(training, settings, exclude) for training in open_ones]
    due = Clock(clock.left() - _RESERVE)
    for training, code in zip(open_ones, train(commands, settings.jobs, lambda: due.over), strict=True):
        reached = Reached.read(models(settings) / training.name)
        if code is None or (reached is None and code in _STOPPED):
            print(f"not reached: {training.name}", flush=True)
            continue
        note = f"{min(settings.jobs, len(open_ones))} at a time"
        if training.cells and not exclude:
            note += "; cell data of nobody left out"
        _add_rows(training, settings, table, reached, code=code, note=note)


def models(settings: Settings) -> Path:
    """Return the folder of the model directories."""
    return settings.work / "models"


def packed(settings: Settings) -> Path:
    """Return the folder in which archives are made."""
    return settings.work / "packed"


def excluded(settings: Settings) -> Path | None:
    """Return the list of molecules whose cell data are left out: as given, else of the published sets."""
    if settings.exclude is not None:
        return settings.exclude
    data = os.environ.get("CYTOMOL_DATA")
    if not data or not (Path(data) / "benchmarks").is_dir():
        return None
    from benchmarks.quality.backbones import evaluated_molecules

    return evaluated_molecules(settings.work, train_too=True)


def command(training: Training, settings: Settings, exclude: Path | None) -> list[str]:
    """Return the words of the command that trains, or goes on training.

    The options are those of the backbone that comes with the package, but for batch and precision.
    """
    sizes, out = settings.sizes, models(settings) / training.name
    words = ["pretrain", str(settings.corpus), "--method", training.method, "-o", str(out)]
    words += ["--epochs", str(training.epochs), "--batch-size", str(sizes.batch_size)]
    words += ["--precision", "bf16-mixed", "--accelerator", settings.device, "--seed", str(training.seed)]
    words += ["--molecule-targets", ",".join(sizes.targets), "--threads", "1", "--no-report"]
    if training.method == "chmr":
        words += ["--views", "1d,2d"]
    for name, value in {"width": 240, **dict(sizes.options)}.items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    if not training.cells:
        words += ["--modalities", "", "--walk-length", "0"]
    elif sizes.relation:
        words += ["--relation-targets", sizes.relation]
    if exclude is not None:
        words += ["--exclude-profiles-of", str(exclude)]
    if partial_path(out).exists():
        words.append("--resume")
    return words


def train(commands: list[list[str]], jobs: int, due: Callable[[], bool]) -> list[int | None]:
    """Run ``cytomol`` with each command, so many at a time, until all have ended or it is ``due``.

    Those that are under way then are asked to save themselves and to stop.

    Returns
    -------
        The exit status of each; None where it was not started.
    """
    started: dict[int, subprocess.Popen[bytes]] = {}
    waiting = list(range(len(commands)))
    with _ended_at_last(started):
        while not due():
            under_way = sum(process.poll() is None for process in started.values())
            if waiting and under_way < jobs:
                number = waiting.pop(0)
                print("$ cytomol", " ".join(word or "''" for word in commands[number]), flush=True)
                words = [sys.executable, "-m", "cytomol", *commands[number]]
                started[number] = subprocess.Popen(words, stdin=subprocess.DEVNULL)
            elif not waiting and not under_way:
                break
            else:
                time.sleep(0.1)
        _stop([process for process in started.values() if process.poll() is None])
    return [started[number].returncode if number in started else None for number in range(len(commands))]


def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    """Ask processes to save themselves and to stop, twice if need be."""
    for patience in (_SAVING, 5.0):
        for process in processes:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        late = Clock(patience)
        while any(process.poll() is None for process in processes) and not late.over:
            time.sleep(0.1)
        if all(process.poll() is not None for process in processes):
            return
        print(f"did not stop within {patience:.0f} s", flush=True)


@contextmanager
def _ended_at_last(started: dict[int, subprocess.Popen[bytes]]) -> Iterator[None]:
    """End what is left, whatever happens."""
    try:
        yield
    finally:
        for process in started.values():
            if process.poll() is None:
                process.kill()
            process.wait()


@dataclass(frozen=True)
class Reached:
    """How far a training came.

    Attributes
    ----------
    finished
        All epochs are done.
    epochs
        Done.
    seconds
        Spent in steps, over all runs.
    molecules_per_second
        In steps.
    loss, valid
        Of the last epoch; None before the first.
    """

    finished: bool
    epochs: int
    seconds: float
    molecules_per_second: float
    loss: float | None
    valid: float | None

    @classmethod
    def read(cls, out: Path) -> Reached | None:
        """Read what lies at ``out``, or beside it if it was interrupted; None if nothing does."""
        if (out / "training.json").is_file():
            table: dict[str, Any] = json.loads((out / "training.json").read_text(encoding="utf-8"))
            history, finished = table["history"], True
            epochs, seconds, speed = table["epochs"], table["seconds"], table["molecules_per_second"]
        elif (path := partial_path(out) / STATE).is_file():
            state = json.loads(path.read_text(encoding="utf-8"))["state"]
            history, finished, epochs, seconds = state["history"], False, state["epoch"], state["seconds"]
            speed = state["molecules"] / seconds if seconds else 0.0
        else:
            return None
        last = history[-1] if history else {"train": {}, "valid": {}}
        losses = last["train"].get("loss"), last["valid"].get("loss")
        return cls(finished, epochs, seconds, speed, *losses)


def _row(training: Training, settings: Settings) -> Row:
    size = str(settings.sizes.batch_size)
    return Row("pretraining", f"{training.name}: epochs", training.method, size, "bf16")


def finished(training: Training, table: Table) -> bool:
    """Say whether the rows have a training as finished, whatever its batch size."""
    name = f"{training.name}: epochs"
    return any(
        row.what == name and row.device == table.device and row.note.startswith("finished")
        for row in table.read()
    )


def _add_rows(
    training: Training, settings: Settings, table: Table, reached: Reached | None, *, code: int, note: str
) -> None:
    row = _row(training, settings)
    if reached is None:
        table.add(replace(row, note=f"error: nothing came of it: exit status {code}, see the log"))
        return
    state = "finished" if reached.finished else "interrupted, goes on when called again"
    if not reached.finished and code not in {0, *_STOPPED}:
        state = f"error: exit status {code}; what was saved before stays"
    said = "; ".join(part for part in (state, training.title, note) if part)
    epochs = f"{reached.epochs}"
    table.add(replace(row, value=epochs, unit=f"of {training.epochs} epochs", note=said))
    for what, value, unit in (
        ("seconds", reached.seconds, "s"),
        ("speed", reached.molecules_per_second, "mol/s"),
        ("loss", reached.loss, ""),
        ("validation loss", reached.valid, ""),
    ):
        table.add(replace(row, what=f"{training.name}: {what}", value=number(value, 6), unit=unit))
