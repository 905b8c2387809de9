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
from cytomol.files import atomic_file
from cytomol.tables.read import format_of

__all__ = ["CHUNKED_FORMATS", "ChunkWriter", "open_chunks"]

CHUNKED_FORMATS = ("csv", "tsv", "parquet")


class ChunkWriter(Protocol):
    """Takes the rows of a table, chunk after chunk, all with the same columns."""

    def write(self, frame: pd.DataFrame, matrices: Mapping[str, NDArray[Any]] | None = None) -> None:
        """Add rows.

        Parameters
        ----------
        frame
            Columns of the rows.
        matrices
            Matrices aligned with the rows, shape (rows, width): columns ``name_0``, ``name_1``, ...
        """
        ...


class _Delimited:
    def __init__(self, path: Path, separator: str) -> None:
        self._path, self._separator, self._begun = path, separator, False

    def write(self, frame: pd.DataFrame, matrices: Mapping[str, NDArray[Any]] | None = None) -> None:
        table = _with_matrices(frame, matrices or {})
        table.to_csv(
            self._path,
            mode="a" if self._begun else "w",
            header=not self._begun,
            index=False,
            sep=self._separator,
            lineterminator="\n",
        )
        self._begun = True


class _Parquet:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None

    def write(self, frame: pd.DataFrame, matrices: Mapping[str, NDArray[Any]] | None = None) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        table = pa.Table.from_pandas(_with_matrices(frame, matrices or {}), preserve_index=False)
        if self._writer is None:
            self._writer = parquet.ParquetWriter(self._path, table.schema)
        self._writer.write_table(table.cast(self._writer.schema))

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def _with_matrices(frame: pd.DataFrame, matrices: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    blocks = [
        pd.DataFrame(matrix, columns=[f"{name}_{number}" for number in range(np.shape(matrix)[1])])
        for name, matrix in matrices.items()
    ]
    return pd.concat([frame.reset_index(drop=True), *blocks], axis=1)


@contextmanager
def open_chunks(path: str | Path, *, force: bool = False) -> Iterator[ChunkWriter]:
    """Give a writer of a ``.csv``, ``.tsv`` (also ``.gz``) or ``.parquet`` file.

    The file has its name when the block ends well; otherwise nothing is left behind.

    Raises
    ------
    OutputError
        If the output exists, cannot be written or is of another kind.
    """
    kind = format_of(Path(path))
    if kind not in CHUNKED_FORMATS:
        raise OutputError(
            f"unknown kind of output {Path(path).suffix!r}",
            where=str(path),
            hint=f"use {', '.join('.' + name for name in CHUNKED_FORMATS)}",
        )
    with atomic_file(path, force=force) as temporary:
        if kind != "parquet":
            yield _Delimited(temporary, "\t" if kind == "tsv" else ",")
            return
        writer = _Parquet(temporary)
        try:
            yield writer
        finally:
            writer.close()
