"""Lists of undirected weighted edges, and their merging."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.similarity import distinct_pairs
from cytomol.chem.similarity.bits import compiled
from cytomol.chem.similarity.pair_lists import PairPart

__all__ = ["Edges", "merge_edges", "symmetric_csr"]


@dataclass(frozen=True)
class Edges:
    """Undirected edges between nodes of the context graph.

    Attributes
    ----------
    source, target
        Nodes, int32 or int64, shape (edges,); the order of the two does not matter.
    weight
        Strength in (0, 1], float32, shape (edges,).
    """

    source: NDArray[np.signedinteger[Any]]
    target: NDArray[np.signedinteger[Any]]
    weight: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.source)

    @classmethod
    def empty(cls) -> Edges:
        """Return a list of no edges."""
        return cls(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32))

    @classmethod
    def concatenate(cls, parts: Sequence[Edges]) -> Edges:
        """Return the edges of all parts, one after the other."""
        if not parts:
            return cls.empty()
        if len(parts) == 1:
            return parts[0]
        return cls(
            np.concatenate([part.source for part in parts]),
            np.concatenate([part.target for part in parts]),
            np.concatenate([part.weight for part in parts]),
        )


def merge_edges(parts: Sequence[Edges], nodes: int) -> Edges:
    """Return the edges of all parts with source < target, each once with its largest weight.

    Self-loops and edges without weight (0) are left out. The result is sorted by (source, target), its nodes
    are int32.
    """
    low, high, weight = distinct_pairs([_usable(part) for part in parts], nodes, "largest")
    return Edges(low, high, weight)


def _usable(edges: Edges) -> PairPart:
    """Return the ends and weights of the edges that are no loops and have a weight."""
    keep = (edges.source != edges.target) & (edges.weight > 0)
    if keep.all():
        return edges.source, edges.target, edges.weight
    return edges.source[keep], edges.target[keep], edges.weight[keep]


def symmetric_csr(
    edges: Edges, nodes: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """Return row pointers, neighbours (rising in each row) and weights of merged edges, both directions."""
    source, target = (np.ascontiguousarray(end, np.int32) for end in (edges.source, edges.target))
    indptr = np.zeros(nodes + 1, np.int64)
    _count_ends(source, target, indptr)
    np.cumsum(indptr, out=indptr)
    indices, weights = np.empty(2 * len(edges), np.int32), np.empty(2 * len(edges), np.float32)
    _both_directions((source, target, edges.weight), indptr[:-1].copy(), indices, weights)
    return indptr, indices, weights


@compiled
def _count_ends(source: NDArray[np.int32], target: NDArray[np.int32], indptr: NDArray[np.int64]) -> None:
    """Count the neighbours of each node at the place after it."""
    for k in range(len(source)):
        indptr[source[k] + 1] += 1
        indptr[target[k] + 1] += 1


@compiled
def _both_directions(
    edges: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]],
    place: NDArray[np.int64],
    indices: NDArray[np.int32],
    weights: NDArray[np.float32],
) -> None:
    """Fill the rows of both ends of sorted edges: lower neighbours first, then higher ones, both rising."""
    source, target, weight = edges
    for k in range(len(source)):
        row = target[k]
        indices[place[row]], weights[place[row]] = source[k], weight[k]
        place[row] += 1
    for k in range(len(source)):
        row = source[k]
        indices[place[row]], weights[place[row]] = target[k], weight[k]
        place[row] += 1
