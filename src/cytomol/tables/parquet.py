"""Parquet tables: every column that the file has, as text where pandas has no plain type for it."""

from __future__ import annotations

import io
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pandas as pd

from cytomol.errors import InputError
from cytomol.tables.delimited import check_header
from cytomol.tables.parquet_limits import open_parquet, plain_table

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["parquet_frame", "parquet_names", "parse_parquet"]


def parse_parquet(data: bytes, *, where: str, text: bool = False) -> pd.DataFrame:
    """Read a Parquet table.

    A pandas index that has a name, or holds anything but numbers, is a column like the others.

    Parameters
    ----------
    data
        The file.
    where
        Its name, for errors.
    text
        Keep whole numbers whole where some are missing (702, not 702.0); times, durations, decimals and
        nested values are text either way, bytes are text, categories are their values.

    Raises
    ------
    InputError
        If the file is damaged or becomes too long, a column name stands twice or a column cannot be read.
    """
    import pyarrow as pa

    try:
        file = open_parquet(io.BytesIO(data), len(data), where=where, whole=True)
        table = plain_table(file.read(), len(data), where=where)
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        raise InputError(
            f"is not a readable Parquet file: {str(error).split(chr(10), maxsplit=1)[0][:200]}", where=where
        ) from None
    check_header(table.column_names, where=where, separator=",")
    return parquet_frame(table, parquet_names(table), where=where, text=text)


def parquet_frame(table: pa.Table, names: dict[str, str], *, where: str, text: bool = False) -> pd.DataFrame:
    """Return columns of a table, or of some of its rows, under the names of `parquet_names`."""
    import pyarrow as pa

    columns: dict[str, pd.Series[Any]] = {}
    for position, field in enumerate(table.schema):
        if field.name not in names:
            continue
        try:
            columns[names[field.name]] = _series(table.column(position), text=text)
        except (pa.ArrowException, ValueError, OverflowError, TypeError) as error:
            raise InputError(
                f"cannot be read as {field.type}: {str(error).splitlines()[0][:200]}",
                where=f"{where}, column {names[field.name]!r}",
            ) from None
    return pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows))


def parquet_names(table: pa.Table) -> dict[str, str]:
    """Return the columns to read with their names; a nameless index of numbers is left out."""
    import pyarrow as pa

    nameless = set()
    described = (table.schema.metadata or {}).get(b"pandas")
    try:
        indexes = json.loads(described).get("index_columns", []) if described else []
        nameless = {name for name in indexes if isinstance(name, str) and name.startswith("__index_level_")}
    except (ValueError, AttributeError, TypeError):
        pass  # damaged metadata say nothing of the columns, which are read all the same
    names: dict[str, str] = {}
    for field in table.schema:
        if field.name not in nameless:
            names[field.name] = field.name
        elif not pa.types.is_integer(field.type):
            number = field.name.removeprefix("__index_level_").removesuffix("__")
            free = "index" if number == "0" else f"index{number}"
            names[field.name] = free if free not in table.column_names else field.name
    return names


def _series(column: pa.ChunkedArray, *, text: bool) -> pd.Series[Any]:
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if pa.types.is_temporal(kind) or pa.types.is_nested(kind) or pa.types.is_decimal(kind):
        return pd.Series(_texts(column), dtype=object)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return pd.Series([_decoded(value) for value in column.to_pylist()], dtype=object)
    if text and pa.types.is_integer(kind) and column.null_count:
        series: pd.Series[Any] = pd.Series(
            column.to_pylist(), dtype="Int64" if kind != pa.uint64() else "UInt64"
        )
        return series
    if pa.types.is_null(kind):
        return pd.Series([None] * len(column), dtype=object)
    plain: pd.Series[Any] = column.to_pandas()
    return plain.reset_index(drop=True)


def _texts(column: pa.ChunkedArray) -> list[str | None]:
    """Return values as text; a time too large for Python's own types as its number and unit."""
    import pyarrow as pa

    with suppress(pa.ArrowException, ValueError, OverflowError, TypeError, ImportError):
        return [None if value is None else str(value) for value in column.to_pylist()]
    with suppress(pa.ArrowException, ValueError, OverflowError):
        return [None if value is None else str(value) for value in column.cast(pa.string()).to_pylist()]
    numbers = column.cast(pa.int64()).to_pylist()
    unit = getattr(column.type, "unit", "")
    return [None if value is None else f"{value} {unit}".strip() for value in numbers]


def _decoded(value: bytes | None) -> str | None:
    if value is None:
        return None
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
