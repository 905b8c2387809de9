"""The 2D view: a graph isomorphism network with edge features and a virtual node."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import prod
from typing import Any, Literal, Self, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from cytomol.nn.batch import GraphBatch
from cytomol.nn.dropout import Dropout
from cytomol.nn.fused import Folded, FusedGraph, fits, gather, perceive, stamp
from cytomol.nn.linear import Linear
from cytomol.nn.norm import BatchNorm
from cytomol.nn.segments import Edges, Groups, group_rows, message_sum, spread, total

__all__ = ["CategoricalTable", "GraphEncoder"]


class CategoricalTable(nn.Module):
    """Sum of one embedding per categorical column, e = sum over columns k of T_k[x_k].

    All columns share one table. Rows are kept at a norm of one at most, as in the published encoder.

    Parameters
    ----------
    sizes
        Number of categories of each column.
    width
        Width of the embedding, d.
    """

    offsets: Tensor

    def __init__(self, sizes: Sequence[int], width: int) -> None:
        super().__init__()
        self.sizes = tuple(sizes)
        self.weight = nn.Parameter(torch.empty(sum(sizes), width))
        self.register_buffer("offsets", torch.tensor([0, *accumulate(sizes)][:-1]), persistent=False)
        for part in torch.split(self.weight.detach(), list(sizes)):
            nn.init.xavier_uniform_(part)

    def bounded(self) -> Tensor:
        """Return the table, its rows shortened in place to a norm of one at most."""
        # .data, so that autograd does not see a change: the table is shortened before it is read
        self.weight.data.renorm_(2, 0, 1.0)
        return self.weight

    def forward(self, features: Tensor) -> Tensor:
        """Embed categorical features, int64, shape (n, columns), as (n, d)."""
        if len(features) == 0:
            return self.weight.new_zeros(0, self.weight.shape[1])
        if features.device.type != "cpu" or prod(self.sizes) >= 2**62:
            return self._embed(features)
        # molecules repeat few kinds of atoms: embed each kind once, then look it up
        kinds, kind = torch.unique(self.code(features), return_inverse=True)
        example = torch.empty_like(kinds).scatter_(0, kind, torch.arange(len(kind)))
        return spread(self._embed(features[example]), group_rows(kind, len(kinds), ordered=False))

    def _embed(self, features: Tensor) -> Tensor:
        return functional.embedding_bag(features + self.offsets, self.bounded(), mode="sum")

    def combinations(self) -> Tensor:
        """Embed every combination of categories, shape (product of sizes, d); see ``code``."""
        table = self.weight.new_zeros(1, self.weight.shape[1])
        for part in torch.split(self.bounded(), list(self.sizes)):
            table = (table[:, None, :] + part).flatten(0, 1)
        return table

    def code(self, features: Tensor) -> Tensor:
        """Return the row in ``combinations`` of each row of features, int64, shape (n,)."""
        code = features.new_zeros(len(features))
        for column, size in enumerate(self.sizes):
            code = code * size + features[:, column]
        return code


class _Layer(nn.Module):
    """h_i' = BN(MLP((1 + eps) h_i + sum over j -> i of relu(h_j + e_ji))), MLP: d - 2d - d."""

    def __init__(self, bond_sizes: Sequence[int], width: int) -> None:
        super().__init__()
        self.bonds = CategoricalTable(bond_sizes, width)
        self.eps = nn.Parameter(torch.zeros(1))
        self.mlp = nn.Sequential(
            Linear(width, 2 * width),
            BatchNorm(2 * width),
            nn.ReLU(inplace=True),
            Linear(2 * width, width),
        )
        self.norm = BatchNorm(width)

    def forward(self, atoms: Tensor, shared: Tensor, edges: Edges) -> Tensor:
        messages = message_sum(atoms, self.kinds(shared), edges)
        mixed: Tensor = self.norm(self.mlp(torch.addcmul(messages, atoms, 1 + self.eps)))
        return mixed

    def kinds(self, shared: Tensor) -> Tensor:
        """Return the embedding of each kind of bond, shape (kinds, d)."""
        return self.bonds.combinations() + shared


def _virtual_mlp(width: int) -> nn.Sequential:
    return nn.Sequential(
        Linear(width, 2 * width),
        BatchNorm(2 * width),
        nn.ReLU(inplace=True),
        Linear(2 * width, width),
        BatchNorm(width),
        nn.ReLU(inplace=True),
    )


