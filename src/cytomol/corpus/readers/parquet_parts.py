"""Profiles of a Parquet file, some rows at a time: only the columns that are wanted are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from cytomol.corpus.identifiers import as_ids
from cytomol.corpus.profiles import ProfileTable, choose_columns, feature_matrix
from cytomol.corpus.read_rows import NAMELESS, index_as_columns, name_first_column, pandas_index_of
from cytomol.corpus.readers.base import FeaturePick
from cytomol.errors import InputError
from cytomol.tables.delimited import check_header
from cytomol.tables.parquet import parquet_frame, parquet_names
from cytomol.tables.parquet_limits import open_parquet, plain_table

__all__ = ["parquet_columns", "parquet_parts"]

_BUFFER = 1 << 16  # bytes of a column read at a time, so that a large row group is never whole in memory


def parquet_parts(
    path: Path, pick: FeaturePick, *, rows: int, beside: tuple[str, ...] = ()
) -> Iterator[ProfileTable]:
    """Yield the rows of a Parquet table; parameters as of ``ProfileReader.parts``.

    Raises
    ------
    InputError
        If the file is damaged, holds no rows, or a wanted feature is no number.
    """
    where, length = str(path), path.stat().st_size
    with _opened(path) as file:
        if file.metadata.num_rows == 0:
            raise InputError("holds no rows", where=where)
        columns = _Columns(file, path)
        report = choose_columns(list(columns.names.values()), None, where, None)
        wanted = pick(report)
        kept = {*wanted, *beside, *(set(columns.names.values()) - set(report.features))}
        stored = [stored for stored, name in columns.names.items() if name in kept]
        start = 0
        for batch in file.iter_batches(batch_size=rows, columns=stored, use_threads=False):
            frame = columns.frame(plain_table(_table(batch), length, where=where))
            texts = {name: as_ids(frame[name]) for name in frame if name not in wanted}
            metadata = pd.DataFrame(texts, index=frame.index)
            values = feature_matrix(frame, wanted, where, start=start)
            yield ProfileTable(where, metadata, values, wanted)
            start += len(frame)


def parquet_columns(path: Path) -> list[str]:
    """Return the names of the columns as they are when the file is read whole."""
    with _opened(path) as file:
        return list(_Columns(file, path).names.values())


class _Columns:
    """What the columns of a file are called, as when it is read whole.

    Attributes
    ----------
    names
        Name by stored name, an index that only counts the rows left out.
    """

    def __init__(self, file: Any, path: Path) -> None:
        empty = file.schema_arrow.empty_table()
        check_header(empty.column_names, where=str(path), separator=",")
        self._where, self._stored, self._index = str(path), parquet_names(empty), pandas_index_of(path)
        self._renamed: dict[str, str] = {}
        self.names: dict[str, str] = {}
        for stored, name in self._stored.items():
            if stored not in self._index:
                self.names[stored] = name
            elif len(column := self._frame(empty.select([stored])).columns):  # else it only counts the rows
                self.names[stored] = str(column[0])
        first = next(iter(self._frame(empty)), None)
        if first in NAMELESS and "id" not in self.names.values():  # its rows tell whether it names them
            stored = next(stored for stored, name in self.names.items() if name == first)
            called = str(name_first_column(self._frame(file.read(columns=[stored]))).columns[0])
            self._renamed = {str(first): called}
            self.names[stored] = called

    def frame(self, table: Any) -> pd.DataFrame:
        """Return rows under these names."""
        return self._frame(table).rename(columns=self._renamed)

    def _frame(self, table: Any) -> pd.DataFrame:
        here = set(table.column_names)
        names = {stored: name for stored, name in self._stored.items() if stored in here}
        index = [stored for stored in self._index if stored in here]
        return index_as_columns(parquet_frame(table, names, where=self._where), index)


def _table(batch: Any) -> Any:
    import pyarrow as pa

    return pa.Table.from_batches([batch])


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Give the file; say in one message what is wrong with one that cannot be read, then or later."""
    import pyarrow as pa

    try:
        length, where = path.stat().st_size, str(path)
        # pre_buffer would keep what was read of all row groups until the file is closed
        with open_parquet(
            path, length, where=where, whole=False, buffer_size=_BUFFER, pre_buffer=False
        ) as file:
            yield file
    except (pa.ArrowException, OSError, OverflowError, MemoryError) as error:
        reason = str(error).split(chr(10), maxsplit=1)[0][:200]
        raise InputError(f"is not a readable Parquet file: {reason}", where=str(path)) from None
