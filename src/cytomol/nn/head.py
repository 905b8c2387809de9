"""From a frozen representation to the tasks of an assay table."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from cytomol.nn.dropout import Dropout
from cytomol.nn.linear import Linear
from cytomol.nn.norm import BatchNorm

__all__ = ["PropertyHead"]


class PropertyHead(nn.Sequential):
    """Perceptron with one output a task: (n, inputs) -> (n, tasks).

    Each hidden layer is linear, normalisation, GELU, dropout.

    Parameters
    ----------
    inputs
        Width of the representation.
    tasks
        Number of outputs.
    hidden
        Width of the hidden layers (1200 in InfoAlign; 1200 to 2400 in CHMR).
    layers
        Number of hidden layers.
    dropout
        Dropout of the hidden layers.
    norm
        "batch" (InfoAlign; CHMR on bace, hiv and sider), "layer" (CHMR) or "none".
    """

    def __init__(
        self,
        inputs: int,
        tasks: int,
        *,
        hidden: int = 1200,
        layers: int = 1,
        dropout: float = 0.5,
        norm: Literal["batch", "layer", "none"] = "batch",
    ) -> None:
        norms = {"batch": BatchNorm, "layer": nn.LayerNorm, "none": nn.Identity}
        stack: list[nn.Module] = []
        for _ in range(layers):
            stack += [Linear(inputs, hidden), norms[norm](hidden), nn.GELU(), Dropout(dropout)]
            inputs = hidden
        super().__init__(*stack, Linear(inputs, tasks))

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's own name
        """Return logits or values, (n, inputs) -> (n, tasks)."""
        output: Tensor = super().forward(input)  # type: ignore[no-untyped-call]
        return output
