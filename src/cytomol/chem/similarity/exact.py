"""Exact Tanimoto similarity between packed fingerprints: nearest neighbours, pairs, histogram.

Every function compares all pairs with integer popcounts on 64-bit words. Rows are visited in the order
of their number of set bits, because min(a, b) / max(a, b) bounds the similarity of rows with a and b bits
(Swamidass & Baldi, J. Chem. Inf. Model. 2007, 47, 302): whole ranges that cannot reach the wanted
similarity are skipped, and the result stays exact. A row without a set bit is similar to nothing, not
even to another such row: it stands for a molecule that could not be read.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.similarity.bits import common_bits, compiled, insert, threads
from cytomol.chem.similarity.words import SortedFingerprints, as_words, blocks, count_bits
from cytomol.counted import counted
from cytomol.errors import InputError

_BUFFER_PAIRS = 1 << 16

__all__ = ["tanimoto_histogram", "tanimoto_pairs", "top_k"]


@compiled
def _least_common(worst: float, total: int) -> float:
    """Return how many common bits a similarity above ``worst`` takes; the margin absorbs rounding."""
    return max(worst * total / (1.0 + worst) - 1e-6, 0.5)


@compiled
def _top_k_block(
    rows: SortedFingerprints,
    queries: SortedFingerprints,
    block: tuple[int, int],
    indices: NDArray[np.int32],
    similarity: NDArray[np.float64],
) -> None:
    """Fill the neighbours of a block of queries, visiting the rows from the likest bit count outwards."""
    most = rows.bounds.shape[0] - 2
    k = indices.shape[1]
    for q in range(block[0], block[1]):
        bits = queries.counts[q]
        if bits == 0:
            continue
        low, high = min(bits, most), bits + 1  # next bit counts to visit below and above
        while low >= 1 or high <= most:
            bound_low = low / bits if low >= 1 else -1.0
            bound_high = bits / high if high <= most else -1.0
            if max(bound_low, bound_high) < similarity[q, k - 1]:
                break
            if bound_low >= bound_high:
                count, low = low, low - 1
            else:
                count, high = high, high + 1
            total = bits + count
            needed = _least_common(similarity[q, k - 1], total)
            for j in range(rows.bounds[count], rows.bounds[count + 1]):
                common = common_bits(queries.words, q, rows.words, j)
                if common < needed or rows.identity[j] == queries.identity[q]:
                    continue
                insert(rows.identity[j], common / (total - common), indices[q], similarity[q])
                needed = _least_common(similarity[q, k - 1], total)


@compiled
def _similarity_at_least(rows: SortedFingerprints, i: int, j: int, minimum: np.float32) -> np.float32:
    """Return the similarity of two rows, or 0 if it is below the minimum."""
    total = rows.counts[i] + rows.counts[j]
    common = common_bits(rows.words, i, rows.words, j)
    least = np.float64(minimum)
    if (
        common < least * total / (1.0 + least) - 1e-3
    ):  # cheaper than the division; the margin absorbs rounding
        return np.float32(0)
    value = np.float32(common / (total - common))
    return value if value >= minimum else np.float32(0)


@compiled
def _pairs_block(
    rows: SortedFingerprints,
    block: tuple[int, int],
    minimum: np.float32,
    pairs: NDArray[np.int32],
    similarity: NDArray[np.float32],
) -> tuple[int, int]:
    """Write the pairs of a block of rows into buffers; return the next row to do and the pairs written.

    A row is begun only if the buffers can hold all its pairs, so that the caller can empty them and go on.
    """
    used = 0
    for i in range(block[0], block[1]):
        if used + rows.bounds[i] - i - 1 > len(similarity):
            return i, used
        for j in range(i + 1, rows.bounds[i]):
            if np.float32(rows.counts[i] / rows.counts[j]) < minimum:
                break  # counts ascend within a group
            value = _similarity_at_least(rows, i, j, minimum)
            if value > 0:
                pairs[0, used], pairs[1, used] = rows.identity[i], rows.identity[j]
                similarity[used] = value
                used += 1
    return block[1], used


@compiled
def _histogram_block(
    rows: SortedFingerprints, block: tuple[int, int], edges: NDArray[np.float32], histogram: NDArray[np.int64]
) -> None:
    """Count the pairs of a block of rows by the largest edge that their similarity reaches."""
    minimum = edges[0]
    for i in range(block[0], block[1]):
        for j in range(i + 1, rows.bounds[i]):
            if np.float32(rows.counts[i] / rows.counts[j]) < minimum:
                break
            value = _similarity_at_least(rows, i, j, minimum)
            if value > 0:
                histogram[np.searchsorted(edges, value, side="right") - 1] += 1


def top_k(
    rows: SortedFingerprints, queries: SortedFingerprints, back: NDArray[np.int64], k: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return what :func:`~cytomol.chem.similarity.tanimoto_top_k` does, by rows and queries in their order.

    Parameters
    ----------
    rows, queries
        Sorted by their bits; a query is no neighbour of the row that has its identity.
    back
        Where each query lies among the sorted ones, int64, shape (m,).
    k
        Neighbours wanted.
    """
    indices = np.full((len(back), k), -1, np.int32)
    similarity = np.zeros((len(back), k), np.float64)

    def work(block: tuple[int, int]) -> None:
        _top_k_block(rows, queries, block, indices, similarity)

    with ThreadPoolExecutor(threads()) as pool:
        list(pool.map(work, blocks(len(back))))
    return indices[back], similarity[back].astype(np.float32)


