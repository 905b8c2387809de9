"""Candidates placed once and kept on disk, with all that an answer says of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.cells.match.match_search import Block
from cytomol.counted import counted
from cytomol.errors import InputError
from cytomol.files import settled

__all__ = [
    "ABOUT",
    "CROWD",
    "FORMAT",
    "PLACES",
    "VERSION",
    "Crowd",
    "Library",
    "open_library",
    "refuse_other_origin",
    "rows_file",
]

FORMAT, VERSION = "cytomol candidates", 1
ABOUT, PLACES, CROWD = "candidates.json", "places.f32", "crowd.npz"
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
        """Open a folder that `cytomol.cells.match.match_placing.write_library` made.

        Raises
        ------
        InputError
            If it is none, or damaged.
        """
        try:
            about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
            size = (folder / PLACES).stat().st_size
            if (about["format"], about["version"]) != (FORMAT, VERSION):
                raise ValueError(f"format {about['format']!r}, version {about['version']}")
            if size != 4 * about["rows"] * about["width"]:
                raise ValueError(f"{PLACES} has {counted(size, 'byte')}")
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
        with np.load(self.folder / CROWD, allow_pickle=False) as arrays:
            return Crowd(arrays["mean"], arrays["second"])

    def blocks(self) -> Iterator[Block]:
        """Yield the places in the order of the rows, a block at a time."""
        rows = max(1, _BLOCK_BYTES // (4 * self.width))
        with (self.folder / PLACES).open("rb") as handle:
            for start in range(0, self.rows, rows):
                count = min(rows, self.rows - start)
                yield start, np.fromfile(handle, np.float32, count * self.width).reshape(count, self.width)

    @cached_property
    def places(self) -> NDArray[np.float32]:
        """All places, mapped from the file, float32, shape (rows, width)."""
        return np.memmap(self.folder / PLACES, np.float32, mode="r", shape=(self.rows, self.width))

    def texts(self, rows: NDArray[np.int64]) -> pd.DataFrame:
        """Return ``id``, ``smiles``, ``error`` and ``kept_NAME`` of some rows, in their order."""
        import pyarrow as pa

        order = np.argsort(rows, kind="stable")
        place, found = rows[order], []
        ends, first = np.array(self.about["ends"], np.int64), 0
        for number in np.unique(np.searchsorted(ends, place, side="right")).tolist():
            last = int(np.searchsorted(place, ends[number]))
            begin = int(ends[number - 1]) if number else 0
            with pa.memory_map(str(rows_file(self.folder, number))) as source:
                batch = pa.ipc.open_file(source).get_batch(0)
                found.append(batch.take(pa.array(place[first:last] - begin)))
            first = last
        frame: pd.DataFrame = pa.Table.from_batches(found).to_pandas()
        back = np.empty(len(rows), np.int64)
        back[order] = np.arange(len(rows))
        return frame.iloc[back].reset_index(drop=True)


def open_library(folder: str | Path, origin: Mapping[str, Any]) -> Library:
    """Open kept candidates and see that they are those that are asked for.

    Parameters
    ----------
    folder
        Where they lie.
    origin
        What they must come from, as given to `cytomol.cells.match.match_placing.write_library`.

    Raises
    ------
    InputError
        If they come from another model, modality, way or file; it says which.
    """
    library = Library.read(settled(folder))
    refuse_other_origin(library.about, origin, library.folder)
    return library


def rows_file(folder: Path, number: int) -> Path:
    """Return the file with what is known of the rows of a part."""
    return folder / "rows" / f"{number:06d}.arrow"


def refuse_other_origin(about: Mapping[str, Any], origin: Mapping[str, Any], folder: Path) -> None:
    """Refuse candidates that come from something else than is asked for.

    Raises
    ------
    InputError
        If they do; it says from what.
    """
    names = {
        "model": "another model",
        "modality": "another modality",
        "way": "another way of placing",
        "sha256": "another file of candidates",
    }
    for key, wanted in origin.items():
        found = about.get(key)
        if key != "source" and found != wanted:
            what = names.get(key, f"another {key.replace('_', ' ')}")
            raise InputError(
                f"was made of {what}: {_short(found)}, not {_short(wanted)}",
                where=str(folder),
                hint="choose another folder, or remove it and let it be made anew",
            )


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:12]}..."
