"""Inputs of a head from a backbone that stays in training mode, as in the authors' code."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cytomol.learners.head.unfreeze import LiveFeatures

__all__ = ["TrainingModeInputs"]

_EVALUATION_BATCH = 256


@dataclass(frozen=True)
class TrainingModeInputs:
    """Embeds each training batch anew, in training mode and without gradient.

    Dropout acts on the embedding, batch norms use the statistics of the batch, and their running
    statistics move; the weights stay. Other rows are embedded in evaluation mode with the statistics as
    they are by then.

    Attributes
    ----------
    live
        The features; their backbone is changed in place.
    device
        Where to compute.
    """

    live: LiveFeatures
    device: torch.device

    @property
    def moved(self) -> list[nn.Module]:
        """The backbone's module."""
        return [self.live.network]

    @torch.no_grad()
    def train(self, rows: Tensor) -> Tensor:
        """Return the head's input for a training batch, shape (B, width)."""
        self.live.network.train()
        return self.live(rows, self.device)

    @torch.no_grad()
    def evaluate(self, rows: Tensor) -> Tensor:
        """Return the head's input for rows that are only looked at, shape (rows, width)."""
        self.live.network.eval()
        parts = torch.tensor_split(rows, max(1, -(-len(rows) // _EVALUATION_BATCH)))
        return torch.cat([self.live(part, self.device) for part in parts])
