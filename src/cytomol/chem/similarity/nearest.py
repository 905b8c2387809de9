"""The index: approximate nearest rows of a table in n log n, for bits and for directions.

The index is a hierarchy of small-world graphs (Malkov & Yashunin, IEEE TPAMI 2020, 42, 824) by the
library usearch. It is filled by one thread, because the graph depends on the order in which rows enter
and several threads would leave that order to chance; the search uses all threads and does not change it.
Rows enter once however often they occur: beyond a graph's few links per row, equal rows would see each
other alone and cut themselves off from the rest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.similarity.bits import compiled, threads
from cytomol.chem.similarity.top_k import tanimoto_top_k
from cytomol.chem.similarity.words import blocks
from cytomol.errors import MissingDependencyError

__all__ = ["nearest_rows"]

_LINKS = 16  # links of a row in the graph, twice as many on its ground floor
_ADD_BREADTH = 128  # rows kept in sight while one is added, and
_SEARCH_BREADTH = 80  # while one is searched for: recall against time
_PIVOTS = 512
_RANDOM_SHARE = 0.1  # rows that enter first, at random
_CHUNK = 1 << 16  # rows handed to the library at a time


def nearest_rows(vectors: NDArray[Any], k: int, metric: Literal["tanimoto", "cosine"]) -> NDArray[np.int32]:
    """Return about the k nearest other rows of each row.

    Parameters
    ----------
    vectors
        For "tanimoto" packed bits, uint8, shape (n, bits / 8); for "cosine" rows of length 1, float32,
        shape (n, width). A row of zeros has no neighbours and is nobody's.
    k
        Neighbours wanted.
    metric
        What is near.

    Returns
    -------
    NDArray
        Rows, nearest first as far as the index can tell, int32, shape (n, k); -1 where there are fewer.
        Equal input gives equal output.
    """
    first, group = _distinct(vectors)
    nearest = np.full((len(vectors), k), -1, np.int32)
    if len(first):
        found = _search(vectors, first, min(k + 1, len(first)), metric)
        members = np.argsort(group, kind="stable")
        starts = np.searchsorted(group[members], np.arange(len(first) + 1))
        kinds = _Kinds(group, members, starts, found)
        with ThreadPoolExecutor(threads()) as pool:
            list(pool.map(partial(_expand, kinds, nearest), blocks(len(group))))
    return nearest


def _distinct(vectors: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first row of each kind of equal rows, and each row's kind (-1 for zeros)."""
    kinds: dict[bytes, int] = {}
    group = np.full(len(vectors), -1, np.int64)
    for row in np.flatnonzero(vectors.any(axis=1)):
        digest = hashlib.blake2b(vectors[row].tobytes(), digest_size=16).digest()
        group[row] = kinds.setdefault(digest, len(kinds))
    some = np.flatnonzero(group >= 0)
    return some[np.unique(group[some], return_index=True)[1]], group


def _search(vectors: NDArray[Any], first: NDArray[np.int64], k: int, metric: str) -> NDArray[np.int32]:
    """Return the k nearest kinds of each kind, itself among them, int32, shape (kinds, k)."""
    Index = _library()
    bits = metric == "tanimoto"
    index = Index(
        ndim=vectors.shape[1] * (8 if bits else 1),
        metric="tanimoto" if bits else "ip",
        dtype="b1" if bits else "f16",  # half precision halves the memory; what is found is scored anew
        connectivity=_LINKS,
        expansion_add=_ADD_BREADTH,
        expansion_search=_SEARCH_BREADTH,
        enable_key_lookups=False,
    )
    order = _order(vectors, first, metric)
    for part in _parts(order):
        index.add(part.astype(np.uint64), vectors[first[part]], threads=1)
    found = np.full((len(first), k), -1, np.int32)
    for part in _parts(order):
        asked = np.resize(part, max(len(part), 2))  # a single query would be answered in another form
        matches = index.search(vectors[first[asked]], k, threads=threads())
        there = np.arange(k) < matches.counts[:, None]
        found[part] = np.where(there, matches.keys.astype(np.int64), -1)[: len(part)]
    return found


def _order(vectors: NDArray[Any], first: NDArray[np.int64], metric: str) -> NDArray[np.int64]:
    """Return the order in which kinds enter the graph and are searched for.

    A tenth enter at random and span the graph, whatever series of look-alikes the file holds. The others
    follow by the pivot that they are nearest to: neighbours then lie together in memory, which at
    300,000 molecules saved a third of the time and halved what was missed.
    """
    order = np.random.default_rng(0).permutation(len(first))
    pivots = vectors[first[order[:_PIVOTS]]]
    rest = order[int(len(order) * _RANDOM_SHARE) :]
    near = np.empty(len(rest), np.int64)
    for start in range(0, len(rest), _CHUNK):
        part = vectors[first[rest[start : start + _CHUNK]]]
        if metric == "tanimoto":
            near[start : start + _CHUNK] = tanimoto_top_k(pivots, 1, queries=part)[0][:, 0]
        else:
            near[start : start + _CHUNK] = np.argmax(part @ pivots.T, axis=1)
    return np.concatenate([order[: len(order) - len(rest)], rest[np.argsort(near, kind="stable")]])


def _library() -> Any:
    """Return the library's class, or say how to do without it."""
    try:
        from usearch.index import Index
    except ImportError as error:
        raise MissingDependencyError(
            f"the index of similar rows needs usearch, which does not load: {error}",
            hint="pip install usearch, or compare all pairs with similarity_search = exact",
        ) from None
    return Index


def _parts(rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(rows), _CHUNK):
        yield rows[start : start + _CHUNK]


class _Kinds(NamedTuple):
    """Kinds of equal rows and what was found near them.

    group: kind of each row, -1 without, int64, shape (n,); members: rows by kind, those without first,
    int64, shape (n,); starts: where each kind's rows begin, int64, shape (kinds + 1,); found: kinds near
    each kind, int32, shape (kinds, k).
    """

    group: NDArray[np.int64]
    members: NDArray[np.int64]
    starts: NDArray[np.int64]
    found: NDArray[np.int32]


@compiled
def _expand(kinds: _Kinds, nearest: NDArray[np.int32], block: tuple[int, int]) -> None:
    """Write the rows of the kinds found: equal rows first, those of a kind from the lowest."""
    for row in range(block[0], block[1]):
        row_kind = kinds.group[row]
        if row_kind < 0:
            continue
        used = 0
        for step in range(-1, kinds.found.shape[1]):
            kind = row_kind if step < 0 else np.int64(kinds.found[row_kind, step])
            if kind < 0 or (step >= 0 and kind == row_kind):
                continue
            for place in range(kinds.starts[kind], kinds.starts[kind + 1]):
                if used == nearest.shape[1]:
                    break
                if kinds.members[place] != row:
                    nearest[row, used] = kinds.members[place]
                    used += 1
