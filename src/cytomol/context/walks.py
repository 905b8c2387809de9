"""Random walks on the context graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cytomol.context.graph import ContextGraph
from cytomol.counted import counted
from cytomol.errors import InputError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["follow_walks", "sample_walks", "transition_matrix"]


def sample_walks(
    graph: ContextGraph, starts: NDArray[np.int64], length: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Sample one walk from each start: every step goes to a neighbour, all equally likely.

    InfoAlign (Liu et al., ICLR 2025), section 3.2: the nodes of a walk are what the code of its start
    should be sufficient for, each weighted by the product of the edge weights on the way to it.

    Parameters
    ----------
    graph
        Context graph.
    starts
        First node of each walk, int64, shape (B,).
    length
        Steps, L.
    rng
        Source of randomness; equal states give equal walks.

    Returns
    -------
    nodes
        Visited nodes, int64, shape (B, L + 1); column 0 holds the starts.
    weights
        Path weights, float32, shape (B, L + 1); column 0 is 1. A walk at a node without neighbours stays
        there, with weight 0.

    Raises
    ------
    InputError
        If a start is no node of the graph, or the length is negative.
    """
    starts = np.asarray(starts, np.int64)
    if length < 0:
        raise InputError(f"cannot walk {length} steps", hint="the length must be at least 0")
    if len(starts) and not (starts.min() >= 0 and starts.max() < graph.node_count):
        nodes = counted(graph.node_count, "node", comma=False)
        raise InputError(f"walks start outside the graph of {nodes}")
    return follow_walks(graph, starts, rng.random((length, len(starts))))


def follow_walks(
    graph: ContextGraph, starts: NDArray[np.int64], draws: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the walks that random numbers decide; as :func:`sample_walks`, which draws them.

    Parameters
    ----------
    graph
        Context graph.
    starts
        First node of each walk, int64, shape (B,).
    draws
        Numbers in [0, 1) that choose among neighbours, float64, shape (L, B).
    """
    length = len(draws)
    nodes = np.empty((len(starts), length + 1), np.int64)
    weights = np.empty((len(starts), length + 1), np.float32)
    nodes[:, 0], weights[:, 0] = starts, 1
    for step in range(length):
        here = nodes[:, step]
        first = graph.indptr[here]
        degree = graph.indptr[here + 1] - first
        moves = np.flatnonzero(degree)
        edge = first[moves] + (draws[step, moves] * degree[moves]).astype(np.int64)
        nodes[:, step + 1], weights[:, step + 1] = here, 0
        nodes[moves, step + 1] = graph.indices[edge]
        weights[moves, step + 1] = weights[moves, step] * graph.weights[edge]
    return nodes, weights


def transition_matrix(graph: ContextGraph) -> csr_matrix:
    """Return the probabilities of one step of a walk, sparse, shape (nodes, nodes); rows sum to 1."""
    from scipy.sparse import csr_matrix

    degree = graph.degree()
    n = graph.node_count
    moves = csr_matrix(
        (np.repeat(1.0 / np.maximum(degree, 1), degree), graph.indices, graph.indptr), shape=(n, n)
    )
    alone = np.flatnonzero(degree == 0)
    stays = csr_matrix((np.ones(len(alone)), (alone, alone)), shape=(n, n))
    return csr_matrix(moves + stays)
