"""The graph of a molecule without some atoms: their nodes and bonds are gone, the others stay as they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.store import MoleculeStore

__all__ = ["GraphRows", "masked_graph", "no_graph"]


@dataclass(frozen=True)
class GraphRows:
    """Flat arrays of some graphs.

    Attributes
    ----------
    atoms, edges, edge_features
        As in :class:`~cytomol.chem.store.MoleculeStore`.
    atom_counts, edge_counts
        Of each graph, int64, shape (rows,).
    """

    atoms: NDArray[np.uint8]
    edges: NDArray[np.int32]
    edge_features: NDArray[np.uint8]
    atom_counts: NDArray[np.int64]
    edge_counts: NDArray[np.int64]


def masked_graph(store: MoleculeStore, row: int, masks: NDArray[np.bool_]) -> GraphRows:
    """Return the graph of a molecule without the masked atoms, once for each mask.

    The atoms that are left keep their features: a carbon that was bonded to three atoms still says so.

    Parameters
    ----------
    store, row
        The molecule.
    masks
        Masked atoms of each graph, bool, shape (graphs, atoms).
    """
    first, last = store.atom_offsets[row], store.atom_offsets[row + 1]
    begin, end = store.edge_offsets[row], store.edge_offsets[row + 1]
    atoms, edges, kinds = (
        store.atoms[first:last],
        store.edges[:, begin:end],
        store.edge_features[begin:end],
    )
    kept = ~masks
    number = np.cumsum(kept, axis=1) - 1
    both = kept[:, edges[0]] & kept[:, edges[1]]
    graph, edge = np.nonzero(both)
    return GraphRows(
        atoms=atoms[np.nonzero(kept)[1]],
        edges=np.stack([number[graph, edges[0, edge]], number[graph, edges[1, edge]]]).astype(np.int32),
        edge_features=kinds[edge],
        atom_counts=kept.sum(axis=1),
        edge_counts=both.sum(axis=1),
    )


def no_graph(rows: int, store: MoleculeStore) -> GraphRows:
    """Return graphs without atoms."""
    nothing = np.zeros(rows, np.int64)
    return GraphRows(store.atoms[:0], store.edges[:, :0], store.edge_features[:0], nothing, nothing)
