"""Graph convolution: one linear map, and neighbours weighted by the degrees of both ends."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from cytomol.nn.convolution import Convolution, convolutions
from cytomol.nn.linear import Linear
from cytomol.nn.norm import BatchNorm
from cytomol.nn.segments import GroupedEdges, spread, total

__all__ = ["GCNLayer"]


@convolutions.register("gcn")
class GCNLayer(Convolution):
    """Graph convolution with bond features, as in OGB's baselines for molecules.

    With x = W h + b and n_i = 1 + the number of edges i -> j:
    h_i' = BN(sum over j -> i of (n_i n_j)^-1/2 relu(x_j + e_ji) + relu(x_i + r) / n_i).
    The root embedding r stands where an atom has no bond to itself.

    References
    ----------
    Kipf and Welling, "Semi-Supervised Classification with Graph Convolutional Networks", ICLR 2017; Hu et
    al., "Open Graph Benchmark", NeurIPS 2020.
    """

    def __init__(self, bond_sizes: Sequence[int], width: int) -> None:
        super().__init__(bond_sizes, width)
        self.linear = Linear(width, width)
        self.root = nn.Parameter(torch.empty(1, width).normal_())
        self.norm = BatchNorm(width)

    def forward(self, atoms: Tensor, shared: Tensor, edges: GroupedEdges) -> Tensor:
        """Mix atoms with their neighbours: (atoms, d) -> (atoms, d); see ``Convolution``."""
        rows = self.linear(atoms)
        degree = edges.sources.sum(atoms.new_ones(len(edges.sources.index), 1)) + 1
        scale = degree.rsqrt().to(rows.dtype)
        table = self.kinds(shared).to(rows.dtype)  # autocast leaves a table in float32
        messages = functional.relu(spread(rows, edges.sources) + spread(table, edges.bonds))
        # a target's own factor is the same for all that reaches it: after the sum is soon enough
        received = scale * total(messages * scale[edges.sources.index], edges.targets)
        mixed: Tensor = self.norm(received + functional.relu(rows + self.root) / degree)
        return mixed
