"""The most similar rows of each query, exactly: in NumPy for a few, in compiled loops for more."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.similarity.words import SortedFingerprints, as_words, count_bits, sorted_by_bits
from cytomol.errors import InputError

__all__ = ["sorted_fingerprints", "tanimoto_top_k"]

_FEW = 1 << 18
"""Words compared up to which NumPy answers: to load the loops takes longer than hundreds of such answers."""


def sorted_fingerprints(packed: NDArray[np.uint8]) -> SortedFingerprints:
    """Sort fingerprints once, for many calls of :func:`tanimoto_top_k` with a query or two each.

    Parameters
    ----------
    packed
        Packed fingerprints, uint8, shape (n, bits / 8).

    Examples
    --------
    >>> packed = np.array([[1] * 8, [3] * 8], dtype=np.uint8)
    >>> tanimoto_top_k(sorted_fingerprints(packed), 1, queries=packed[1:])[0].tolist()
    [[1]]
    """
    return sorted_by_bits(as_words(packed))


def tanimoto_top_k(
    packed: NDArray[np.uint8] | SortedFingerprints,
    k: int,
    *,
    queries: NDArray[np.uint8] | None = None,
    exclude_self: bool = True,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the k most similar rows of each query, exactly.

    Parameters
    ----------
    packed
        Packed fingerprints, uint8, shape (n, bits / 8); or sorted by :func:`sorted_fingerprints`.
    k
        Neighbours wanted.
    queries
        Packed fingerprints of the same width, shape (m, bits / 8); None compares ``packed`` with itself.
    exclude_self
        Without ``queries``: leave each row out of its own neighbours.

    Returns
    -------
    indices
        Rows of ``packed``, int32, shape (m, k), by falling similarity, ties by lower row; -1 where fewer
        than k rows share a bit with the query.
    similarity
        Tanimoto coefficients, float32, shape (m, k); 0 where the index is -1.

    Raises
    ------
    InputError
        If k is not positive, or shapes or types do not fit.
    """
    if k < 1:
        raise InputError(f"cannot search for {k} neighbours", hint="k must be at least 1")
    words = packed.words if isinstance(packed, SortedFingerprints) else as_words(packed)
    wanted = None if queries is None else as_words(queries, "queries")
    if wanted is not None and wanted.shape[1] != words.shape[1]:
        raise InputError(f"queries have {wanted.shape[1]} words, fingerprints {words.shape[1]}")
    if wanted is not None and len(wanted) * words.size <= _FEW:
        return _among_few(
            packed if isinstance(packed, SortedFingerprints) else _as_they_are(words), wanted, k
        )
    from cytomol.chem.similarity.exact import top_k

    rows = packed if isinstance(packed, SortedFingerprints) else sorted_by_bits(words)
    if wanted is not None:
        asked = sorted_by_bits(wanted)
        return top_k(rows, asked._replace(identity=np.full(len(wanted), -1)), np.argsort(asked.identity), k)
    asked = rows if exclude_self else rows._replace(identity=np.full(len(rows.words), -1))
    return top_k(rows, asked, np.argsort(rows.identity), k)


def _among_few(
    rows: SortedFingerprints, queries: NDArray[np.uint64], k: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return what :func:`tanimoto_top_k` does, by all similarities at once."""
    common = np.bitwise_count(queries[:, None] & rows.words).sum(axis=2, dtype=np.int64)
    union = count_bits(queries)[:, None] + rows.counts - common
    values = common / np.maximum(union, 1)
    indices = np.full((len(queries), k), -1, np.int32)
    similarity = np.zeros((len(queries), k), np.float32)
    for query, value in enumerate(values):
        best = np.lexsort((rows.identity, -value))[:k]
        best = best[value[best] > 0]
        indices[query, : len(best)] = rows.identity[best]
        similarity[query, : len(best)] = value[best]
    return indices, similarity


def _as_they_are(words: NDArray[np.uint64]) -> SortedFingerprints:
    """Return rows that are not sorted, for who compares all of them."""
    return SortedFingerprints(words, count_bits(words), np.arange(len(words)), np.zeros(0, np.int64))
