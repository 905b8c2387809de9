"""What a Parquet file may become: its few bytes can stand for any number of rows and letters."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from cytomol.errors import InputError
from cytomol.files import check_expansion

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["open_parquet", "plain_batch", "plain_table"]

_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8, "INT96": 12}
_SHORTEST = 4  # bytes that a text takes in memory, however short
_HINT = "write it again without dictionaries if you trust it"


def open_parquet(source: Any, length: int, *, where: str, whole: bool, **options: Any) -> Any:
    """Open a Parquet file; refuse one whose pages, or rows, are more than there can be.

    Texts come as dictionaries, as they lie in the file, so that their length is known before they are written
    out; `plain_table` and `plain_batch` do that.

    Parameters
    ----------
    source
        Path or open file.
    length
        Its bytes.
    where
        Its name.
    whole
        Whether all rows will be in memory at once.
    options
        Further arguments of ``pyarrow.parquet.ParquetFile``.

    Returns
    -------
    pyarrow.parquet.ParquetFile

    Raises
    ------
    InputError
        If it is to become too long.
    pyarrow.ArrowException, OSError, ValueError, OverflowError, MemoryError
        If it is damaged.
    """
    import pyarrow.parquet as pq

    file = pq.ParquetFile(source, page_checksum_verification=True, **options)
    meta = file.metadata
    groups = [meta.row_group(number) for number in range(meta.num_row_groups)]
    pages = sum(group.total_byte_size for group in groups)
    if meta.num_rows < 0 or pages < 0:
        raise ValueError("a negative number of rows or bytes")
    check_expansion(pages, length, where=where, hint=_HINT)
    columns = [meta.schema.column(number) for number in range(meta.num_columns)]
    if whole:
        row = sum(_WIDTHS.get(column.physical_type, _SHORTEST) for column in columns)
        if (becomes := meta.num_rows * row) > (most := _memory() // 2):
            check_expansion(becomes, min(length, most // 100), where=where, hint="read it in parts")
    plain = set(file.schema_arrow.names)  # what is nested stays as it is
    texts = [one.path for one in columns if one.physical_type == "BYTE_ARRAY" and one.path in plain]
    if not texts:
        return file
    file.close()
    if hasattr(source, "seek"):
        source.seek(0)
    return pq.ParquetFile(source, page_checksum_verification=True, read_dictionary=texts, **options)


def plain_table(table: pa.Table, length: int, *, where: str) -> pa.Table:
    """Return a table with its dictionaries written out, once that is known to be no longer than it may be.

    Raises
    ------
    InputError
        If texts become too long.
    """
    import pyarrow as pa

    becomes = 0
    for column in table.columns:
        if pa.types.is_dictionary(column.type):
            becomes += sum(map(_letters, column.chunks))
    check_expansion(becomes, length, where=where, hint=_HINT)
    for position, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            plain = table.column(position).cast(field.type.value_type)
            table = table.set_column(position, field.name, plain)
    return table


def plain_batch(batch: pa.RecordBatch, length: int, *, where: str) -> pa.RecordBatch:
    """Return some rows with their dictionaries written out; see `plain_table`."""
    import pyarrow as pa

    table = plain_table(pa.Table.from_batches([batch]), length, where=where).combine_chunks()
    found = table.to_batches()
    if len(found) > 1:  # texts of more than 2 GB
        raise InputError("holds texts too long to be read", where=where)
    return found[0] if found else batch.slice(0, 0)


def _letters(chunk: pa.DictionaryArray) -> int:
    """Return the bytes of a column's texts."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = chunk.dictionary.type
    texts = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if not texts and not pa.types.is_binary(kind) and not pa.types.is_large_binary(kind):
        return 0
    lengths = pc.binary_length(chunk.dictionary).cast(pa.int64())
    return pc.sum(pc.take(lengths, chunk.indices)).as_py() or 0


def _memory() -> int:
    """Return the bytes of this machine's memory."""
    if hasattr(os, "sysconf"):
        return int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return 8 * 2**30  # Windows tells no figure without a package of its own
