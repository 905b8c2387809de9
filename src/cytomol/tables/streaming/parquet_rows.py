"""Rows of Parquet files in chunks, over the borders of files and row groups."""

from __future__ import annotations

from collections.abc import Container, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cytomol.errors import InputError
from cytomol.tables.delimited import check_header
from cytomol.tables.parquet import parquet_frame, parquet_names
from cytomol.tables.parquet_limits import open_parquet, plain_batch

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["count_parquet", "parquet_chunks", "parquet_files"]


def parquet_files(folder: Path) -> list[Path]:
    """Return the Parquet files of a folder in the order of their names."""
    return sorted(one for one in folder.glob("*.parquet") if not one.name.startswith((".", "_")))


def _opened(path: Path) -> Any:
    import pyarrow as pa

    try:
        return open_parquet(
            path,
            path.stat().st_size,
            where=str(path),
            whole=False,
            pre_buffer=False,
            buffer_size=1 << 20,
        )
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        what = str(error).split("\n", maxsplit=1)[0][:200]
        raise InputError(f"is not a readable Parquet file: {what}", where=str(path)) from None


def count_parquet(files: list[Path]) -> tuple[int, list[str]]:
    """Return the rows of all files, and their columns.

    Raises
    ------
    InputError
        If a file is damaged, or its columns are others than those of the first.
    """
    rows, columns = 0, list[str]()
    for path in files:
        with _opened(path) as file:
            check_header(file.schema_arrow.names, where=str(path), separator=",")
            found = list(parquet_names(file.schema_arrow.empty_table()).values())
            if path != files[0] and found != columns:
                raise InputError(
                    f"has other columns than {files[0].name}: {', '.join(found[:12])}",
                    where=str(path),
                    hint="the files of a folder are parts of one table",
                )
            columns = found
            rows += file.metadata.num_rows
    return rows, columns


def parquet_chunks(files: list[Path], size: int, skip: Container[int]) -> Iterator[tuple[int, pd.DataFrame]]:
    """Yield the number of each chunk of ``size`` rows, from 0, and its rows; those in ``skip`` not.

    Groups of rows that belong to skipped chunks alone are not read.
    """
    row, waiting = 0, list["pa.RecordBatch"]()
    names: dict[str, str] = {}
    for path in files:
        with _opened(path) as file:
            names = parquet_names(file.schema_arrow.empty_table())
            for group in range(file.num_row_groups):
                rows = file.metadata.row_group(group).num_rows
                if all(number in skip for number in range(row // size, -(-(row + rows) // size))):
                    row += rows
                    continue
                for batch in _batches(file, size, path, group):
                    rest = batch
                    while rest.num_rows:
                        number, some = row // size, rest.slice(0, size - row % size)
                        rest, row = rest.slice(some.num_rows), row + some.num_rows
                        if number not in skip:
                            waiting.append(some)
                        if waiting and row % size == 0:
                            yield number, _frame(waiting, names, path)
                            waiting = []
    if waiting:
        yield row // size, _frame(waiting, names, files[-1])


def _batches(file: Any, size: int, path: Path, group: int) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    try:
        length = path.stat().st_size
        for batch in file.iter_batches(batch_size=size, row_groups=[group], use_threads=False):
            yield plain_batch(batch, length, where=str(path))
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        what = str(error).split("\n", maxsplit=1)[0][:200]
        raise InputError(f"is not a readable Parquet file: {what}", where=str(path)) from None


def _frame(batches: list[pa.RecordBatch], names: dict[str, str], path: Path) -> pd.DataFrame:
    import pyarrow as pa

    tables = [pa.Table.from_batches([one]) for one in batches]
    table = pa.concat_tables(tables, promote_options="permissive")
    frame = parquet_frame(table, names, where=str(path), text=True)
    frame.columns = frame.columns.astype(str)
    return frame
