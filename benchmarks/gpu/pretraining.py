"""Long trainings, each for its share of the time; interrupted ones go on another time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.gpu.pack import pack_all
from benchmarks.gpu.plan import TRAININGS, Clock, Settings, Training, portion
from benchmarks.gpu.rows import Row, Table, number

from cytomol.training.loop.state import STATE, partial_path

__all__ = ["Reached", "command", "excluded", "finished", "models", "run", "train"]

_SAVING = 20.0  # seconds that an interrupted training gets to save itself
_RESERVE = _SAVING + 5.0  # kept for saving and packing the last one
_SHORTEST = 3.0  # seconds below which a training is not started


def run(settings: Settings, table: Table, clock: Clock) -> None:
    """Train what is not finished; write its rows and pack its weights."""
    place = models(settings)
    open_ones = [TRAININGS[name] for name in settings.trainings if not finished(TRAININGS[name], table)]
    if not open_ones:
        return
    exclude = excluded(settings)
    print("excluded: " + (str(exclude) if exclude else "nobody, there is no list of molecules"), flush=True)
    for position, training in enumerate(open_ones):
        seconds = portion(clock.left() - _RESERVE, len(open_ones) - position - 1)
        if seconds < _SHORTEST:
            print(f"not reached: {training.title}", flush=True)
            continue
        due = Clock(seconds)
        words = command(training, settings, exclude)
        code = train(words, lambda due=due: due.over)
        reached = Reached.read(place / training.name)
        note = "" if training.cells and exclude else "cell data of nobody left out" if training.cells else ""
        _add_rows(training, settings, table, reached, code=code, note=note)
        pack_all(place, settings.trainings, settings.out, settings.work / "packed")


def models(settings: Settings) -> Path:
    """Return the folder of the model directories."""
    return settings.work / "models"


def excluded(settings: Settings) -> Path | None:
    """Return the list of molecules whose cell data are left out: as given, else of the published sets."""
    if settings.exclude is not None:
        return settings.exclude
    data = os.environ.get("CYTOMOL_DATA")
    if not data or not (Path(data) / "benchmarks").is_dir():
        return None
    from benchmarks.quality.backbones import evaluated_molecules

    return evaluated_molecules(settings.work)


def command(training: Training, settings: Settings, exclude: Path | None) -> list[str]:
    """Return the words of the command that trains, or goes on training."""
    sizes, out = settings.sizes, models(settings) / training.name
    words = ["pretrain", str(settings.corpus), "--method", training.method, "-o", str(out)]
    words += ["--epochs", str(sizes.epochs), "--batch-size", str(sizes.batch_size)]
    words += ["--precision", "bf16-mixed", "--accelerator", settings.device, "--seed", "0"]
    if training.method == "chmr":
        words += ["--views", "1d,2d"]
    for name, value in sizes.options:
        words += [f"--{name.replace('_', '-')}", str(value)]
    if not training.cells:
        words += ["--modalities", "", "--walk-length", "0"]
    elif exclude is not None:
        words += ["--exclude-profiles-of", str(exclude)]
    if partial_path(out).exists():
        words.append("--resume")
    return words


def train(words: list[str], due: Callable[[], bool]) -> int:
    """Run ``cytomol`` until it ends, or ask it to save and stop when ``due``; return its exit status."""
    print("$ cytomol", " ".join(word or "''" for word in words), flush=True)
    with subprocess.Popen([sys.executable, "-m", "cytomol", *words], stdin=subprocess.DEVNULL) as process:
        try:
            while not due():
                try:
                    return process.wait(0.1)
                except subprocess.TimeoutExpired:
                    continue
            for patience in (_SAVING, 5.0):
                process.send_signal(signal.SIGINT)
                try:
                    return process.wait(patience)
                except subprocess.TimeoutExpired:
                    print(f"did not stop within {patience:.0f} s", flush=True)
        finally:
            if process.poll() is None:
                process.kill()
    return process.returncode


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
        reason = "stopped before its first step was saved" if code < 0 or code == 130 else "see the log"
        table.add(replace(row, note=f"error: nothing came of it: exit status {code}, {reason}"))
        return
    state = "finished" if reached.finished else "interrupted, goes on when called again"
    if not reached.finished and code not in {0, 130, -signal.SIGINT}:
        state = f"error: exit status {code}; what was saved before stays"
    said = "; ".join(part for part in (state, training.title, note) if part)
    epochs = f"{reached.epochs}"
    table.add(replace(row, value=epochs, unit=f"of {settings.sizes.epochs} epochs", note=said))
    for what, value, unit in (
        ("seconds", reached.seconds, "s"),
        ("speed", reached.molecules_per_second, "mol/s"),
        ("loss", reached.loss, ""),
        ("validation loss", reached.valid, ""),
    ):
        table.add(replace(row, what=f"{training.name}: {what}", value=number(value, 6), unit=unit))
