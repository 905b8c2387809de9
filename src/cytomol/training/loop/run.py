"""A training under way: the method, where it stands, and where it is saved."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from torch import Tensor

from cytomol.artifact.backbone import Backbone
from cytomol.methods import Method
from cytomol.training.loop.state import Checkpoint, RunState, load_checkpoint, save_checkpoint

__all__ = ["Run"]


@dataclass
class Run:
    """A training under way.

    Attributes
    ----------
    out
        Where the model directory will be.
    backbone
        The method with its statistics.
    state
        Where the training stands.
    facts
        What it is trained on; a training may only be resumed with the same.
    optimizer
        Moments to continue with.
    best
        Weights of the best epoch, when early stopping is on.
    """

    out: Path
    backbone: Backbone
    state: RunState
    facts: dict[str, Any]
    optimizer: dict[str, Tensor] = field(default_factory=dict)
    best: dict[str, Tensor] | None = None

    @classmethod
    def saved(cls, out: Path) -> Self:
        """Read the state that a training left beside ``out``."""
        saved = load_checkpoint(out)
        return cls(out, saved.backbone, saved.state, saved.run, saved.optimizer, saved.best)

    def save(self, method: Method, optimizer: dict[str, Tensor]) -> None:
        """Write method and state beside ``out``."""
        backbone = replace(self.backbone, method=method)
        save_checkpoint(self.out, Checkpoint(backbone, self.state, optimizer, self.best, self.facts))
