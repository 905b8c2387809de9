"""Training of a head's members, one after the other; answering does without this module and without torch."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from cytomol.errors import ConfigError
from cytomol.learners.base import Learning, Matrix
from cytomol.learners.feature_scaling import ColumnScaler
from cytomol.learners.head.fit import FitData, FitResult, OnEpoch, fit_head, seeded
from cytomol.learners.head.named_heads import build_head
from cytomol.learners.head.options import HeadOptions
from cytomol.learners.head.training_mode import TrainingModeInputs
from cytomol.learners.head.unfreeze import LiveFeatures, fit_unfrozen
from cytomol.nn.head import PropertyHead

__all__ = ["train_members"]


def train_members(
    options: HeadOptions,
    inputs: Matrix,
    learning: Learning,
    *,
    center: NDArray[np.float64],
    scale: NDArray[np.float64],
    probability: NDArray[np.float64] | None = None,
    moving: tuple[ColumnScaler | None, Matrix] | None = None,
) -> tuple[list[PropertyHead], list[FitResult]]:
    """Train heads, each from its own seed; return them on the CPU, and what the training of each did.

    Parameters
    ----------
    options
        How heads are built and trained.
    inputs
        Scaled features of all rows, shape (n, width).
    learning
        Labels, folds, seed and device; its backbone is changed in place where the options ask for that.
    center, scale
        (label - center) / scale is what a head learns, shape (tasks,).
    probability
        Of a forest beside the heads, shape (n, tasks).
    moving
        Where the backbone changes: how its embedding is scaled, and the other features, scaled.
    """
    units = np.ones(learning.labels.shape[1]) if learning.scale is None else learning.scale
    measured = ~np.isnan(learning.labels).all(axis=1)
    data = FitData(
        inputs=torch.from_numpy(inputs),
        targets=torch.from_numpy(((learning.labels - center) / scale).astype(np.float32)),
        train=torch.from_numpy(np.flatnonzero(learning.train & measured)),
        valid=torch.from_numpy(np.flatnonzero(learning.valid & measured)),
        kind=learning.kind,
        metric=learning.metric,
        scale=scale * units,
        forest=None if probability is None else torch.from_numpy(probability.astype(np.float32)),
        forest_gamma=options.forest_gamma,
        bounds=None if learning.bounds is None else torch.from_numpy(learning.bounds),
    )
    live = None
    if moving is not None:
        assert learning.live is not None
        live = LiveFeatures(learning.live, moving[0], torch.from_numpy(moving[1]))
    device = _device_of(learning.accelerator)
    heads, fits = [], []
    for member in range(options.ensemble):
        with seeded(learning.seed + member, learning.threads):
            head = build_head(options, data.inputs.shape[1], data.targets.shape[1], kind=learning.kind)
            told = _told(learning, options, member)
            fits.append(_fit_one(head, data, options, device=device, live=live, on_epoch=told))
        heads.append(head.cpu())
    return heads, fits


def _fit_one(
    head: PropertyHead,
    data: FitData,
    options: HeadOptions,
    *,
    device: torch.device,
    live: LiveFeatures | None,
    on_epoch: OnEpoch,
) -> FitResult:
    """Train a head: on features that stay, with its backbone, or on one that stays in training mode."""
    if live is None:
        return fit_head(head, data, options, device=device, on_epoch=on_epoch)
    if options.unfreeze != "none":
        fit = fit_unfrozen(head, live, data, options, device=device, on_epoch=on_epoch)
    else:
        live.network.to(device)
        inputs = TrainingModeInputs(live, device)
        fit = fit_head(head, data, options, device=device, on_epoch=on_epoch, inputs=inputs)
    live.network.cpu()
    return fit


def _told(learning: Learning, options: HeadOptions, member: int) -> OnEpoch:
    """Return what is called after each epoch of a member."""

    def on_epoch(epoch: int, epochs: int, loss: float, score: float) -> None:
        which = f"head {member + 1} of {options.ensemble}: " if options.ensemble > 1 else ""
        text = f"{which}loss {loss:.4f}, valid {learning.metric} {abs(score):.4g}"
        learning.step(member * epochs + epoch, options.ensemble * epochs, text)

    return on_epoch


def _device_of(accelerator: str) -> torch.device:
    """Return where networks are trained.

    Raises
    ------
    ConfigError
        If a device is asked for that is not there.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(accelerator, True):
        raise ConfigError(
            f"there is no {accelerator.upper()} device", where="accelerator", hint="use auto or cpu"
        )
    if accelerator == "auto":
        accelerator = "cuda" if there["cuda"] else "cpu"
    return torch.device(accelerator)
