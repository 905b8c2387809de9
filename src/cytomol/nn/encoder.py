"""The 2D view: message passing over atoms, with bond features and a virtual node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Self, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from cytomol.nn import gcn  # noqa: F401 - importing registers it
from cytomol.nn.batch import GraphBatch
from cytomol.nn.categorical import CategoricalTable
from cytomol.nn.choice import can_be_fused
from cytomol.nn.convolution import convolutions
from cytomol.nn.dropout import Dropout
from cytomol.nn.fused import Folded, FusedGraph, gather, perceive, stamp
from cytomol.nn.gin import GINLayer
from cytomol.nn.graph_readout import readouts
from cytomol.nn.linear import Linear
from cytomol.nn.norm import BatchNorm
from cytomol.nn.segments import GroupedEdges, Groups, Kinds, group_rows, spread, total
from cytomol.nn.together import place

__all__ = ["GraphEncoder"]


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
    """Message passing over atoms with bond features, virtual node and residual connections.

    Layer l: h ← h + v[molecule]; h' = dropout(relu(convolution(h))) + h, without the relu in the last layer;
    the virtual node adds up its molecule's atoms, v ← v + dropout(MLP(sum h + v)). The molecule is the sum of
    its atoms after the last layer, or their mean or largest entries. A molecule without atoms is a row of
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
    convolution
        A layer's message passing: "gin", graph isomorphism (:class:`~cytomol.nn.gin.GINLayer`), or "gcn",
        graph convolution (:class:`~cytomol.nn.gcn.GCNLayer`).
    readout
        How atoms make a molecule: "sum", "mean" or "max".

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
        convolution: Literal["gin", "gcn"] = "gin",
        readout: Literal["sum", "mean", "max"] = "sum",
    ) -> None:
        super().__init__()
        self._folded: tuple[Any, list[Folded], list[Folded]] | None = None
        self.width = width
        self.convolution = convolution
        self.readout = readout
        self.atoms = CategoricalTable(atom_sizes, width)
        self.bonds = CategoricalTable(bond_sizes, width)
        nn.init.zeros_(self.bonds.weight)
        layer = convolutions[convolution]
        self.layers = nn.ModuleList(layer(bond_sizes, width) for _ in range(layers))
        self.dropout = Dropout(dropout)
        self.virtual = nn.Parameter(torch.zeros(1, width)) if virtual_node else None
        self.virtual_mlps = nn.ModuleList(
            _virtual_mlp(width) for _ in range(layers - 1 if virtual_node else 0)
        )

    def forward(self, graph: GraphBatch) -> Tensor:
        """Encode molecules: ``graph`` -> (graph.size, width)."""
        molecules = group_rows(graph.molecule, graph.size, ordered=True)
        h = self.atoms(graph.atoms)
        # processes that train together go the same way, as one with all their atoms would
        atoms = place(len(h))[1] if self.training else len(h)
        if self.convolution == "gin" and self.virtual is not None and can_be_fused(h, atoms):
            if self.training:
                return self._pool(self._trained(h, graph), molecules)
            if not torch.is_grad_enabled():
                return self._pool(self._frozen(h, graph), molecules)
        return self._pool(self._plain(h, graph, molecules), molecules)

    def _plain(self, h: Tensor, graph: GraphBatch, molecules: Groups) -> Tensor:
        """Pass messages with torch's own operations, on any device and in any arithmetic."""
        shared = self.bonds.combinations()
        edges = GroupedEdges(
            group_rows(graph.edge_index[0], len(graph.atoms), order=graph.by_source),
            group_rows(graph.edge_index[1], len(graph.atoms), ordered=True),
            Kinds(self.bonds.code(graph.edge_features), len(shared)),
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

    def _layers(self) -> list[GINLayer]:
        """Return the layers that the fused functions know."""
        return cast("list[GINLayer]", list(self.layers))

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
        """Read molecules out of their atoms: (atoms, d) -> (molecules, d)."""
        return readouts[self.readout](atoms, molecules)
