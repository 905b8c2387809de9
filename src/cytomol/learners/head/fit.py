"""Training of heads, with early stop on validation; the best epoch's weights are restored."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from cytomol.assays.metrics import metrics, score_tasks
from cytomol.learners.head.named_heads import masked_loss
from cytomol.learners.head.options import HeadOptions
from cytomol.nn.schedule import learning_rate

__all__ = [
    "Best",
    "FitData",
    "FitResult",
    "FixedInputs",
    "InputSource",
    "apply",
    "batches",
    "fit_head",
    "make_optimizer",
    "seeded",
]

# (epoch, epochs, loss, validation score) -> None
OnEpoch = Callable[[int, int, float, float], None]


@dataclass(frozen=True)
class FitData:
    """Rows to train on and to validate with.

    Attributes
    ----------
    inputs
        Scaled features, float32, shape (n, width).
    targets
        Labels on the scale of the head's output, NaN where not measured, float32, shape (n, tasks).
    train, valid
        Row numbers, int64.
    kind, metric
        Kind of the tasks and name of the metric that validation compares.
    scale
        What one unit of the output is in units of the task, shape (tasks,).
    forest
        Probabilities of a forest beside the head, float32, shape (n, tasks); None without one.
    forest_gamma
        What the head's logits are multiplied by before the forest's probabilities are added.
    bounds
        -1 where the true value lies below the target, 1 where above, else 0, int8, shape (n, tasks); None
        where nothing is censored.
    """

    inputs: Tensor
    targets: Tensor
    train: Tensor
    valid: Tensor
    kind: str
    metric: str
    scale: NDArray[np.float64]
    forest: Tensor | None = None
    forest_gamma: float = 0.0
    bounds: Tensor | None = None

    def bounds_of(self, rows: Tensor, device: torch.device) -> Tensor | None:
        """Return which labels of some rows are bounds, int8, shape (rows, tasks); None where none is."""
        return None if self.bounds is None else self.bounds[rows].to(device)

    def beside_forest(self, output: Tensor, rows: Tensor) -> Tensor:
        """Return gamma x the head's output for some rows + the forest's probability, shape (rows, tasks)."""
        if self.forest is None:
            return output
        return self.forest_gamma * output + self.forest[rows].to(output.device)

    def validate(self, output: Tensor, select_by: str) -> float:
        """Return how good the output for the valid rows is, shape (valid, tasks): higher is better."""
        target = self.targets[self.valid]
        if self.bounds is not None:  # a bound is no measured value to be scored by
            target = target.masked_fill(self.bounds[self.valid] != 0, math.nan)
        score = math.nan
        if select_by == "score":
            scale = self.scale if self.kind == "regression" else 1.0
            score, _ = score_tasks(target.numpy() * scale, output.numpy() * scale, self.metric)
        if math.isnan(score):  # e.g. no valid task with both classes
            return -float(masked_loss(output, target, self.kind))
        return score if metrics[self.metric].higher_is_better else -score


class InputSource(Protocol):
    """Where a head's inputs come from."""

    @property
    def moved(self) -> list[nn.Module]:
        """Modules that making inputs changes; their best state is kept with the head's."""
        ...

    def train(self, rows: Tensor) -> Tensor:
        """Return the inputs of a training batch on the head's device, shape (B, width)."""
        ...

    def evaluate(self, rows: Tensor) -> Tensor:
        """Return the inputs of rows that are only looked at, shape (rows, width)."""
        ...


@dataclass(frozen=True)
class FixedInputs:
    """Inputs that stay what they are: rows of a table.

    Attributes
    ----------
    table
        float32, shape (n, width), on the head's device.
    """

    table: Tensor

    @property
    def moved(self) -> list[nn.Module]:
        """None: nothing changes."""
        return []

    def train(self, rows: Tensor) -> Tensor:
        """Return some rows, shape (B, width)."""
        return self.table[rows.to(self.table.device)]

    def evaluate(self, rows: Tensor) -> Tensor:
        """Return some rows, shape (rows, width)."""
        return self.train(rows)


@dataclass
class Best:
    """Keeps the weights of the best epoch and says when to stop."""

    patience: int
    score: float = -math.inf
    epoch: int = -1
    states: list[dict[str, Tensor]] = field(default_factory=list)

    def update(self, epoch: int, score: float, modules: list[nn.Module]) -> bool:
        """Note an epoch's score; return whether to stop: none was better for ``patience`` epochs."""
        if score > self.score or self.epoch < 0:
            self.score, self.epoch = score, epoch
            self.states = [copy.deepcopy(module.state_dict()) for module in modules]
        return bool(self.patience) and epoch - self.epoch >= self.patience

    def restore(self, modules: list[nn.Module]) -> None:
        """Put the best weights back."""
        for module, state in zip(modules, self.states, strict=True):
            module.load_state_dict(state)


@dataclass(frozen=True)
class FitResult:
    """What training did.

    Attributes
    ----------
    epochs, best_epoch
        Passes made, and the one whose weights stayed (counted from 1).
    best_score
        Validation score of that epoch (higher is better).
    history
        (loss, validation score) of every epoch.
    """

    epochs: int
    best_epoch: int
    best_score: float
    history: list[tuple[float, float]]


@contextmanager
def seeded(seed: int, threads: int = 0) -> Iterator[None]:
    """Fix torch's generator and threads inside the block, and put both back after it."""
    before = torch.get_num_threads()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        if threads:
            torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def make_optimizer(groups: list[dict[str, object]], config: HeadOptions) -> torch.optim.Optimizer:
    """Make the optimizer of parameter groups."""
    kind = torch.optim.Adam if config.optimizer == "adam" else torch.optim.AdamW
    # one pass over the weights instead of many
    return kind(groups, lr=config.lr, weight_decay=config.weight_decay, fused=True)


