"""A step of pretraining as the rows measure it, and the frozen encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Any

import torch
from benchmarks.gpu.machine import arithmetic, products_in
from torch import nn

from cytomol.methods import Method
from cytomol.nn.batch import GraphBatch
from cytomol.nn.encoder import GraphEncoder
from cytomol.training.dataset.resident import ResidentData

__all__ = ["Step", "compile_layers", "frozen"]


class Step:
    """Batch made on the device, forward, backward, clipped gradient, one fused update.

    Parameters
    ----------
    method
        What is trained; it is moved and changed.
    resident
        What batches are made of.
    draws
        What the host decides of the batches, taken in turn.
    precision
        "float32", "tf32" or "bf16".
    device
        Where.
    """

    def __init__(
        self, method: Method, resident: ResidentData, draws: Sequence[Any], precision: str, device: str
    ) -> None:
        self.method = method.to(device).train()
        self.resident = resident
        self.draws = cycle(draws)
        self.precision = precision
        self.device = device
        self.optimizer = torch.optim.Adam(self.method.parameters(), lr=1e-5, fused=True)

    def __call__(self) -> None:
        """Take a step."""
        batch = self.resident.batch(next(self.draws))
        with products_in(self.precision):
            with arithmetic(self.precision, self.device):
                loss = self.method(batch).loss
            self.optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.method.parameters(), 1.0)
            self.optimizer.step()


def frozen(encoder: GraphEncoder, graph: GraphBatch, precision: str, device: str) -> Callable[[], None]:
    """Return a function that encodes molecules and learns nothing."""

    def work() -> None:
        with torch.no_grad(), arithmetic(precision, device):
            encoder(graph)

    return work


def compile_layers(encoder: GraphEncoder, backend: str) -> None:
    """Let torch compile the layers of an encoder when they are first called."""
    for layer in encoder.layers:
        layer.compile(dynamic=True, backend=backend)
