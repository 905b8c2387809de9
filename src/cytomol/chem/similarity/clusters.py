"""Butina's clusters: the row with most neighbours takes them all, then the next of what is left."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.similarity.bits import common_bits, compiled, threads
from cytomol.chem.similarity.words import as_words, blocks, count_bits
from cytomol.errors import InputError

__all__ = ["butina_clusters"]


@compiled
def _count_neighbours(
    words: NDArray[np.uint64],
    bits: NDArray[np.int64],
    block: tuple[int, int],
    minimum: float,
    neighbours: NDArray[np.int64],
) -> None:
    for i in range(block[0], block[1]):
        for j in range(len(bits)):
            if i != j and min(bits[i], bits[j]) >= minimum * max(bits[i], bits[j]):
                common = common_bits(words, i, words, j)
                if common > 0 and common >= minimum * (bits[i] + bits[j] - common):
                    neighbours[i] += 1


@compiled
def _assign(
    words: NDArray[np.uint64],
    bits: NDArray[np.int64],
    order: NDArray[np.int64],
    minimum: float,
    clusters: NDArray[np.int64],
) -> int:
    made = 0
    for i in order:
        if clusters[i] >= 0:
            continue
        clusters[i] = made
        for j in range(len(bits)):
            if clusters[j] < 0 and min(bits[i], bits[j]) >= minimum * max(bits[i], bits[j]):
                common = common_bits(words, i, words, j)
                if common > 0 and common >= minimum * (bits[i] + bits[j] - common):
                    clusters[j] = made
        made += 1
    return made


def butina_clusters(packed: NDArray[np.uint8], minimum: float) -> NDArray[np.int64]:
    """Cluster rows: each cluster is a row and those that are similar to it and still free.

    The time grows with the square of the rows, the memory does not.

    Parameters
    ----------
    packed
        Packed fingerprints, uint8, shape (n, bits / 8). A row without a set bit is a cluster of its own.
    minimum
        Tanimoto similarity to the centre from which a row belongs to it, in (0, 1].

    Returns
    -------
    numpy.ndarray
        Number of the cluster of every row, from 0 in the order in which they were made, int64, shape (n,).

    References
    ----------
    Butina, J. Chem. Inf. Comput. Sci. 39, 747 (1999).
    """
    if not 0 < minimum <= 1:
        raise InputError(f"minimum similarity {minimum} asked for", hint="it must lie in (0, 1]")
    words = as_words(packed)
    bits = count_bits(words)
    neighbours = np.zeros(len(words), np.int64)
    with ThreadPoolExecutor(threads()) as pool:
        list(
            pool.map(
                lambda block: _count_neighbours(words, bits, block, minimum, neighbours), blocks(len(words))
            )
        )
    clusters = np.full(len(words), -1, np.int64)
    _assign(words, bits, np.argsort(-neighbours, kind="stable"), minimum, clusters)
    return clusters
