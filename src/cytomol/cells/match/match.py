"""Which molecules go with a profile, which profiles with a molecule, which molecules act alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.cells.match.match_index import PlaceIndex
from cytomol.cells.match.match_library import Crowd, Library
from cytomol.cells.match.match_search import Nearest, exact_nearest
from cytomol.cells.match.match_table import MatchTable, PlacedRows
from cytomol.cells.space import Space
from cytomol.errors import InputError

__all__ = [
    "MatchedRows",
    "Matches",
    "match",
    "match_places",
    "match_rows",
    "queries_at_once",
    "rank_places",
]

_ANSWERS = 1 << 18  # rows of the answer that are in memory at a time
_QUERIES = 4096  # queries that are in memory as features at a time
_NO_DIRECTION = "it does not differ from a typical one, so the order says nothing"
_NO_SPREAD = "all candidates are about equally similar, so the order says little"


@dataclass(frozen=True)
class Matches:
    """The candidates that go best with each query.

    Attributes
    ----------
    rows
        Rows of the candidates from 0, the best first, equally good ones in their order, int64, shape
        (queries, top); -1 where there are no more, and for a query that has no place.
    similarity
        Cosine, float32, shape (queries, top); NaN where the row is -1.
    spreads
        How many standard deviations each lies above the mean of all candidates, float64, shape
        (queries, top); NaN where all are equally similar.
    candidates
        How many candidates have a place.
    notes
        Why the order says little; "" where it may say something.
    """

    rows: NDArray[np.int64]
    similarity: NDArray[np.float32]
    spreads: NDArray[np.float64]
    candidates: int
    notes: list[str]


def match(
    space: Space,
    queries: Sequence[str] | NDArray[np.float32],
    candidates: Sequence[str] | NDArray[np.float32],
    top: int = 10,
) -> Matches:
    """Rank candidates for each query by how well they go together in the space of a modality.

    Parameters
    ----------
    space
        The space.
    queries, candidates
        SMILES, or profiles in measured units with the modality's features in its order, float32, shape
        (n, width), NaN where not measured.
    top
        How many for each query.

    Raises
    ------
    InputError
        If no candidate has a place.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> space = SimpleNamespace(profiles=lambda rows: rows)  # in place of a `CellSpace`
    >>> found = match(space, np.eye(2, dtype=np.float32), np.array([[0.6, 0.8], [1, 0]], np.float32), top=1)
    >>> found.rows.tolist(), found.similarity.round(2).tolist()
    ([[1], [0]], [[1.0], [0.8...]])
    """
    sought, there = (
        space.profiles(rows) if isinstance(rows, np.ndarray) else space.molecules(rows)[0]
        for rows in (queries, candidates)
    )
    return rank_places(sought, there, top)


def rank_places(sought: NDArray[np.float32], there: NDArray[np.float32], top: int = 10) -> Matches:
    """Rank candidates for each query by the cosine of their places.

    Parameters
    ----------
    sought, there
        Places of queries and candidates, rows of length 1, NaN where one has none, float32, shape
        (queries, width) and (candidates, width).
    top
        How many for each query.

    Raises
    ------
    InputError
        If no candidate has a place.
    """
    valid = ~np.isnan(there).any(axis=1)
    if not valid.any():
        raise InputError("none of the candidates has a place", hint="are they valid?")
    if np.isnan(sought).all():
        sought = np.full((len(sought), there.shape[1]), np.nan, np.float32)
    exact = there[valid].astype(np.float64)
    crowd = Crowd(exact.mean(axis=0), exact.T @ exact / len(exact))
    return _matches(sought, exact_nearest(sought, [(0, there)], top), crowd, len(exact))


def _matches(places: NDArray[np.float32], nearest: Nearest, crowd: Crowd, candidates: int) -> Matches:
    mean, spread = crowd.mean_and_spread(places)
    flat = spread < 1e-4
    with np.errstate(invalid="ignore"):
        spreads = (nearest.similarity - mean[:, None]) / np.where(flat, np.nan, spread)[:, None]
        nowhere = np.linalg.norm(places, axis=1) < 0.5
    notes = np.where(nowhere, _NO_DIRECTION, np.where(flat, _NO_SPREAD, "")).tolist()
    return Matches(nearest.rows, np.clip(nearest.similarity, -1, 1), spreads, candidates, notes)


@dataclass(frozen=True)
class MatchedRows:
    """Some queries with their matches.

    Attributes
    ----------
    queries
        The queries, with their places.
    matches
        What was found.
    """

    queries: PlacedRows
    matches: Matches

    def frame(self, library: Library, keep: Sequence[str] = (), *, query_smiles: bool = True) -> pd.DataFrame:
        """Return the long table: a row for each query and rank, one with ``error`` for a query without place.

        Parameters
        ----------
        library
            The candidates.
        keep
            Columns of the candidates wanted, which the library must hold.
        query_smiles
            Have a column with the SMILES of the queries.

        Raises
        ------
        InputError
            If the library does not hold a column.
        """
        about, matches = self.queries.about, self.matches
        query, rank = np.nonzero((matches.rows >= 0) | (np.arange(matches.rows.shape[1]) == 0))
        rows = matches.rows[query, rank]
        found = rows >= 0
        texts = library.texts(np.maximum(rows, 0))
        known = about.iloc[query].reset_index(drop=True)
        columns: dict[str, Any] = {
            "query_row": self.queries.start + query + 1,
            "query_id": _text(known["id"]),
        }
        if query_smiles:
            columns["query_smiles"] = _text(known["smiles"])
        columns |= {
            "rank": _whole(rank + 1, found),
            "candidate_row": _whole(rows + 1, found),
            "candidate_id": _text(texts["id"], found),
            "candidate_smiles": _text(texts["smiles"], found),
        }
        for name in keep:
            if f"kept_{name}" not in texts:
                raise InputError(
                    f"holds no column {name!r} of the candidates",
                    where=str(library.folder),
                    hint="make it anew with this --keep",
                )
            columns[f"kept_{name}"] = _text(texts[f"kept_{name}"], found)
        columns |= {
            "similarity": matches.similarity[query, rank].astype(np.float64).round(6),
            "top_percent": np.where(found, 100 * (rank + 1) / matches.candidates, np.nan).round(4),
            "spreads": matches.spreads[query, rank].round(3),
            "note": _text(pd.Series(matches.notes, dtype=object).iloc[query].reset_index(drop=True)),
            "error": _text(known["error"]),
        }
        return pd.DataFrame(columns)


def _text(column: pd.Series[str], there: NDArray[np.bool_] | None = None) -> pd.Series[str]:
    """Return text that is nothing where it is empty."""
    empty = (column == "").to_numpy(bool)
    return column.astype("string").mask(empty if there is None else empty | ~there)


def _whole(numbers: NDArray[np.int64], there: NDArray[np.bool_]) -> pd.Series[int]:
    return pd.Series(numbers).astype("Int64").mask(~there)


def match_rows(
    space: Space,
    queries: MatchTable,
    library: Library,
    *,
    top: int = 10,
    index: PlaceIndex | None = None,
    batch_size: int = 256,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[MatchedRows]:
    """Match the rows of a table with placed candidates, some queries at a time.

    Parameters
    ----------
    space
        Where the candidates were placed.
    queries
        The table of queries.
    library
        The candidates.
    top
        How many for each query.
    index
        Asked instead of comparing all pairs.
    batch_size, workers
        Molecules in a pass, and processes that featurize.
    progress
        Called with (queries done, queries in all).
    """
    machine: dict[str, Any] = {"batch_size": batch_size, "workers": workers}
    for part in queries.placed(space, rows=queries_at_once(top), progress=progress, **machine):
        yield match_places(part, library, top, index)


def queries_at_once(top: int) -> int:
    """Return how many queries are answered at once, so that their answers stay small."""
    return max(1, min(_QUERIES, _ANSWERS // top))


def match_places(
    queries: PlacedRows, library: Library, top: int, index: PlaceIndex | None = None
) -> MatchedRows:
    """Match placed queries with placed candidates; parameters as of :func:`match_rows`."""
    places = queries.places
    nearest = exact_nearest(places, library.blocks(), top) if index is None else index.nearest(places, top)
    return MatchedRows(queries, _matches(places, nearest, library.crowd, library.valid))
