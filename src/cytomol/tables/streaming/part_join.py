"""Finished parts become the output: one file, or a folder of Parquet files, whole or not at all."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.files import atomic_directory, atomic_file
from cytomol.tables.read import format_of
from cytomol.tables.write import plain_column
from cytomol.tables.write_chunks import Layout, open_chunks

__all__ = ["Parts", "join_parts"]

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same parts give the same bytes at any time


class Parts(Protocol):
    """Finished chunks of an answer, in the order of their numbers."""

    def finished(self) -> dict[int, dict[str, Any]]:
        """Return what is noted of each chunk, by its number."""
        ...

    def frame_file(self, number: int) -> Path:
        """Return the file with the columns of a chunk."""
        ...

    def read(self, number: int) -> pd.DataFrame:
        """Return the columns of a chunk."""
        ...

    def array(self, number: int, name: str) -> NDArray[Any]:
        """Return a matrix of a chunk."""
        ...


def join_parts(journal: Parts, out: str, *, force: bool = False, layout: Layout | None = None) -> None:
    """Write the finished chunks of a journal, in order, as one output.

    Parameters
    ----------
    journal
        All chunks are finished.
    out
        ``.csv``, ``.tsv`` (also ``.gz``), ``.parquet``, ``.npz``, ``-`` for standard output, or a folder
        (its name ends in ``/``), which gets a Parquet file for each chunk.
    force
        Replace an existing output.
    layout
        Of a verb that writes by :func:`~cytomol.tables.write_chunks.open_chunks` where its input is short:
        the output is what that writes, which may be ``.h5ad`` too and is never ``.npz`` or ``-``.
    """
    notes = journal.finished()
    if out == "-":
        sys.stdout.flush()
        raw = getattr(sys.stdout, "buffer", None)
        _csv(journal, notes, raw if raw is not None else cast("IO[bytes]", _Letters()), ",")
        return
    if out.endswith(("/", "\\")):
        _folder(journal, notes, Path(out), layout, force=force)
        return
    if layout is not None:
        with open_chunks(out, force=force, layout=layout) as writer:
            for number, note in notes.items():
                arrays = {name: journal.array(number, name) for name in note["arrays"]}
                writer.write(journal.read(number), arrays)
        return
    with atomic_file(out, force=force) as temporary:
        kind = format_of(Path(out))
        if kind == "parquet":
            _parquet(journal, notes, temporary)
        elif kind == "npz":
            _npz(journal, notes, temporary)
        else:
            with _bytes(temporary, zipped=Path(out).suffix == ".gz") as stream:
                _csv(journal, notes, stream, "\t" if kind == "tsv" else ",")


class _Letters:
    """Standard output that takes no bytes."""

    def write(self, data: bytes) -> int:
        return sys.stdout.write(data.decode("utf-8"))

    def flush(self) -> None:
        sys.stdout.flush()


@contextmanager
def _bytes(path: Path, *, zipped: bool) -> Iterator[IO[bytes]]:
    with path.open("wb") as raw:
        if not zipped:
            yield raw
            return
        with gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as stream:
            yield cast("IO[bytes]", stream)


def _whole(journal: Parts, number: int, note: dict[str, Any]) -> pd.DataFrame:
    """Return the columns of a chunk, those of its matrices last."""
    frame = journal.read(number)
    blocks = []
    for name in note["arrays"]:
        matrix = np.asarray(journal.array(number, name))
        blocks.append(pd.DataFrame(matrix, columns=[f"{name}_{i}" for i in range(matrix.shape[1])]))
    return pd.concat([frame, *blocks], axis=1) if blocks else frame


def _csv(journal: Parts, notes: dict[int, dict[str, Any]], stream: IO[bytes], separator: str) -> None:
    # The writer leaves a lone carriage return bare, which would cut the row: then all text is quoted.
    quoting: Any = csv.QUOTE_NONNUMERIC if any(note["bare"] for note in notes.values()) else csv.QUOTE_MINIMAL
    for place, (number, note) in enumerate(notes.items()):
        text = io.StringIO()
        _whole(journal, number, note).to_csv(
            text, index=False, header=place == 0, sep=separator, lineterminator="\n", quoting=quoting
        )
        stream.write(text.getvalue().encode("utf-8"))
    stream.flush()


def _schema(journal: Parts, notes: dict[int, dict[str, Any]], layout: Layout | None = None) -> Any:
    """Return one schema for all chunks: a column that is empty in some has the kind of the others."""
    import pyarrow as pa
    from pyarrow import parquet

    schemas = [parquet.read_schema(journal.frame_file(number)) for number in notes]
    one = pa.unify_schemas([schema.remove_metadata() for schema in schemas], promote_options="permissive")
    if layout is not None:
        fields = [each.with_type(pa.string()) if pa.types.is_null(each.type) else each for each in one]
        return pa.schema(fields)
    about = json.loads((schemas[0].metadata or {}).get(b"pandas", b"{}"))
    for schema in schemas[1:]:
        more = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
        about["columns"] = [
            second if _wider(first, second) else first
            for first, second in zip(about["columns"], more["columns"], strict=True)
        ]
    return one.with_metadata({b"pandas": json.dumps(about).encode()})


def _wider(first: dict[str, Any], second: dict[str, Any]) -> bool:
    """Say whether the second kind of a column holds what the first does, and missing cells too."""
    kinds = (first["numpy_type"], second["numpy_type"])
    return kinds[0] != kinds[1] and (
        first["pandas_type"] == "empty" or kinds[1] == "object" or kinds[1][:1] in "IU"
    )


def _table(
    journal: Parts, number: int, note: dict[str, Any], schema: Any, layout: Layout | None = None
) -> Any:
    """Return a chunk as an Arrow table of the common schema, the columns of its matrices last."""
    import pyarrow as pa
    from pyarrow import parquet

    table = parquet.read_table(journal.frame_file(number)).cast(schema)
    layout = layout or Layout()
    for name in note["arrays"]:
        if name in layout.omit:
            continue
        matrix = np.asarray(journal.array(number, name))
        for called, column in zip(layout.names(name, matrix.shape[1]), matrix.T, strict=True):
            table = table.append_column(called, pa.array(np.ascontiguousarray(column)))
    return table.replace_schema_metadata(None if note["arrays"] else schema.metadata)


def _parquet(journal: Parts, notes: dict[int, dict[str, Any]], path: Path) -> None:
    from pyarrow import parquet

    schema = _schema(journal, notes)
    writer: Any = None
    try:
        for number, note in notes.items():
            table = _table(journal, number, note, schema)
            writer = writer or parquet.ParquetWriter(path, table.schema)
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()


def _folder(
    journal: Parts,
    notes: dict[int, dict[str, Any]],
    out: Path,
    layout: Layout | None,
    *,
    force: bool,
) -> None:
    from pyarrow import parquet

    schema = _schema(journal, notes, layout)
    with atomic_directory(out, force=force) as folder:
        for number, note in notes.items():
            table = _table(journal, number, note, schema, layout)
            parquet.write_table(table, folder / f"part-{number:05}.parquet")


def _npz(journal: Parts, notes: dict[int, dict[str, Any]], path: Path) -> None:
    """Write one column after the other, so that no more than one column is in memory."""
    columns = list(journal.read(next(iter(notes))).columns)
    arrays = list(next(iter(notes.values()))["arrays"])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in columns:
            cells = [pd.read_parquet(journal.frame_file(number), columns=[name])[name] for number in notes]
            _member(archive, str(name), plain_column(pd.concat(cells, ignore_index=True)))
        for name in arrays:
            rows = sum(note["arrays"][name][1] for note in notes.values())
            kind, _, width = next(iter(notes.values()))["arrays"][name]
            with archive.open(_entry(name), "w", force_zip64=True) as handle:
                header = {"descr": np.dtype(kind).str, "fortran_order": False, "shape": (rows, width)}
                np.lib.format.write_array_header_1_0(handle, header)
                for number in notes:
                    handle.write(np.ascontiguousarray(journal.array(number, name)).tobytes())


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry


def _member(archive: zipfile.ZipFile, name: str, array: NDArray[Any]) -> None:
    with archive.open(_entry(name), "w", force_zip64=True) as handle:
        np.lib.format.write_array(handle, np.asarray(array), allow_pickle=False)