def _by_group(packed: NDArray[np.uint8], groups: NDArray[np.int64] | None) -> SortedFingerprints:
    """Sort rows by group, then by set bits; the bounds say where each row's group ends."""
    words = as_words(packed)
    counts = count_bits(words)
    group = np.zeros(len(words), np.int64) if groups is None else np.asarray(groups, np.int64)
    if group.shape != counts.shape:
        labels = counted(len(group), "group label", comma=False)
        raise InputError(f"{labels} for {counted(len(counts), 'fingerprint', comma=False)}")
    order = np.lexsort((counts, group))
    order = order[(counts[order] > 0) & (group[order] >= 0)]
    group = group[order]
    return SortedFingerprints(words[order], counts[order], order, np.searchsorted(group, group, side="right"))


def tanimoto_pairs(
    packed: NDArray[np.uint8], minimum: float, *, groups: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    """Return every pair of rows whose similarity is at least ``minimum``, exactly.

    Parameters
    ----------
    packed
        Packed fingerprints, uint8, shape (n, bits / 8).
    minimum
        Smallest similarity kept, in (0, 1].
    groups
        Compare only rows with the same label, int64, shape (n,); negative labels are compared with
        nothing. None compares all pairs.

    Returns
    -------
    i, j
        Rows of each pair, i < j, int32, sorted by (i, j).
    similarity
        Tanimoto coefficients, float32.
    """
    if not 0 < minimum <= 1:
        raise InputError(f"minimum similarity {minimum} is out of range", hint="it must lie in (0, 1]")
    rows = _by_group(packed, groups)
    capacity = max(_BUFFER_PAIRS, len(rows.counts))

    def work(block: tuple[int, int]) -> list[tuple[NDArray[np.int32], NDArray[np.float32]]]:
        pairs, similarity = np.empty((2, capacity), np.int32), np.empty(capacity, np.float32)
        found, (row, last) = [], block
        while row < last:
            row, used = _pairs_block(rows, (row, last), np.float32(minimum), pairs, similarity)
            found.append((pairs[:, :used].copy(), similarity[:used].copy()))
        return found

    with ThreadPoolExecutor(threads()) as pool:
        parts = [part for found in pool.map(work, blocks(len(rows.counts))) for part in found]
    ends = np.concatenate([np.empty((2, 0), np.int32), *(part[0] for part in parts)], axis=1)
    similarity = np.concatenate([np.empty(0, np.float32), *(part[1] for part in parts)])
    i, j = ends.min(axis=0), ends.max(axis=0)
    by_pair = np.lexsort((j, i))
    return i[by_pair], j[by_pair], similarity[by_pair]


def tanimoto_histogram(
    packed: NDArray[np.uint8], edges: NDArray[np.float32], *, groups: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], int]:
    """Count all pairs of rows by similarity, without storing them.

    Parameters
    ----------
    packed
        Packed fingerprints, uint8, shape (n, bits / 8).
    edges
        Rising similarities, the first above 0, float32, shape (bins,). Bin b counts the pairs with
        edges[b] <= similarity < edges[b + 1]; the last bin is open above.
    groups
        As in `tanimoto_pairs`.

    Returns
    -------
    histogram
        Pairs in each bin, int64, shape (bins,).
    candidates
        Number of pairs compared, those below the first edge included.
    """
    rows = _by_group(packed, groups)
    edges = np.ascontiguousarray(edges, np.float32)
    if not len(edges) or edges[0] <= 0 or np.any(np.diff(edges) < 0):
        raise InputError("edges of a similarity histogram must be positive and rising")

    def work(block: tuple[int, int]) -> NDArray[np.int64]:
        histogram = np.zeros(len(edges), np.int64)
        _histogram_block(rows, block, edges, histogram)
        return histogram

    n = len(rows.counts)
    with ThreadPoolExecutor(threads()) as pool:
        histogram = sum(pool.map(work, blocks(n)), np.zeros(len(edges), np.int64))
    return histogram, int((rows.bounds - np.arange(n) - 1).sum())
