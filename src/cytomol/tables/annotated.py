"""AnnData files written chunk by chunk, so that memory does not grow with the number of observations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.counted import counted
from cytomol.errors import MissingDependencyError, OutputError
from cytomol.tables.columns import free_name

__all__ = ["METADATA", "AnnotatedFile", "Layout"]

METADATA = "Metadata_"  # how pycytominer marks what is no feature
_CHUNK_BYTES = 1 << 18  # of a block of the file


@dataclass(frozen=True)
class Layout:
    """What becomes of the matrices of a table that is written by chunks.

    Attributes
    ----------
    columns
        Names of the columns of a matrix; without them ``name_0``, ``name_1``, ...
    x
        AnnData: the matrix that is ``X``, its columns the variables; "" for a file without.
    layers
        AnnData: name of the layer by matrix, for matrices of the shape of ``X``. The other matrices lie in
        ``obsm`` by their names, those of their columns in ``uns["columns"]``.
    omit
        Matrices that text and Parquet files leave out.
    notes
        AnnData: what else ``uns`` holds: text, numbers, arrays, lists of text and mappings of these.
    """

    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    x: str = ""
    layers: Mapping[str, str] = field(default_factory=dict)
    omit: Sequence[str] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)

    def names(self, matrix: str, width: int) -> list[str]:
        """Return the names of a matrix's columns."""
        if matrix not in self.columns:
            return [f"{matrix}_{number}" for number in range(width)]
        names = [str(name) for name in self.columns[matrix]]
        if len(names) != width:
            given = counted(len(names), "name", comma=False)
            raise ValueError(f"{given} for the {counted(width, 'column', comma=False)} of {matrix}")
        return names


