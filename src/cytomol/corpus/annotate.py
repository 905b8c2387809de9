"""A second table of metadata joins a table of profiles by a key that both have."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.identifiers import as_ids, plain_name
from cytomol.corpus.lookup import Lookup
from cytomol.corpus.problems import Problems
from cytomol.corpus.read_rows import read_rows
from cytomol.errors import InputError

__all__ = ["annotate"]

_EXAMPLES = 5
_WELL = re.compile(r"([A-Za-z]{1,2})0*([1-9]\d?)")
# Columns that together say where a profile was measured, under the names that plate maps have for them.
_PLACES = {
    "well": ("well", "wellposition", "wellid", "detwell"),
    "plate": ("plate", "platebarcode", "assayplatebarcode", "barcode", "detplate", "platemapname"),
}


def annotate(metadata: pd.DataFrame, path: Path, *, where: str, problems: Problems) -> pd.DataFrame:
    """Return the metadata of profiles with the columns of another table, joined row by row.

    The key is the column of the other table, each value of which stands there once, that knows most rows
    (``sig_id`` for the samples of a GCTX); else all columns that both have (plate and well).

    Parameters
    ----------
    metadata
        One row for each profile, text.
    path
        The other table: CSV, TSV or Parquet.
    where
        The table of profiles, for messages.
    problems
        Receives rows that were not found.

    Raises
    ------
    InputError
        If nothing joins, or one key has two different rows.
    """
    frame = read_rows(path, text=True)
    other = pd.DataFrame({name: as_ids(frame[name]) for name in map(str, frame)}).drop_duplicates()
    other = other.reset_index(drop=True)
    profiles, known = _with_plain_wells(metadata), _with_plain_wells(other)
    mine, theirs = _key(profiles, known, path, where)
    keys, by = _keys(profiles, mine), " and ".join(theirs)
    rows = _rows_of(keys, _keys(known, theirs), by, path)
    found = rows >= 0
    if not found.any():
        raise _nothing(metadata, path, where)
    metadata, kept = _with_columns(metadata, other.drop(columns=theirs), rows)
    problems.note(
        f"{where}: {int(found.sum()):,} of {len(found):,} rows found their metadata in {path.name}"
        f" by {by}{_examples(keys[~found])}"
    )
    if kept:
        problems.note(f"{path}: {', '.join(kept)} differ from the profiles' own, which were kept")
    return metadata


def _with_plain_wells(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with every well as a capital and two digits: A1, a01 and A001 are A01."""
    wells = {column for column in map(str, frame) if plain_name(column) in _PLACES["well"]}
    return frame.assign(**{column: frame[column].map(_plain_well) for column in wells})


def _plain_well(text: str) -> str:
    found = _WELL.fullmatch(text)
    return f"{found[1].upper()}{int(found[2]):02d}" if found else text


def _rows_of(keys: pd.Series[str], known: pd.Series[str], by: str, path: Path) -> NDArray[np.int64]:
    """Return the row of the other table that bears each key, -1 where none does."""
    torn = known[known.duplicated(keep=False) & (known != "") & known.isin(set(keys))]
    if len(torn):
        key = torn.iloc[0].replace("\x1f", " / ")
        raise InputError(
            f"{by} {key!r} stands in several rows that differ",
            where=str(path),
            hint="give each key one row of metadata",
        )
    return Lookup(known).find(keys)


def _with_columns(
    metadata: pd.DataFrame, other: pd.DataFrame, rows: NDArray[np.int64]
) -> tuple[pd.DataFrame, list[str]]:
    """Return metadata with the columns of other rows, and its own columns that differ from one of these."""
    metadata = metadata.copy()
    kept = []
    for name in map(str, other):
        cells = pd.Series(np.where(rows >= 0, other[name].to_numpy(object)[rows], ""), index=metadata.index)
        same = next((c for c in map(str, metadata) if plain_name(c) == plain_name(name)), None)
        if same is None:
            metadata[name] = cells
            continue
        if ((metadata[same] != "") & (cells != "") & (metadata[same] != cells)).any():
            kept.append(same)
        metadata[same] = metadata[same].where(metadata[same] != "", cells)
    return metadata, kept


def _key(metadata: pd.DataFrame, other: pd.DataFrame, path: Path, where: str) -> tuple[list[str], list[str]]:
    """Return the columns of the profiles and of the other table that are compared."""
    best: tuple[int, str, str] = (0, "", "")
    for theirs in map(str, other):
        values = other[theirs][other[theirs] != ""]
        if not len(values) or values.duplicated().any():
            continue
        for mine in map(str, metadata):
            same = plain_name(mine) == plain_name(theirs)
            # plates and wells are numbered alike everywhere: numbers count under the same name only
            cells = metadata[mine] if same else metadata[mine].where(~_numbers(metadata[mine]), "")
            hits = 2 * int(cells.isin(set(values)).sum()) + same
            if hits > max(best[0], 1):
                best = (hits, mine, theirs)
    if best[0]:
        return [best[1]], [best[2]]
    places = {name: place for place, names in _PLACES.items() for name in names}
    columns_by_name = {
        places.get(plain_name(c), plain_name(c)): c for c in reversed(list(map(str, metadata)))
    }
    pairs = [
        (columns_by_name[k], c)
        for c in map(str, other)
        if (k := places.get(plain_name(c), plain_name(c))) in columns_by_name
    ]
    if not pairs:
        raise _nothing(metadata, path, where)
    return [mine for mine, _ in pairs], [theirs for _, theirs in pairs]


def _numbers(cells: pd.Series[str]) -> pd.Series[bool]:
    return cells.str.fullmatch(r"\d{1,6}")


def _keys(frame: pd.DataFrame, columns: list[str]) -> pd.Series[str]:
    """Return the key of each row, "" where a part of it is missing."""
    parts = frame[columns]
    joined = parts.agg("\x1f".join, axis=1) if len(columns) > 1 else parts[columns[0]]
    return joined.where((parts != "").all(axis=1), "")


def _nothing(metadata: pd.DataFrame, path: Path, where: str) -> InputError:
    ids = next((metadata[c] for c in metadata), pd.Series([], dtype=object))
    return InputError(
        f"none of its columns matches the rows of {where}{_examples(ids)}",
        where=str(path),
        hint="it needs a column with the same ids, for instance sig_id, each once",
    )


def _examples(ids: pd.Series[str]) -> str:
    shown = ", ".join(map(str, ids.unique()[:_EXAMPLES]))
    return f"; not found: {shown}" if shown else ""
