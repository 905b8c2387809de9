"""From a view or a profile to the common space."""

from __future__ import annotations

from torch import Tensor, nn

from cytomol.nn.linear import Linear

__all__ = ["Projector"]


class Projector(nn.Sequential):
    """p = SiLU(W LN(x) + b): (n, inputs) -> (n, width).

    References
    ----------
    Li et al., "Learning Cell-Aware Hierarchical Multi-Modal Representations", arXiv 2511.21120.
    """

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__(nn.LayerNorm(inputs), Linear(inputs, width), nn.SiLU())

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's own name
        """Project rows, (n, inputs) -> (n, width)."""
        projected: Tensor = super().forward(input)  # type: ignore[no-untyped-call]
        return projected
