"""Rows of a table of any kind, read alike: comments skipped, a named index among the columns."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd

from cytomol.corpus.identifiers import as_ids, entity_of_column
from cytomol.files import require_file
from cytomol.tables import read_table
from cytomol.tables.read import format_of, parse_csv, read_text

__all__ = [
    "NAMELESS",
    "SEPARATORS",
    "index_as_columns",
    "name_first_column",
    "name_rows",
    "pandas_index_of",
    "read_rows",
    "without_comments",
]

SEPARATORS = {"csv": ",", "tsv": "\t", "tab": "\t", "txt": "\t"}
NAMELESS = ("", "Unnamed: 0", "index")  # of a first column


def read_rows(path: Path, *, text: bool = False) -> pd.DataFrame:
    """Read a table as `cytomol.tables.read_table` does, and what tables of profiles have besides.

    Lines that begin with ``!`` or ``#`` before the header (clue.io's) are comments; the index of a pandas
    frame in Parquet is a column, unless it only counts the rows.

    Parameters
    ----------
    path
        The file.
    text
        Leave every cell of a text file as the string that stands there.
    """
    kind = format_of(path)
    if kind in SEPARATORS:
        content = read_text(require_file(path, what="table"))
        shorter = without_comments(content, SEPARATORS[kind])
        if len(shorter) < len(content):
            frame = parse_csv(shorter, where=str(path), separator=SEPARATORS[kind], text=text)
            frame.columns = frame.columns.astype(str)
            return name_first_column(frame)
    frame = read_table(path, text=text)
    if kind == "parquet":
        frame = index_as_columns(frame, pandas_index_of(path))
    return name_first_column(frame)


def pandas_index_of(path: Path) -> list[str]:
    """Return the columns of a Parquet file that pandas wrote from an index."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        described = pq.read_schema(path).pandas_metadata or {}
        return [name for name in described.get("index_columns", []) if isinstance(name, str)]
    except (pa.ArrowException, OSError, ValueError, AttributeError):
        return []  # what is wrong with the file has been said, or does not matter here


def index_as_columns(frame: pd.DataFrame, index: list[str]) -> pd.DataFrame:
    """Put a pandas index that names its rows among the columns; one that counts them says nothing.

    Parameters
    ----------
    frame
        The table, with the index still in its place or among the columns already.
    index
        Columns that are the index.
    """
    named = [name for name in frame.index.names if name is not None and name not in frame.columns]
    if named:
        frame = frame.reset_index(named)
    elif index and not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index(names="index" if "index" not in frame.columns else index[0])
    frame = frame.reset_index(drop=True)
    for stored in index:
        name = next((n for n in (stored, "index") if n in frame.columns), None)
        if name is None:
            continue
        cells, column = frame.pop(name), name
        if entity_of_column(name) is None and not name.startswith("Metadata_"):
            if pd.api.types.is_integer_dtype(cells):
                continue  # it counts the rows
            column = name if name == "index" else f"Metadata_{name}"
        frame.insert(0, column, cells)
    return frame


def name_first_column(frame: pd.DataFrame) -> pd.DataFrame:
    """Call a nameless first column of text ``id``: it is the index of a frame that pandas or R wrote."""
    first = str(frame.columns[0]) if len(frame.columns) else ""
    if (
        first in NAMELESS
        and "id" not in frame.columns
        and not as_ids(frame[first]).str.fullmatch(r"\d*").all()
    ):
        frame = frame.rename(columns={first: "id"})
    return frame


def without_comments(content: str, separator: str) -> str:
    """Return a text without the comments before its header; ``#smiles,id`` is a header, not a comment."""
    rest, header = content, ""
    while rest.lstrip()[:1] in ("!", "#") or rest.lstrip()[:2] in ('"!', '"#'):
        rest = rest.lstrip()
        line = rest.replace("\r", "\n").split("\n", 1)[0]
        if line.startswith("#") and _names_columns(line.lstrip("# "), separator):
            header = rest.lstrip("# ")
        rest = rest[len(line) :]
    rest = rest.lstrip("\r\n") if len(rest) < len(content) else content
    following = rest.replace("\r", "\n").split("\n", 1)[0]
    return header if header and not _names_columns(following, separator) else rest


def _names_columns(line: str, separator: str) -> bool:
    """Whether a line could be a header: several cells, one of them the name of a column of ids."""
    cells = next(csv.reader([line], delimiter=separator), [])
    return len(cells) > 1 and any(entity_of_column(cell) for cell in cells)


def name_rows(metadata: pd.DataFrame, names: pd.Index, *, wanted: bool = False) -> None:
    """Add the names of rows to their metadata, as column ``id`` unless they have a name of their own.

    Parameters
    ----------
    metadata
        Table to which the column is added, unless it has one of that name.
    names
        Names of the rows; 0, 1, 2, ... are none.
    wanted
        Take these numbers all the same, since somebody asked for the column ``id``.
    """
    column = str(names.name) if names.name not in (None, "index", "_index") else "id"
    counted = [str(row) for row in range(len(names))]
    if column not in metadata and (wanted or list(map(str, names)) != counted):
        metadata[column] = as_ids(pd.Series(names.to_numpy(object))).to_numpy()
