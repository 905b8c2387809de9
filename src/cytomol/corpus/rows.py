"""Rows of a table of any kind, read alike: comments skipped, a named index among the columns."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd

from cytomol.corpus.identifiers import as_ids, entity_of_column
from cytomol.files import require_file
from cytomol.tables import read_table
from cytomol.tables.read import format_of, parse_csv, read_text

__all__ = ["name_rows", "read_rows", "without_comments"]

_SEPARATORS = {"csv": ",", "tsv": "\t", "txt": "\t"}


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
    separator = _SEPARATORS.get(format_of(path))
    if separator is not None:
        content = read_text(require_file(path, what="table"))
        if content.lstrip()[:1] in ("!", "#", '"'):
            shorter = without_comments(content, separator)
            if len(shorter) < len(content):
                frame = parse_csv(shorter, where=str(path), separator=separator, text=text)
                frame.columns = frame.columns.astype(str)
                return _index_as_columns(frame)
    return _index_as_columns(read_table(path, text=text))


def _index_as_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Put a pandas index that names its rows among the columns; one that counts them says nothing."""
    for level, name in enumerate(frame.index.names):
        values = pd.Series(frame.index.get_level_values(level))
        column = "id" if name is None else str(name)
        if entity_of_column(column) is None and not column.startswith("Metadata_"):
            column = f"Metadata_{column}"
        counts = pd.api.types.is_integer_dtype(values) and (name is None or entity_of_column(column) is None)
        if not counts and column not in frame.columns:
            frame.insert(level, column, values.to_numpy())
    frame = frame.reset_index(drop=True)
    first = str(frame.columns[0]) if len(frame.columns) else ""
    if first in ("", "Unnamed: 0") and "id" not in frame.columns:
        # what pandas' to_csv makes of an index without name
        cells = as_ids(frame[first])
        if not cells.str.fullmatch(r"\d*").all():
            frame = frame.rename(columns={first: "id"})
    return frame


def without_comments(content: str, separator: str) -> str:
    """Return a text without the comments before its header; ``#smiles,id`` is a header, not a comment."""
    rest = content
    while rest.lstrip()[:1] in ("!", "#") or rest.lstrip()[:2] in ('"!', '"#'):
        rest = rest.lstrip()
        line = rest.replace("\r", "\n").split("\n", 1)[0]
        cells = next(csv.reader([line.lstrip("#! ")], delimiter=separator), [])
        if len(cells) > 1 and any(entity_of_column(cell.strip('"#! ')) for cell in cells):
            return rest.lstrip("#! ") if not line.startswith('"') else rest
        rest = rest[len(line) :]
    return rest.lstrip("\r\n") if len(rest) < len(content) else content


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
