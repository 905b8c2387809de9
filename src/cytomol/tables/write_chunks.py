"""Write a table chunk by chunk, whole or not at all, so that memory does not grow with its length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.errors import OutputError
from cytomol.files import atomic_file, check_output
from cytomol.tables.annotated import AnnotatedFile, Layout
from cytomol.tables.read import format_of
from cytomol.tables.write import dialect

__all__ = ["CHUNKED_FORMATS", "ChunkWriter", "Layout", "check_chunks_name", "open_chunks"]

CHUNKED_FORMATS = ("csv", "tsv", "parquet", "h5ad")


class ChunkWriter(Protocol):
    """Takes the rows of a table, chunk after chunk, all with the same columns."""

    def write(self, frame: pd.DataFrame, matrices: Mapping[str, NDArray[Any]] | None = None) -> None:
        """Add rows.

        Parameters
        ----------
        frame
            Columns of the rows.
        matrices
            Matrices aligned with the rows, shape (rows, width); their columns have the names that the layout
            gives them, or ``name_0``, ``name_1``, ...
        """
        ...


class _Delimited:
    def __init__(self, path: Path, separator: str, layout: Layout) -> None:
        self._path, self._separator, self._layout, self._begun = path, separator, layout, False

    def write(self, frame: pd.DataFrame, matrices: Mapping[str, NDArray[Any]] | None = None) -> None:
        table = _with_matrices(frame, matrices or {}, self._layout)
        table.to_csv(
            self._path,
            mode="a" if self._begun else "w",
            header=not self._begun,
            index=False,
            sep=self._separator,
            **dialect(table),
        )
        self._begun = True


class _Parquet:
    def __init__(self, path: Path, layout: Layout) -> None:
        self._path, self._layout = path, layout
        self._writer: Any = None

    def write(self, frame: pd.DataFrame, matrices: Mapping[str, NDArray[Any]] | None = None) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        table = pa.Table.from_pandas(
            _with_matrices(frame, matrices or {}, self._layout), preserve_index=False
        ).replace_schema_metadata(None)
        if self._writer is None:
            # a column without any cell in the first chunk may hold text later
            fields = [
                one.with_type(pa.string()) if pa.types.is_null(one.type) else one for one in table.schema
            ]
            self._writer = parquet.ParquetWriter(self._path, pa.schema(fields))
        self._writer.write_table(table.cast(self._writer.schema))

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def _with_matrices(frame: pd.DataFrame, matrices: Mapping[str, NDArray[Any]], layout: Layout) -> pd.DataFrame:
    blocks = [
        pd.DataFrame(matrix, columns=layout.names(name, np.shape(matrix)[1]))
        for name, matrix in matrices.items()
        if name not in layout.omit
    ]
    return pd.concat([frame.reset_index(drop=True), *blocks], axis=1)


def check_chunks_name(path: str | Path, *, force: bool = False) -> None:
    """Refuse before any work an output that exists, cannot be written or is of another kind.

    Raises
    ------
    OutputError
        With the kinds that there are.
    """
    path = Path(path)
    if format_of(path) not in CHUNKED_FORMATS or (format_of(path) == "h5ad" and path.suffix == ".gz"):
        raise OutputError(
            f"unknown kind of output {path.suffix!r}",
            where=str(path),
            hint=f"use {', '.join('.' + name for name in CHUNKED_FORMATS)}",
        )
    if path.is_dir():
        raise OutputError("is a directory where a file belongs", where=str(path))
    check_output(path, force=force)


@contextmanager
def open_chunks(
    path: str | Path, *, force: bool = False, layout: Layout | None = None
) -> Iterator[ChunkWriter]:
    """Give a writer of a ``.csv``, ``.tsv`` (also ``.gz``), ``.parquet`` or ``.h5ad`` file.

    The file has its name when the block ends well; otherwise nothing is left behind.

    Parameters
    ----------
    path
        The output.
    force
        Replace an existing file.
    layout
        Names of the columns of matrices, and which of them are ``X`` and layers of an AnnData file; by
        default all lie in ``obsm``.

    Raises
    ------
    OutputError
        If the output exists, cannot be written or is of another kind.
    MissingDependencyError
        If an ``.h5ad`` file is asked for and h5py is not installed.

    Examples
    --------
    >>> layout = Layout(columns={"X_place": ["east", "north"]})
    >>> with open_chunks("places.csv", layout=layout) as writer:
    ...     writer.write(pd.DataFrame({"id": ["a"]}), {"X_place": np.array([[1.0, 2.0]])})
    >>> Path("places.csv").read_text().splitlines()
    ['id,east,north', 'a,1.0,2.0']
    """
    check_chunks_name(path, force=force)
    layout, kind = layout or Layout(), format_of(Path(path))
    with atomic_file(path, force=force) as temporary:
        if kind in {"csv", "tsv"}:
            yield _Delimited(temporary, "\t" if kind == "tsv" else ",", layout)
            return
        if kind == "h5ad":
            yield from _annotated(temporary, layout)
            return
        writer = _Parquet(temporary, layout)
        try:
            yield writer
        finally:
            writer.close()


def _annotated(path: Path, layout: Layout) -> Iterator[AnnotatedFile]:
    file = AnnotatedFile(path, layout)
    try:
        yield file
        file.close()
    finally:
        file.abandon()
