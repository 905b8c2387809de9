"""MiniMol's network, as its published weights need it: a GINE of 16 layers with a virtual node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from cytomol.chem.encoders.minimol_graph import MiniMolGraph

__all__ = ["MiniMolNetwork"]

_LAYERS = 16
_READOUT = 2.0  # widths of the model and of the smaller one whose settings it took over (muP)


class MiniMolNetwork:
    """The encoder part of MiniMol, in single precision and without its task heads.

    Parameters
    ----------
    weights
        The package's ``state_dict.pth``.

    Raises
    ------
    KeyError
        If it is not that of MiniMol v1.
    """

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        self._weights = {name.removeprefix("model."): value.float() for name, value in weights.items()}
        self._weights[f"gnn.layers.{_LAYERS - 1}.norm_layer.weight"]

    def embed(self, graphs: Sequence[MiniMolGraph]) -> Tensor:
        """Return the vectors of molecules, shape (n, 512): each feature's largest value over the atoms."""
        sizes = torch.tensor([len(graph.atoms) for graph in graphs])
        molecule = torch.repeat_interleave(torch.arange(len(graphs)), sizes)
        first = np.concatenate([[0], np.cumsum(sizes.numpy())[:-1]])
        source, target = (
            torch.from_numpy(np.concatenate([ends + at for ends, at in zip(side, first, strict=True)]))
            for side in ([g.sources for g in graphs], [g.targets for g in graphs])
        )
        atoms, bonds, eigen, returns = (
            torch.from_numpy(np.concatenate([getattr(graph, name) for graph in graphs]))
            for name in ("atoms", "bonds", "eigen", "returns")
        )
        x = self._perceptron("pre_nn.layers", torch.cat([self._positions(eigen, returns), atoms], dim=1))
        edges = self._perceptron("pre_nn_edges.layers", bonds)
        virtual: Tensor | None = None
        before: Tensor | None = None
        for layer in range(_LAYERS):
            x = self._layer(f"gnn.layers.{layer}", x, edges, source, target)
            if layer == _LAYERS - 1:
                break
            before = x = x if before is None else x + before
            virtual = self._virtual(f"gnn.virtual_node_layers.{layer}", x, virtual, molecule, sizes)
            name = f"gnn.virtual_node_layers.{layer}.node_projection"
            x = x + self._linear(name, virtual / _READOUT)[molecule]
        index = molecule[:, None].expand_as(x)
        lowest = torch.full((len(graphs), x.shape[1]), -torch.inf)
        return lowest.scatter_reduce_(0, index, x, "amax")

    def _virtual(
        self, name: str, x: Tensor, virtual: Tensor | None, molecule: Tensor, sizes: Tensor
    ) -> Tensor:
        """Return the virtual node of each molecule after it has heard of the atoms, shape (n, 336)."""
        pooled = torch.zeros(len(sizes), x.shape[1]).index_add_(0, molecule, x)
        pooled = pooled * (sizes.float().log() / sizes)[:, None]
        heard = pooled if virtual is None else virtual + pooled
        step = self._normed(f"{name}.fc_layer.normalization", self._linear(f"{name}.fc_layer.linear", heard))
        step = functional.gelu(step)
        return step if virtual is None else virtual + step

    def _positions(self, eigen: Tensor, returns: Tensor) -> Tensor:
        """Return what the place of each atom in its graph is encoded as, shape (A, 32)."""
        name = "encoder_manager.pe_encoders.la_pos"
        x = self._linear(f"{name}.linear_in.linear", eigen)
        x = functional.relu(self._linear(f"{name}.pe_encoder.fully_connected.0.linear", x))
        x = self._linear(f"{name}.pe_encoder.fully_connected.1.linear", x).sum(dim=1)
        of_eigen = self._linear(f"{name}.post_mlp.fully_connected.0.linear", x)
        name = "encoder_manager.pe_encoders.rw_pos"
        x = self._normed(f"{name}.pe_encoder.first_normalization", returns)
        of_walks = functional.relu(self._perceptron(f"{name}.pe_encoder.fully_connected", x))
        return of_eigen + of_walks

    def _layer(self, name: str, x: Tensor, edges: Tensor, source: Tensor, target: Tensor) -> Tensor:
        """Pass messages along the bonds once, (A, in) -> (A, out)."""
        message = functional.relu(x[source] + self._linear(f"{name}.model.lin", edges))
        x = (1 + self._weights[f"{name}.model.eps"]) * x + torch.zeros_like(x).index_add_(0, target, message)
        inner = f"{name}.model.nn.fully_connected"
        x = self._normed(f"{inner}.0.normalization", self._linear(f"{inner}.0.linear", x))
        x = self._linear(f"{inner}.1.linear", functional.gelu(x))
        return functional.gelu(self._normed(f"{name}.norm_layer", x))

    def _perceptron(self, name: str, x: Tensor) -> Tensor:
        """Apply two normalised layers, a rectifier between them."""
        x = functional.relu(self._normed(f"{name}.0.normalization", self._linear(f"{name}.0.linear", x)))
        return self._normed(f"{name}.1.normalization", self._linear(f"{name}.1.linear", x))

    def _linear(self, name: str, x: Tensor) -> Tensor:
        return functional.linear(x, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def _normed(self, name: str, x: Tensor) -> Tensor:
        return functional.layer_norm(
            x, x.shape[-1:], self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        )