class GraphEncoder(nn.Module):
    """Graph isomorphism network with bond features, virtual node and residual connections.

    Layer l: h ← h + v[molecule]; h' = dropout(relu(BN(MLP((1 + eps) h + messages)))) + h, without the
    relu in the last layer; the virtual node adds up its molecule's atoms, v ← v + dropout(MLP(sum h + v)).
    The molecule is the sum of its atoms after the last layer. A molecule without atoms is a row of
    zeros.

    Parameters
    ----------
    atom_sizes, bond_sizes
        Number of categories of each categorical column of atoms and bonds.
    width
        d.
    layers
        Rounds of message passing.
    dropout
        Dropout after each round, and of the virtual node's update.
    virtual_node
        Give every molecule a virtual node.
    readout
        How atoms make a molecule: "sum" or "mean".

    Notes
    -----
    The published encoder holds one bond table more than its layers have, and never reads it. Here
    that table is used: every layer adds it to its own. It starts at zero, so the functions that can
    be learned, the number of parameters and the first forward pass are those of the published one.

    References
    ----------
    Liu et al., "Learning Molecular Representation in a Cell", ICLR 2025, arXiv 2406.12056.
    """

    def __init__(
        self,
        atom_sizes: Sequence[int],
        bond_sizes: Sequence[int],
        *,
        width: int = 300,
        layers: int = 5,
        dropout: float = 0.5,
        virtual_node: bool = True,
        readout: Literal["sum", "mean"] = "sum",
    ) -> None:
        super().__init__()
        self._folded: tuple[Any, list[Folded], list[Folded]] | None = None
        self.width = width
        self.readout = readout
        self.atoms = CategoricalTable(atom_sizes, width)
        self.bonds = CategoricalTable(bond_sizes, width)
        nn.init.zeros_(self.bonds.weight)
        self.layers = nn.ModuleList(_Layer(bond_sizes, width) for _ in range(layers))
        self.dropout = Dropout(dropout)
        self.virtual = nn.Parameter(torch.zeros(1, width)) if virtual_node else None
        self.virtual_mlps = nn.ModuleList(
            _virtual_mlp(width) for _ in range(layers - 1 if virtual_node else 0)
        )

    def forward(self, graph: GraphBatch) -> Tensor:
        """Encode molecules: ``graph`` -> (graph.size, width)."""
        molecules = group_rows(graph.molecule, graph.size, ordered=True)
        h = self.atoms(graph.atoms)
        if self.virtual is not None and fits(h):
            if self.training:
                return self._pool(self._trained(h, graph), molecules)
            if not torch.is_grad_enabled():
                return self._pool(self._frozen(h, graph), molecules)
        return self._pool(self._plain(h, graph, molecules), molecules)

    def _plain(self, h: Tensor, graph: GraphBatch, molecules: Groups) -> Tensor:
        """Pass messages with torch's own operations, on any device and in any arithmetic."""
        shared = self.bonds.combinations()
        edges = Edges(
            group_rows(graph.edge_index[0], len(graph.atoms), ordered=False),
            group_rows(graph.edge_index[1], len(graph.atoms), ordered=True),
            group_rows(self.bonds.code(graph.edge_features), len(shared), ordered=False),
        )
        v = None if self.virtual is None else self.virtual.expand(graph.size, -1)
        for depth, layer in enumerate(self.layers):
            last = depth == len(self.layers) - 1
            if v is not None:
                h = h + spread(v, molecules)
            update = layer(h, shared, edges)
            if v is not None and not last:
                v = v + self.dropout(self.virtual_mlps[depth](total(h, molecules) + v))
            h = h + self.dropout(update if last else functional.relu(update, inplace=True))
        return h

    def _layers(self) -> list[_Layer]:
        return cast("list[_Layer]", list(self.layers))

    def _fused(self, graph: GraphBatch) -> FusedGraph:
        bonds = self.bonds.code(graph.edge_features)
        return FusedGraph.build(graph.molecule, graph.edge_index, bonds, graph.size)

    def _trained(self, h: Tensor, graph: GraphBatch) -> Tensor:
        """Pass messages with the fused functions, in training on a CPU."""
        assert self.virtual is not None
        shared, fused = self.bonds.combinations(), self._fused(graph)
        v = self.virtual.expand(graph.size, -1)
        for depth, layer in enumerate(self._layers()):
            last = depth == len(self.layers) - 1
            lifted, mixed, pooled = gather(h, v, layer.kinds(shared), layer.eps, fused)
            if not last:
                v = v + self.dropout(self.virtual_mlps[depth](pooled + v))
            h = perceive(mixed, lifted, layer.mlp, layer.norm, self.dropout, rectified=not last)
        return h

    def _frozen(self, h: Tensor, graph: GraphBatch) -> Tensor:
        """Pass messages with the fused functions, in evaluation on a CPU."""
        assert self.virtual is not None
        shared, fused = self.bonds.combinations(), self._fused(graph)
        layers = self._layers()
        tables = [layer.kinds(shared) for layer in layers]
        folded, virtual = self._fold()
        v = self.virtual.expand(graph.size, -1)
        for depth, (layer, table) in enumerate(zip(layers, tables, strict=True)):
            last = depth == len(layers) - 1
            lifted, mixed, pooled = gather(h, v, table, layer.eps, fused)
            if not last:
                v = v + virtual[depth].rectified(pooled + v)
            h = folded[depth].perceive(mixed, lifted, rectified=not last)
        return h

    def _fold(self) -> tuple[list[Folded], list[Folded]]:
        """Return the folded layers and virtual nodes, made anew when a weight has changed."""
        now = stamp(self)
        if self._folded is None or self._folded[0] != now:
            mlps = [cast("nn.Sequential", mlp) for mlp in self.virtual_mlps]
            layers = [Folded.build(layer.mlp, layer.norm) for layer in self._layers()]
            self._folded = now, layers, [Folded.build(mlp, mlp[4]) for mlp in mlps]
        return self._folded[1:]

    def train(self, mode: bool = True) -> Self:
        """Switch between training and evaluation; what was folded for evaluation is forgotten."""
        self._folded = None
        return super().train(mode)

    def _pool(self, atoms: Tensor, molecules: Groups) -> Tensor:
        """Sum or average the atoms of each molecule: (atoms, d) -> (molecules, d)."""
        pooled = total(atoms, molecules)
        if self.readout == "mean":
            ones = atoms.new_ones(len(atoms), 1)
            pooled = pooled / molecules.sum(ones).clamp(min=1)
        return pooled
