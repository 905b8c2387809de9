"""Matches read for their report: a long table, or AnnData with a row for each query, as the same table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cytomol.errors import InputError, MissingDependencyError
from cytomol.files import require_file
from cytomol.tables.number_texts import as_numbers
from cytomol.tables.parquet_limits import open_parquet, plain_batch
from cytomol.tables.read import format_of

__all__ = ["MOST_ROWS", "holds_matches", "read_matches"]

MOST_ROWS = 500_000
"""Rows of a table that a report rests on, the first."""

_NEEDED = {"query_row", "query_id", "rank", "candidate_row", "similarity", "top_percent", "spreads", "error"}
_OF_QUERIES = {"match_row", "match_id", "match_similarity", "match_spreads"}  # of AnnData
_NUMBERS = ("query_row", "rank", "candidate_row", "similarity", "top_percent", "spreads")
_SEPARATORS = {"csv": ",", "tsv": "\t"}


def holds_matches(path: Path) -> bool:
    """Say whether a file is a table of matches, by the names in it alone.

    Raises
    ------
    MissingDependencyError
        If it is AnnData and h5py is not installed.
    """
    kind = format_of(path)
    if kind == "h5ad":
        return _names(path) >= _OF_QUERIES
    try:
        if kind == "parquet":
            from pyarrow.parquet import read_schema

            return set(map(str, read_schema(path).names)) >= _NEEDED
        if kind not in _SEPARATORS:
            return False
        return set(map(str, pd.read_csv(path, sep=_SEPARATORS[kind], dtype=str, nrows=0).columns)) >= _NEEDED
    except ValueError:  # empty, or no such table inside: nothing that has a report
        return False


def read_matches(path: Path) -> pd.DataFrame:
    """Read the first half a million rows of a table of matches; names are text, "" where there is none.

    Raises
    ------
    InputError
        If the file is absent, or is no AnnData as its name says.
    MissingDependencyError
        If it is AnnData and anndata is not installed.
    """
    kind = format_of(require_file(path, what="table of matches"))
    if kind == "h5ad":
        frame = _of_queries(path)
    elif kind == "parquet":
        import pyarrow as pa

        length = path.stat().st_size
        parts, rows = [], 0
        for batch in open_parquet(path, length, where=str(path), whole=False).iter_batches():
            parts.append(plain_batch(batch, length, where=str(path)))
            if (rows := rows + len(batch)) >= MOST_ROWS:
                break
        frame = pa.Table.from_batches(parts).slice(0, MOST_ROWS).to_pandas()
    else:
        frame = pd.read_csv(path, sep=_SEPARATORS[kind], dtype=str, keep_default_na=False, nrows=MOST_ROWS)
    for name in frame.columns:
        if name in _NUMBERS:
            frame[name] = as_numbers(frame[name]).astype(float)
        else:
            frame[name] = frame[name].astype("string").fillna("").astype(object)
    return frame


def _names(path: Path) -> set[str]:
    """Return the names of what an AnnData file holds for each observation."""
    try:
        import h5py
    except ImportError:
        raise _no_anndata(path) from None
    try:
        with h5py.File(path) as file:
            return set(file["obsm"]) if "obsm" in file else set()
    except OSError as error:
        raise InputError(f"is not a readable AnnData file: {error}", where=str(path)) from None


def _of_queries(path: Path) -> pd.DataFrame:
    """Return AnnData with a row for each query as ``match`` writes the same into a table, digit by digit."""
    try:
        import anndata
    except ImportError:
        raise _no_anndata(path) from None
    try:
        data: Any = anndata.read_h5ad(path)
        obsm = {name: np.asarray(data.obsm[name]) for name in data.obsm if name != "X_cell"}
        candidates = int(data.uns["cytomol"]["candidates_with_a_place"])
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise InputError(f"is not a readable AnnData file of matches: {error}", where=str(path)) from None
    rows = obsm["match_row"]
    query, rank = np.nonzero((rows > 0) | (np.arange(rows.shape[1]) == 0))
    query, rank = query[:MOST_ROWS], rank[:MOST_ROWS]
    found = rows[query, rank] > 0
    obs = data.obs.iloc[query].reset_index(drop=True)

    def told(name: str) -> Any:
        return obs.get(f"Metadata_{name}", "")

    def of_rank(name: str, none: Any) -> Any:
        return np.where(found, obsm[name][query, rank] if name in obsm else none, none)

    def number(name: str, digits: int) -> Any:
        return of_rank(name, np.nan).astype(np.float64).round(digits)

    table = {
        "query_row": query + 1,
        "query_id": told("id"),
        "query_smiles": told("smiles"),
        "rank": np.where(found, rank + 1, np.nan),
        "candidate_row": of_rank("match_row", np.nan),
        "candidate_id": of_rank("match_id", ""),
        "candidate_smiles": of_rank("match_smiles", ""),
        "similarity": number("match_similarity", 6),
        "top_percent": np.where(found, 100 * (rank + 1) / max(candidates, 1), np.nan).round(4),
        "spreads": number("match_spreads", 3),
        "note": told("note"),
        "error": told("error"),
    }
    return pd.DataFrame(table)


def _no_anndata(path: Path) -> MissingDependencyError:
    return MissingDependencyError(
        "reading AnnData needs the package anndata", where=str(path), hint="pip install 'cytomol[omics]'"
    )