def batches(rows: Tensor, size: int) -> Iterator[Tensor]:
    """Give the rows in random order, in steps of nearly equal size (so that none holds one row only)."""
    order = rows[torch.randperm(len(rows))]
    yield from order.tensor_split(_steps(rows, size))


def fit_head(
    head: nn.Module,
    data: FitData,
    config: HeadOptions,
    *,
    device: torch.device,
    on_epoch: OnEpoch | None = None,
    inputs: InputSource | None = None,
) -> FitResult:
    """Train a head alone; nothing that its inputs are made of gets a gradient.

    Parameters
    ----------
    head
        Maps (B, width) to (B, tasks); trained in place, moved to ``device``.
    data
        Features, labels and folds.
    config
        Options of the training.
    device
        Where to train.
    on_epoch
        Called after each epoch.
    inputs
        Where the inputs come from; by default those of ``data``.
    """
    head.to(device)
    inputs = inputs or FixedInputs(data.inputs.to(device))
    training = _Training(head, data, config, device, inputs)
    best = Best(config.patience)
    history: list[tuple[float, float]] = []
    for epoch in range(config.epochs):
        loss = training.run_epoch(epoch)
        # without a choice to make, one look at the end is enough
        last = epoch + 1 == config.epochs
        if config.keep != "best" and not last and on_epoch is None:
            continue
        score = training.validate()
        history.append((loss, score))
        if on_epoch is not None:
            on_epoch(epoch + 1, config.epochs, loss, score)
        if config.keep == "best" and best.update(epoch, score, training.modules):
            break
    if config.keep == "best":
        best.restore(training.modules)
        _evaluating(training.modules)
        return FitResult(len(history), best.epoch + 1, best.score, history)
    if training.average is not None:
        head.load_state_dict(training.average.module.state_dict())
        score = training.validate()
    _evaluating(training.modules)
    return FitResult(config.epochs, config.epochs, score, history)


class _Training:
    """A head, what it is trained on, and the state of its optimizer."""

    def __init__(
        self, head: nn.Module, data: FitData, config: HeadOptions, device: torch.device, inputs: InputSource
    ) -> None:
        self.head, self.data, self.config, self.device, self.inputs = head, data, config, device, inputs
        self.optimizer = make_optimizer([{"params": list(head.parameters())}], config)
        self.schedule = _schedule(self.optimizer, data, config)
        self.average = AveragedModel(head, use_buffers=True) if config.keep == "average" else None
        self.averaged_from = config.epochs - math.ceil(config.epochs / 4)
        self.modules = [head, *inputs.moved]
        self.targets = data.targets.to(device)

    def run_epoch(self, epoch: int) -> float:
        """Pass once over the training rows; return their mean loss."""
        self.head.train()
        total = 0.0
        for rows in batches(self.data.train, self.config.batch_size):
            output = self.data.beside_forest(self.head(self.inputs.train(rows)), rows)
            total += len(rows) * self._step(output, rows)
            if self.schedule is not None:
                self.schedule.step()
        if self.average is not None and epoch >= self.averaged_from:
            self.average.update_parameters(self.head)
        return total / len(self.data.train)

    def validate(self) -> float:
        """Return how good the head is on the valid rows: higher is better."""
        rows = self.data.valid
        output = self.data.beside_forest(apply(self.head, self.inputs.evaluate(rows)), rows)
        return self.data.validate(output, self.config.select_by)

    def _step(self, output: Tensor, rows: Tensor) -> float:
        """Take a step down the loss of a batch and return it."""
        loss = masked_loss(
            output,
            self.targets[rows.to(self.device)],
            self.data.kind,
            smoothing=self.config.label_smoothing,
            focal=self.config.focal_gamma,
            bounds=self.data.bounds_of(rows, self.device),
        )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return loss.item()


def _evaluating(modules: list[nn.Module]) -> None:
    for module in modules:
        module.eval()


def _schedule(
    optimizer: torch.optim.Optimizer, data: FitData, config: HeadOptions
) -> torch.optim.lr_scheduler.LRScheduler | None:
    """Return the course of the learning rate by steps; None for a constant one."""
    if config.schedule == "constant":
        return None
    per_epoch = _steps(data.train, config.batch_size)
    if config.schedule == "cosine":
        # it changes between epochs alone, as the authors' does
        return torch.optim.lr_scheduler.LambdaLR(
            optimizer,
            lambda step: learning_rate(step // per_epoch, steps=config.epochs, warmup=0, base=1.0),
        )
    steps = config.epochs * per_epoch
    # one warm-up of a tenth; torch's schedule needs two steps at least
    return torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.lr, total_steps=max(2, steps), pct_start=0.1, cycle_momentum=False
    )


def _steps(rows: Tensor, size: int) -> int:
    return max(1, math.ceil(len(rows) / size))


@torch.inference_mode()
def apply(head: nn.Module, inputs: Tensor, *, batch_size: int = 4096) -> Tensor:
    """Return the head's output for all rows, on the CPU, shape (n, tasks)."""
    head.eval()
    device = next(head.parameters()).device
    parts = [
        head(part.to(device)).cpu()
        for part in torch.tensor_split(inputs, max(1, -(-len(inputs) // batch_size)))
    ]
    return torch.cat(parts) if parts else inputs.new_zeros((0, 1)).cpu()