class AnnotatedFile:
    """Writes the AnnData on-disk format with h5py; nothing of what was written stays in memory.

    The columns of the frames become columns of ``obs``, called ``Metadata_...``: text stays text, and whole
    numbers, fractions and truth values stay such. Observations are called 0, 1, 2, ...

    Parameters
    ----------
    path
        The file, which is made anew.
    layout
        What becomes of the matrices.

    Raises
    ------
    MissingDependencyError
        If h5py is not installed.

    References
    ----------
    https://anndata.readthedocs.io/en/stable/fileformat-prose.html, version 0.1.0 of the format.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        try:
            import h5py
        except ImportError:
            raise MissingDependencyError(
                "writing AnnData needs the package h5py", where=str(path), hint="pip install 'cytomol[omics]'"
            ) from None
        self._text = h5py.string_dtype("utf-8")
        self._layout, self._rows = layout, 0
        self._columns: dict[str, str] = {}  # of the frames -> of obs
        self._matrices: dict[str, Any] = {}
        self._file = h5py.File(path, "w")
        _mark(self._file, "anndata", "0.1.0")
        for name in ("layers", "obsm", "obsp", "varm", "varp", "uns"):
            _mark(self._file.create_group(name), "dict", "0.1.0")
        self._frame("obs", ())
        self._observations = self._dataset("obs/_index", self._text, ())

    def write(self, frame: pd.DataFrame, matrices: Mapping[str, NDArray[Any]] | None = None) -> None:
        """Add rows; see :class:`~cytomol.tables.write_chunks.ChunkWriter`."""
        matrices = matrices or {}
        if self._rows == 0 and not self._columns and not self._matrices:
            self._begin(frame, matrices)
        names = np.array([str(row) for row in range(self._rows, self._rows + len(frame))], object)
        self._append(self._observations, names)
        for name in frame.columns:
            self._append(self._file["obs"][self._columns[str(name)]], _plain(frame[name]))
        for name, matrix in matrices.items():
            self._append(self._matrices[name], np.asarray(matrix))
        self._rows += len(frame)

    def close(self) -> None:
        """Finish the file."""
        if not self._columns and not self._matrices:
            self._begin(pd.DataFrame(), {})
        self._file.close()

    def abandon(self) -> None:
        """Close the file as it is; it is not whole."""
        self._file.close()

    def _begin(self, frame: pd.DataFrame, matrices: Mapping[str, NDArray[Any]]) -> None:
        """Make the datasets that the first chunk asks for."""
        layout = self._layout
        for name in map(str, frame.columns):
            wanted = name if name.startswith(METADATA) else METADATA + name
            wanted = wanted.replace("/", "_")  # which would be a folder within the file
            self._columns[name] = free_name(wanted, set(self._columns.values()), wanted + "_2")
        for name in frame.columns:
            kind = _plain(frame[name]).dtype
            self._dataset(f"obs/{self._columns[str(name)]}", self._text if kind.kind == "O" else kind, ())
        self._file["obs"].attrs["column-order"] = np.array(list(self._columns.values()), dtype=self._text)
        for name, matrix in matrices.items():
            place = "X" if name == layout.x else f"obsm/{name}"
            if name in layout.layers:
                place = f"layers/{layout.layers[name]}"
            self._matrices[name] = self._dataset(place, matrix.dtype, (matrix.shape[1],))
        features = layout.names(layout.x, matrices[layout.x].shape[1]) if layout.x in matrices else []
        self._frame("var", features)
        beside = {
            name: layout.names(name, matrix.shape[1])
            for name, matrix in matrices.items()
            if name in layout.columns and name != layout.x and name not in layout.layers
        }
        self._note(self._file["uns"], {**({"columns": beside} if beside else {}), **layout.notes})

    def _frame(self, name: str, index: Sequence[str]) -> None:
        group = self._file.create_group(name)
        _mark(group, "dataframe", "0.2.0")
        group.attrs["_index"] = "_index"
        group.attrs["column-order"] = np.array([], dtype=np.float64)
        if name != "obs":
            self._strings(group, "_index", index)

    def _dataset(self, place: str, kind: Any, shape: tuple[int, ...]) -> Any:
        """Make an empty dataset that grows by rows."""
        size = 16 if kind is self._text else np.dtype(kind).itemsize
        rows = max(1, _CHUNK_BYTES // (size * max(1, int(np.prod(shape)))))
        dataset = self._file.create_dataset(
            place,
            (0, *shape),
            dtype=kind,
            maxshape=(None, *shape),
            chunks=(rows, *(max(1, n) for n in shape)),
        )
        _mark(dataset, "string-array" if kind is self._text else "array", "0.2.0")
        return dataset

    def _append(self, dataset: Any, rows: NDArray[Any]) -> None:
        text = rows.dtype == object
        if text != (dataset.dtype == object) or (
            not text and not np.can_cast(rows.dtype, dataset.dtype, "same_kind")
        ):
            raise OutputError(
                f"{dataset.name.removeprefix('/obs/')} holds {dataset.dtype} and later {rows.dtype}",
                where=self._file.filename,
            )
        end = self._rows + len(rows)
        dataset.resize(end, axis=0)
        if rows.size:
            dataset[self._rows : end] = rows

    def _strings(self, group: Any, name: str, texts: Sequence[str]) -> None:
        dataset = group.create_dataset(
            name, data=np.array([_text(t) for t in texts], object), dtype=self._text
        )
        _mark(dataset, "string-array", "0.2.0")

    def _note(self, group: Any, notes: Mapping[str, Any]) -> None:
        for key, note in notes.items():
            name = str(key).replace("/", "_")
            if isinstance(note, Mapping):
                _mark(inner := group.create_group(name), "dict", "0.1.0")
                self._note(inner, note)
            elif isinstance(note, str):
                _mark(group.create_dataset(name, data=_text(note), dtype=self._text), "string", "0.2.0")
            elif isinstance(note, list | tuple) and all(isinstance(one, str) for one in note):
                self._strings(group, name, note)
            else:
                array = np.asarray(note)
                _mark(
                    group.create_dataset(name, data=array),
                    "array" if array.ndim else "numeric-scalar",
                    "0.2.0",
                )


def _mark(place: Any, kind: str, version: str) -> None:
    place.attrs["encoding-type"] = kind
    place.attrs["encoding-version"] = version


def _plain(column: pd.Series[Any]) -> NDArray[Any]:
    """Return a column as numbers or truth values, or as an array of objects that are all text."""
    kind = column.dtype
    if isinstance(kind, np.dtype) and kind.kind in "biuf":
        return column.to_numpy()
    if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind):  # may hold missing ones
        return column.to_numpy(np.float64, na_value=np.nan)
    missing = column.isna()
    return np.array(
        ["" if no else _text(str(cell)) for cell, no in zip(column, missing, strict=True)], object
    )


def _text(text: str) -> str:
    """Return text as the format can hold it: without NUL, and as Unicode that can be encoded."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
