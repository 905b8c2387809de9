"""The graph encoder on PyTorch Geometric's message passing, one embedding table per categorical column."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn import MessagePassing, global_add_pool

from cytomol.nn.categorical import CategoricalTable
from cytomol.nn.encoder import GraphEncoder

__all__ = ["ReferenceEncoder"]


class _Columns(nn.Module):
    """Sum of one embedding per column, every embedding at a norm of one at most."""

    def __init__(self, sizes: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(size, width, max_norm=1) for size in sizes)

    def forward(self, features: Tensor) -> Tensor:
        total = 0
        for column, table in enumerate(self.tables):
            total = total + table(features[:, column])
        return total

    def copy(self, table: CategoricalTable) -> None:
        for own, part in zip(self.tables, torch.split(table.weight.detach(), list(table.sizes)), strict=True):
            own.weight.data.copy_(part)


class _Convolution(MessagePassing):
    """(1 + eps) x_i + sum over j of relu(x_j + e_ij), then an MLP."""

    def __init__(self, bond_sizes: tuple[int, ...], width: int) -> None:
        super().__init__(aggr="add")
        self.bonds = _Columns(bond_sizes, width)
        self.eps = nn.Parameter(torch.zeros(1))
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.BatchNorm1d(2 * width), nn.ReLU(), nn.Linear(2 * width, width)
        )

    def forward(self, x: Tensor, edge_index: Tensor, edge_attr: Tensor) -> Tensor:
        messages = self.propagate(edge_index, x=x, edge_attr=self.bonds(edge_attr))
        return self.mlp((1 + self.eps) * x + messages)

    def message(self, x_j: Tensor, edge_attr: Tensor) -> Tensor:
        return functional.relu(x_j + edge_attr)


def _virtual_mlp(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(width, 2 * width),
        nn.BatchNorm1d(2 * width),
        nn.ReLU(),
        nn.Linear(2 * width, width),
        nn.BatchNorm1d(width),
        nn.ReLU(),
    )


class ReferenceEncoder(nn.Module):
    """Graph isomorphism network with a virtual node, as published, with the weights of a fast encoder.

    Parameters
    ----------
    encoder
        Encoder whose weights to take; its shared bond table must be zero, as it is at the start.
    """

    def __init__(self, encoder: GraphEncoder) -> None:
        super().__init__()
        if encoder.bonds.weight.detach().abs().max() > 0:
            raise ValueError("the published encoder does not read a shared bond table")
        width, first = encoder.width, encoder.layers[0]
        self.dropout = encoder.dropout.p
        self.atoms = _Columns(encoder.atoms.sizes, width)
        self.convolutions = nn.ModuleList(_Convolution(first.bonds.sizes, width) for _ in encoder.layers)
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in encoder.layers)
        self.virtual = nn.Embedding(1, width)
        self.virtual_mlps = nn.ModuleList(_virtual_mlp(width) for _ in encoder.virtual_mlps)
        self._copy(encoder)

    def _copy(self, encoder: GraphEncoder) -> None:
        self.atoms.copy(encoder.atoms)
        self.virtual.weight.data.copy_(encoder.virtual.detach())
        for own, norm, layer in zip(self.convolutions, self.norms, encoder.layers, strict=True):
            own.bonds.copy(layer.bonds)
            own.eps.data.copy_(layer.eps.detach())
            own.mlp.load_state_dict(layer.mlp.state_dict())
            norm.load_state_dict(layer.norm.state_dict())
        self.virtual_mlps.load_state_dict(encoder.virtual_mlps.state_dict())

    def pairs(self, encoder: GraphEncoder) -> list[tuple[str, nn.Parameter, nn.Parameter]]:
        """Return (name, own weight, the fast encoder's weight) where both have one of the same shape."""
        found = [("virtual", self.virtual.weight, encoder.virtual)]
        for depth, (own, norm, layer) in enumerate(
            zip(self.convolutions, self.norms, encoder.layers, strict=True)
        ):
            found.append((f"{depth}.eps", own.eps, layer.eps))
            for name, weight in own.mlp.named_parameters():
                found.append((f"{depth}.mlp.{name}", weight, dict(layer.mlp.named_parameters())[name]))
            for name, weight in norm.named_parameters():
                found.append((f"{depth}.norm.{name}", weight, dict(layer.norm.named_parameters())[name]))
        theirs = dict(encoder.virtual_mlps.named_parameters())
        for name, weight in self.virtual_mlps.named_parameters():
            found.append((f"virtual.{name}", weight, theirs[name]))
        return found

    def tables(self, encoder: GraphEncoder) -> list[tuple[str, list[nn.Embedding], CategoricalTable]]:
        """Return (name, own tables, the fast encoder's table) of every categorical look-up."""
        found = [("atoms", list(self.atoms.tables), encoder.atoms)]
        for depth, (own, layer) in enumerate(zip(self.convolutions, encoder.layers, strict=True)):
            found.append((f"{depth}.bonds", list(own.bonds.tables), layer.bonds))
        return found

    def forward(self, data: Any) -> Tensor:
        """Encode a batch of data objects: (molecules, width)."""
        v = self.virtual(torch.zeros(data.num_graphs, dtype=torch.int64))
        h = self.atoms(data.x)
        last = len(self.convolutions) - 1
        for depth, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            h = h + v[data.batch]
            update = norm(convolution(h, data.edge_index, data.edge_attr))
            if depth < last:
                update = functional.relu(update)
                pooled = global_add_pool(h, data.batch) + v
                v = v + functional.dropout(self.virtual_mlps[depth](pooled), self.dropout, self.training)
            h = functional.dropout(update, self.dropout, self.training) + h
        return global_add_pool(h, data.batch)
