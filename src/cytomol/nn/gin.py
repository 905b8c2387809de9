"""Graph isomorphism: neighbours are added up, and a perceptron reads the sum."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cytomol.nn.convolution import Convolution, convolutions
from cytomol.nn.linear import Linear
from cytomol.nn.norm import BatchNorm
from cytomol.nn.segments import GroupedEdges, message_sum

__all__ = ["GINLayer"]


@convolutions.register("gin")
class GINLayer(Convolution):
    """h_i' = BN(MLP((1 + eps) h_i + sum over j -> i of relu(h_j + e_ji))), MLP: d - 2d - d."""

    def __init__(self, bond_sizes: Sequence[int], width: int) -> None:
        super().__init__(bond_sizes, width)
        self.eps = nn.Parameter(torch.zeros(1))
        self.mlp = nn.Sequential(
            Linear(width, 2 * width),
            BatchNorm(2 * width),
            nn.ReLU(inplace=True),
            Linear(2 * width, width),
        )
        self.norm = BatchNorm(width)

    def forward(self, atoms: Tensor, shared: Tensor, edges: GroupedEdges) -> Tensor:
        """Mix atoms with their neighbours: (atoms, d) -> (atoms, d); see ``Convolution``."""
        messages = message_sum(atoms, self.kinds(shared), edges)
        mixed: Tensor = self.norm(self.mlp(torch.addcmul(messages, atoms, 1 + self.eps)))
        return mixed
