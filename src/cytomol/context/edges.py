"""Lists of undirected weighted edges, and their merging."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Edges", "merge_edges", "symmetric_csr"]


@dataclass(frozen=True)
class Edges:
    """Undirected edges between nodes of the context graph.

    Attributes
    ----------
    source, target
        Nodes, int64, shape (edges,); the order of the two does not matter.
    weight
        Strength in (0, 1], float32, shape (edges,).
    """

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    weight: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.source)

    @classmethod
    def empty(cls) -> Edges:
        """Return a list of no edges."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))

    @classmethod
    def concatenate(cls, parts: Sequence[Edges]) -> Edges:
        """Return the edges of all parts, one after the other."""
        if not parts:
            return cls.empty()
        return cls(
            np.concatenate([part.source for part in parts]),
            np.concatenate([part.target for part in parts]),
            np.concatenate([part.weight for part in parts]),
        )


def merge_edges(edges: Edges, nodes: int) -> Edges:
    """Return the edges with source < target, each once with its largest weight, without self-loops.

    Edges without weight (0) are left out. The result is sorted by (source, target).
    """
    low, high = np.minimum(edges.source, edges.target), np.maximum(edges.source, edges.target)
    keep = (low < high) & (edges.weight > 0)
    key, weight = low[keep] * nodes + high[keep], edges.weight[keep]
    order = np.lexsort((-weight, key))
    key, weight = key[order], weight[order]
    first = np.ones(len(key), bool)
    first[1:] = key[1:] != key[:-1]
    key = key[first]
    return Edges(key // max(nodes, 1), key % max(nodes, 1), weight[first])


def symmetric_csr(
    edges: Edges, nodes: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """Return row pointers, neighbours (rising in each row) and weights of merged edges, both directions."""
    source = np.concatenate([edges.source, edges.target])
    target = np.concatenate([edges.target, edges.source])
    order = np.lexsort((target, source))
    indptr = np.zeros(nodes + 1, np.int64)
    np.cumsum(np.bincount(source, minlength=nodes), out=indptr[1:])
    return indptr, target[order].astype(np.int32), np.tile(edges.weight, 2)[order]
