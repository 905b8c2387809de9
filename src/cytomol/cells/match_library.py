"""Candidates placed once and kept on disk, with all that an answer says of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.cells.match_search import Block
from cytomol.cells.match_table import PlacedRows
from cytomol.errors import InputError
from cytomol.files import atomic_directory, settled, sha256

__all__ = ["Crowd", "Library", "open_library", "write_library"]

_FORMAT, _VERSION = "cytomol candidates", 1
_ABOUT, _PLACES, _ROWS, _CROWD = "candidates.json", "places.f32", "rows.arrow", "crowd.npz"
_BLOCK_BYTES = 16 * 2**20  # of places read at a time


@dataclass(frozen=True)
class Crowd:
    """All candidates together: how similar they are to a query on average, and how much that differs.

    Attributes
    ----------
    mean
        Mean place, float64, shape (width,).
    second
        Mean product of the columns, float64, shape (width, width).
    """

    mean: NDArray[np.float64]
    second: NDArray[np.float64]

    def mean_and_spread(
        self, queries: NDArray[np.float32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and standard deviation of each query's similarity to all candidates, shape (n,).

        Examples
        --------
        >>> places = np.array([[1, 0], [0, 1]])
        >>> crowd = Crowd(places.mean(axis=0), places.T @ places / 2)
        >>> [found.tolist() for found in crowd.mean_and_spread(np.array([[1, 0]], np.float32))]
        [[0.5], [0.5]]
        """
        rows = queries.astype(np.float64)
        mean = rows @ self.mean
        square = ((rows @ self.second) * rows).sum(axis=1)
        return mean, np.sqrt(np.maximum(square - mean**2, 0))


