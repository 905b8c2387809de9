"""State of a training under way: all that is needed to continue it bit for bit.

It lies in ``<out>.partial``, which is itself a model directory (so an interrupted model can be used as
it is) with the optimizer's state and the history beside it. Nothing in it is pickled.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from cytomol.artifact.backbone import KIND, Backbone
from cytomol.artifact.directory import load_model, save_model
from cytomol.artifact.signature import made_here
from cytomol.errors import ModelDirectoryError

__all__ = [
    "STATE",
    "Checkpoint",
    "RunState",
    "load_checkpoint",
    "metrics_csv",
    "partial_path",
    "save_checkpoint",
]

STATE = "state.json"
OPTIMIZER = "optimizer.safetensors"
BEST = "best.safetensors"


@dataclass
class RunState:
    """Where a training stands.

    Attributes
    ----------
    epoch
        Epochs completed.
    batch
        Batches done in the epoch after that.
    totals
        Of the epoch under way: weighted sum and weight of each quantity.
    history
        One table per epoch completed.
    first_loss
        Loss of the first batch.
    best_epoch, best_loss
        Epoch with the least validation loss so far.
    seconds
        Spent on training steps.
    molecules
        Seen in training steps, repeats counted.
    interrupted, stopped
        Ended by the user; ended early for lack of progress.
    scaler
        State of the gradient scaler of 16-bit training.
    """

    epoch: int = 0
    batch: int = 0
    totals: dict[str, tuple[float, float]] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    first_loss: float | None = None
    best_epoch: int | None = None
    best_loss: float | None = None
    seconds: float = 0.0
    molecules: int = 0
    interrupted: bool = False
    stopped: bool = False
    scaler: dict[str, float] = field(default_factory=dict)

    def metrics(self) -> list[dict[str, float]]:
        """Return one flat row per epoch: ``train/loss``, ``valid/loss``, ``lr``, ..."""
        rows = []
        for entry in self.history:
            row = {key: value for key, value in entry.items() if not isinstance(value, dict)}
            for side in ("train", "valid"):
                row |= {f"{side}/{name}": value for name, value in entry.get(side, {}).items()}
            rows.append(row)
        return rows


@dataclass(frozen=True)
class Checkpoint:
    """A saved state.

    Attributes
    ----------
    backbone
        The method as it stood.
    state
        Where the training stood.
    optimizer
        Moments by parameter, as flat tensors; see :func:`restore_optimizer`.
    best
        Weights of the best epoch; None without early stopping.
    run
        What was being trained on: digest of the corpus, further options.
    """

    backbone: Backbone
    state: RunState
    optimizer: dict[str, Tensor]
    best: dict[str, Tensor] | None
    run: dict[str, Any]


def partial_path(out: Path) -> Path:
    """Return the place of the state of a training whose result goes to ``out``."""
    return out.with_name(out.name + ".partial")


def save_checkpoint(out: Path, checkpoint: Checkpoint) -> None:
    """Write the state beside ``out``, whole; the state before it goes only then."""
    backbone = checkpoint.backbone
    texts = {
        STATE: json.dumps({"run": checkpoint.run, "state": dataclasses.asdict(checkpoint.state)}, indent=1)
        + "\n"
    }
    if metrics := metrics_csv(checkpoint.state):
        texts["metrics.csv"] = metrics
    tensors = {OPTIMIZER: checkpoint.optimizer}
    if checkpoint.best is not None:
        tensors[BEST] = checkpoint.best
    save_model(
        partial_path(out),
        kind=KIND,
        config=backbone.description(),
        weights=backbone.weights(),
        statistics=backbone.statistics(),
        texts=texts,
        tensors=tensors,
        force=True,
    )


def load_checkpoint(out: Path) -> Checkpoint:
    """Read the state beside ``out``.

    Raises
    ------
    ModelDirectoryError
        If it is altered or holds no state.
    """
    path = partial_path(out)
    with made_here():
        model = load_model(path, kind=KIND)
    if not (path / STATE).is_file() or not (path / OPTIMIZER).is_file():
        raise ModelDirectoryError("holds no state of a training", where=str(path))
    table = model.read_json(STATE)
    fields = {f.name for f in dataclasses.fields(RunState)}
    if not isinstance(table, dict) or not {"run", "state"} <= set(table) or set(table["state"]) != fields:
        raise ModelDirectoryError("is not the state of a training of this version", where=str(path / STATE))
    state = RunState(**table["state"])
    state.totals = {name: (float(total), float(weight)) for name, (total, weight) in state.totals.items()}
    backbone = Backbone.build(model.config, model.weights, model.statistics, where=str(path))
    best = safetensors.torch.load_file(path / BEST) if (path / BEST).is_file() else None
    return Checkpoint(backbone, state, safetensors.torch.load_file(path / OPTIMIZER), best, table["run"])


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the optimizer's moments as flat tensors named ``parameter.moment``."""
    state: Mapping[int, Mapping[str, Any]] = optimizer.state_dict()["state"]
    return {
        f"{number}.{name}": torch.as_tensor(value).detach().cpu().contiguous().clone()
        for number, moments in state.items()
        for name, value in moments.items()
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put the moments of :func:`optimizer_tensors` back."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, name = key.split(".", 1)
        state.setdefault(int(number), {})[name] = value.clone()
    table = optimizer.state_dict()
    table["state"] = state
    optimizer.load_state_dict(table)


def metrics_csv(state: RunState) -> str:
    """Return the history as CSV, one row per epoch; "" before the first."""
    rows = state.metrics()
    if not rows:
        return ""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
