"""The index of placed candidates: built once beside them, mapped from disk, with its recall measured.

It is a hierarchy of small-world graphs by the library usearch (Malkov & Yashunin, IEEE TPAMI 2020, 42, 824),
filled by one thread in an order that a seed decides, so that equal candidates give an equal index. Equal
places enter once, and what it proposes is compared again as the exact search compares.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytomol.cells.match.match_library import Library
from cytomol.cells.match.match_search import Nearest, best_of, exact_nearest
from cytomol.chem.similarity.bits import threads
from cytomol.chem.similarity.search import Recall
from cytomol.errors import InputError, MissingDependencyError
from cytomol.files import atomic_file
from cytomol.files.ours import mark

__all__ = ["INDEX_FROM", "PlaceIndex", "build_index"]

INDEX_FROM = 200_000
"""Candidates from which kept ones are indexed; for fewer the exact search is as fast."""

_GRAPH, _KINDS, _ABOUT = "index.usearch", "index_kinds.npy", "index.json"
_LINKS = 16  # links of a place in the graph, twice as many on its ground floor
_ADD_BREADTH = 128  # places kept in sight while one is added, and
_SEARCH_BREADTH = 160  # at least, while one is searched for: recall against time
_PROPOSED = 4  # places proposed for each that is wanted
_CHUNK = 1 << 16
_QUERIES = 256  # whose proposals are compared at a time
_SAMPLE, _SAMPLE_NEAREST = 1024, 10


class PlaceIndex:
    """Answers from the index that lies beside kept candidates.

    Parameters
    ----------
    library
        The candidates.

    Raises
    ------
    InputError
        If the index is damaged, or that of other candidates.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        try:
            about = json.loads((library.folder / _ABOUT).read_text(encoding="utf-8"))
            self.recall = Recall(*(int(about["recall"][key]) for key in ("found", "exact", "rows")))
            if about["places"] != library.about["places"]:
                raise ValueError("it is that of other candidates")
            if (library.folder / _GRAPH).stat().st_size != about["bytes"]:
                raise ValueError("it is cut short")
            self._index = _library().restore(
                str(library.folder / _GRAPH), view=True, enable_key_lookups=False
            )
            self._kinds = np.load(library.folder / _KINDS, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, LookupError, TypeError, RuntimeError) as error:
            raise InputError(
                f"the index cannot be used: {error}",
                where=str(library.folder),
                hint=f"remove {_ABOUT} there, and it is built anew",
            ) from None

    @staticmethod
    def exists(library: Library) -> bool:
        """Return whether candidates have an index."""
        return (library.folder / _ABOUT).exists()

    @cached_property
    def _first(self) -> NDArray[np.int64]:
        """Where the rows of each kind begin among the rows by kind, shape (kinds + 1,)."""
        changes = np.flatnonzero(np.diff(self._kinds[:, 0])) + 1
        return np.concatenate([[0], changes, [len(self._kinds)]])

    def nearest(self, queries: NDArray[np.float32], k: int) -> Nearest:
        """Return about the k nearest candidates of each query; a query with NaN has none."""
        rows = np.full((len(queries), k), -1, np.int64)
        similarity = np.full((len(queries), k), np.nan, np.float32)
        known = np.flatnonzero(~np.isnan(queries).any(axis=1))
        for start in range(0, len(known), _QUERIES):
            part = known[start : start + _QUERIES]
            found = self._kinds_near(queries[part], k)
            for query, kinds, values in zip(part, found.rows, found.similarity, strict=True):
                here, alike = self._rows_of(kinds[kinds >= 0], values[kinds >= 0], k)
                rows[query, : len(here)], similarity[query, : len(here)] = here, alike
        return Nearest(rows, similarity)

    def _kinds_near(self, queries: NDArray[np.float32], k: int) -> Nearest:
        """Return the k nearest kinds of equal places, the index's proposals compared once more."""
        count = len(self._first) - 1
        wanted = min(count, max(_PROPOSED * k, 64))
        self._index.expansion_search = max(_SEARCH_BREADTH, wanted)
        asked = np.resize(np.arange(len(queries)), max(len(queries), 2))  # one is answered in another form
        matches = self._index.search(queries[asked], wanted, threads=threads())
        there = np.arange(wanted) < np.asarray(matches.counts)[: len(queries), None]
        kinds = np.where(there, matches.keys[: len(queries)].astype(np.int64), 0)
        places = self._library.places[self._kinds[self._first[kinds], 1]]
        return best_of(queries, np.where(there, kinds, -1), places, k)

    def _rows_of(
        self, kinds: NDArray[np.int64], similarity: NDArray[np.float32], k: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the rows of kinds, nearest first, at most k."""
        sizes = (self._first[kinds + 1] - self._first[kinds]).tolist()
        needed = next((n + 1 for n, total in enumerate(accumulate(sizes)) if total >= k), len(kinds))
        rows = [self._kinds[self._first[kind] : self._first[kind + 1], 1][:k] for kind in kinds[:needed]]
        alike = np.repeat(similarity[:needed], [len(some) for some in rows])
        return np.concatenate([*rows, np.zeros(0, np.int64)])[:k], alike[:k]


def build_index(library: Library, progress: Callable[[int, int], None] | None = None) -> PlaceIndex:
    """Build the index of kept candidates in their folder, and measure its recall.

    A sample of the candidates is searched for with the index and exactly.

    Parameters
    ----------
    library
        The candidates.
    progress
        Called with (places entered, places in all).
    """
    kinds = _kinds(library)
    firsts = np.concatenate([[0], np.flatnonzero(np.diff(kinds[:, 0])) + 1])
    index = _library()(
        ndim=library.width,
        metric="ip",
        dtype="f16",  # half precision halves the memory; what is found is compared anew
        connectivity=_LINKS,
        expansion_add=_ADD_BREADTH,
        expansion_search=_SEARCH_BREADTH,
        enable_key_lookups=False,
    )
    order = np.random.default_rng(0).permutation(len(firsts))
    for start in range(0, len(order), _CHUNK):
        part = order[start : start + _CHUNK]
        index.add(part.astype(np.uint64), library.places[kinds[firsts[part], 1]], threads=1)
        if progress is not None:
            progress(min(start + _CHUNK, len(order)), len(order))
    with atomic_file(library.folder / _KINDS, force=True) as temporary, temporary.open("wb") as handle:
        np.save(handle, kinds)
    with atomic_file(library.folder / _GRAPH, force=True) as temporary:
        index.save(str(temporary))
    _describe(library, Recall(0, 0, 0))
    recall = _measured(library, kinds)
    _describe(library, recall)
    mark(library.folder)
    return PlaceIndex(library)


def _describe(library: Library, recall: Recall) -> None:
    about = {
        "places": library.about["places"],
        "bytes": (library.folder / _GRAPH).stat().st_size,
        "recall": {"found": recall.found, "exact": recall.exact, "rows": recall.rows, "of": _SAMPLE_NEAREST},
    }
    with atomic_file(library.folder / _ABOUT, force=True) as temporary:
        temporary.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def _measured(library: Library, kinds: NDArray[np.int64]) -> Recall:
    """Return how many of a sample's nearest, itself left out, the index finds."""
    rng = np.random.default_rng(0)
    chosen = np.sort(rng.choice(len(kinds), min(_SAMPLE, len(kinds)), replace=False))
    queries = library.places[kinds[chosen, 1]]
    exact = exact_nearest(queries, library.blocks(), _SAMPLE_NEAREST + 1).similarity[:, 1:]
    found = PlaceIndex(library).nearest(queries, _SAMPLE_NEAREST + 1).similarity[:, 1:]
    # Of candidates equally near any will do, so it is the similarities that are compared.
    least = np.nanmin(np.where(np.isnan(exact), np.inf, exact), axis=1, keepdims=True)
    return Recall(int((found >= least).sum()), int((~np.isnan(exact)).sum()), len(chosen))


def _kinds(library: Library) -> NDArray[np.int64]:
    """Return (kind, row) of every row with a place, by kind and row; a kind is a set of equal places."""
    digests, rows = [], []
    for start, places in library.blocks():
        known = np.flatnonzero(~np.isnan(places).any(axis=1))
        rows.append(start + known)
        digests += [hashlib.blake2b(places[row].tobytes(), digest_size=16).digest() for row in known]
    names = np.array(digests, dtype="V16")
    _, first, kind = np.unique(names, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))  # kinds in the order of their first rows
    numbers = rank[kind.ravel()]
    order = np.argsort(numbers, kind="stable")
    return np.stack([numbers[order], np.concatenate(rows)[order]], axis=1)


def _library() -> Any:
    """Return the library's class, or say how to do without it."""
    try:
        from usearch.index import Index
    except ImportError as error:
        raise MissingDependencyError(
            f"the index needs usearch, which does not load: {error}",
            hint="pip install usearch, or search exactly with --index exact",
        ) from None
    return Index
