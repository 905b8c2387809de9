"""What the graph encoder asks of a round of message passing, and the registry of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn

from cytomol.nn.categorical import CategoricalTable
from cytomol.nn.segments import GroupedEdges
from cytomol.registry import Registry

__all__ = ["Convolution", "convolutions"]

convolutions: Registry[type[Convolution]] = Registry("graph encoder")


class Convolution(nn.Module, ABC):
    """A round of message passing, batch norm included, without activation, dropout and residual.

    Parameters
    ----------
    bond_sizes
        Number of categories of each categorical column of bonds.
    width
        d.
    """

    def __init__(self, bond_sizes: Sequence[int], width: int) -> None:
        super().__init__()
        self.bonds = CategoricalTable(bond_sizes, width)

    @abstractmethod
    def forward(self, atoms: Tensor, shared: Tensor, edges: GroupedEdges) -> Tensor:
        """Mix atoms with their neighbours: (atoms, d) -> (atoms, d).

        Parameters
        ----------
        atoms
            h, shape (atoms, d).
        shared
            What all layers add to their embeddings of bonds, one row for each kind, shape (kinds, d).
        edges
            Edges j -> i, each with its kind of bond.
        """

    def kinds(self, shared: Tensor) -> Tensor:
        """Return the embedding of each kind of bond, shape (kinds, d)."""
        return self.bonds.combinations() + shared