@dataclass(frozen=True)
class Library:
    """Placed candidates in a folder.

    Attributes
    ----------
    folder
        Where they lie.
    about
        ``rows``, ``valid`` (those with a place), ``width``, ``places`` (their SHA-256), ``first_error``, and
        what names their origin.
    """

    folder: Path
    about: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Open a folder that `write_library` made.

        Raises
        ------
        InputError
            If it is none, or damaged.
        """
        try:
            about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
            size = (folder / _PLACES).stat().st_size
            if (about["format"], about["version"]) != (_FORMAT, _VERSION):
                raise ValueError(f"format {about['format']!r}, version {about['version']}")
            if size != 4 * about["rows"] * about["width"]:
                raise ValueError(f"{_PLACES} has {size:,} bytes")
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise InputError(
                f"holds no candidates placed by cytomol: {error}",
                where=str(folder),
                hint="choose another folder, or remove it",
            ) from None
        return cls(folder, about)

    @property
    def rows(self) -> int:
        """Rows of the table."""
        return int(self.about["rows"])

    @property
    def valid(self) -> int:
        """Rows that have a place."""
        return int(self.about["valid"])

    @property
    def width(self) -> int:
        """Width of the space."""
        return int(self.about["width"])

    @cached_property
    def crowd(self) -> Crowd:
        """All candidates together."""
        with np.load(self.folder / _CROWD, allow_pickle=False) as arrays:
            return Crowd(arrays["mean"], arrays["second"])

    def blocks(self) -> Iterator[Block]:
        """Yield the places in the order of the rows, a block at a time."""
        rows = max(1, _BLOCK_BYTES // (4 * self.width))
        with (self.folder / _PLACES).open("rb") as handle:
            for start in range(0, self.rows, rows):
                count = min(rows, self.rows - start)
                yield start, np.fromfile(handle, np.float32, count * self.width).reshape(count, self.width)

    @cached_property
    def places(self) -> NDArray[np.float32]:
        """All places, mapped from the file, float32, shape (rows, width)."""
        return np.memmap(self.folder / _PLACES, np.float32, mode="r", shape=(self.rows, self.width))

    def texts(self, rows: NDArray[np.int64]) -> pd.DataFrame:
        """Return ``id``, ``smiles``, ``error`` and ``kept_NAME`` of some rows, in their order."""
        import pyarrow as pa

        order = np.argsort(rows, kind="stable")
        place, found = rows[order], []
        with pa.memory_map(str(self.folder / _ROWS)) as source:
            reader = pa.ipc.open_file(source)
            ends = np.array(self.about["batches"], np.int64)
            first = 0
            for number in np.unique(np.searchsorted(ends, place, side="right")):
                last = int(np.searchsorted(place, ends[number]))
                begin = int(ends[number - 1]) if number else 0
                found.append(reader.get_batch(int(number)).take(pa.array(place[first:last] - begin)))
                first = last
            table = pa.Table.from_batches(found, schema=reader.schema)
            frame: pd.DataFrame = table.to_pandas()
        back = np.empty(len(rows), np.int64)
        back[order] = np.arange(len(rows))
        return frame.iloc[back].reset_index(drop=True)


def write_library(folder: Path, parts: Iterable[PlacedRows], origin: Mapping[str, Any]) -> Library:
    """Write placed candidates into a folder, whole or not at all; memory holds one part.

    Parameters
    ----------
    folder
        To be made.
    parts
        The candidates in the order of their rows.
    origin
        What names them: ``model``, ``modality``, ``way``, ``source``.

    Raises
    ------
    InputError
        If none has a place.
    OutputError
        If the folder exists or cannot be written.
    """
    with atomic_directory(folder) as temporary:
        writer = _Writer(temporary)
        for part in parts:
            writer.add(part)
        about = writer.finish(str(origin.get("source", "")))
        text = json.dumps({"format": _FORMAT, "version": _VERSION, **about, **origin}, indent=1)
        (temporary / _ABOUT).write_text(text + "\n", encoding="utf-8")
    return Library.read(folder)


class _Writer:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._table: Any = None
        self._sink: Any = None
        self._waiting = self._rows = self._valid = 0
        self._batches: list[int] = []
        self._error = ""
        self._sum: NDArray[np.float64] = np.zeros(0)
        self._square: NDArray[np.float64] = np.zeros((0, 0))
        (folder / _PLACES).touch()

    def add(self, part: PlacedRows) -> None:
        import pyarrow as pa

        table = pa.RecordBatch.from_pandas(
            part.about,
            schema=pa.schema([(name, pa.string()) for name in part.about]),
            preserve_index=False,
        )
        if self._table is None:
            self._sink = pa.OSFile(str(self._folder / _ROWS), "wb")
            self._table = pa.ipc.new_file(self._sink, table.schema)
        self._table.write_batch(table)
        wrong = (part.about["error"] != "").to_numpy(bool)
        if wrong.any() and not self._error:
            row = int(np.flatnonzero(wrong)[0])
            self._error = f"row {part.start + row + 1}: {part.about['error'].iloc[row]}"
        self._rows += len(part.about)
        self._batches.append(self._rows)
        self._place(part.places, ~wrong)

    def _place(self, places: NDArray[np.float32], valid: NDArray[np.bool_]) -> None:
        if not valid.any() and not self._valid:
            self._waiting += len(places)  # the width is not known yet
            return
        width = len(self._sum) or places.shape[1]
        if not self._valid:
            self._sum, self._square = np.zeros(width), np.zeros((width, width))
        blank = np.full((self._waiting, width), np.nan, np.float32)
        rows = places if valid.any() else np.full((len(places), width), np.nan, np.float32)
        with (self._folder / _PLACES).open("ab") as handle:
            blank.tofile(handle)
            np.ascontiguousarray(rows, np.float32).tofile(handle)
        exact = rows[valid].astype(np.float64)
        self._sum += exact.sum(axis=0)
        self._square += exact.T @ exact
        self._valid, self._waiting = self._valid + int(valid.sum()), 0

    def finish(self, where: str) -> dict[str, Any]:
        if self._table is not None:
            self._table.close()
            self._sink.close()
        if not self._valid:
            raise InputError(
                f"none of its {self._rows:,} rows can be placed; {self._error}",
                where=where or None,
                hint="is this the file, and are these its columns?",
            )
        np.savez(self._folder / _CROWD, mean=self._sum / self._valid, second=self._square / self._valid)
        return {
            "places": sha256(self._folder / _PLACES),
            "rows": self._rows,
            "valid": self._valid,
            "width": len(self._sum),
            "first_error": self._error,
            "batches": self._batches,
        }


def open_library(folder: str | Path, origin: Mapping[str, Any]) -> Library:
    """Open kept candidates and see that they are those that are asked for.

    Parameters
    ----------
    folder
        Where they lie.
    origin
        What they must come from, as given to `write_library`.

    Raises
    ------
    InputError
        If they come from another model, modality, way or file; it says which.
    """
    library = Library.read(settled(folder))
    names = {
        "model": "another model",
        "modality": "another modality",
        "way": "another way of placing",
        "sha256": "another file of candidates",
    }
    for key, wanted in origin.items():
        found = library.about.get(key)
        if key != "source" and found != wanted:
            what = names.get(key, f"another {key.replace('_', ' ')}")
            raise InputError(
                f"was made of {what}: {_short(found)}, not {_short(wanted)}",
                where=str(folder),
                hint="choose another folder, or remove it and let it be made anew",
            )
    return library


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:12]}..."
