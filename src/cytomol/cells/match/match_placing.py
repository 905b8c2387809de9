"""Candidates written to disk part by part as they are placed; what was cut off goes on where it stood."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytomol.cells.match.match_library import (
    ABOUT,
    CROWD,
    FORMAT,
    PLACES,
    VERSION,
    Library,
    refuse_other_origin,
    rows_file,
)
from cytomol.cells.match.match_table import PlacedRows
from cytomol.errors import InputError, OutputError
from cytomol.files import Lock, atomic_file, check_output, discard_output, sha256
from cytomol.files.ours import mark

__all__ = ["write_library"]

_STATE, _ORIGIN, _LOCK = "state.npz", "origin.json", ".lock"


def write_library(
    folder: Path, parts: Callable[[int], Iterable[PlacedRows]], origin: Mapping[str, Any]
) -> Library:
    """Write placed candidates into a folder; memory holds one part.

    The folder is there when all are placed. Until then what is done stands in a folder of this name with
    ``.partial``, from which the next call goes on.

    Parameters
    ----------
    folder
        To be made.
    parts
        Gives the candidates from some row on, in the order of their rows.
    origin
        What names them: ``model``, ``modality``, ``way``, ``source``, ...

    Raises
    ------
    InputError
        If none has a place, or the unfinished candidates are others.
    OutputError
        If the folder exists or cannot be written, or another process is at work there.
    """
    check_output(folder)
    partial = folder.with_name(folder.name + ".partial")
    try:
        partial.mkdir(parents=True, exist_ok=True)
        with Lock(partial / _LOCK, "another process places candidates here", timeout=0):
            writer = _Writer(partial, origin)
            for part in parts(writer.rows):
                writer.add(part)
            if writer.valid:
                writer.finish(origin)
        if not writer.valid:
            discard_output(partial)
            raise InputError(
                f"none of its {writer.rows:,} rows can be placed; {writer.first_error}",
                where=str(origin.get("source", "")) or None,
                hint="is this the file, and are these its columns?",
            )
        (partial / _LOCK).unlink(missing_ok=True)
        mark(partial)
        partial.rename(folder)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"cannot be written: {reason}", where=str(partial), hint="check free space and permissions"
        ) from error
    return Library.read(folder)


class _Writer:
    """Adds parts to an unfinished folder; what it is after each part is kept beside them.

    Attributes
    ----------
    rows, valid
        Rows that stand there, and those of them with a place.
    first_error
        Row and reason of the first without.
    """

    def __init__(self, folder: Path, origin: Mapping[str, Any]) -> None:
        self._folder = folder
        self.rows = self.valid = 0
        self.first_error = ""
        self._ends: list[int] = []
        self._sum: NDArray[np.float64] = np.zeros(0)
        self._square: NDArray[np.float64] = np.zeros((0, 0))
        (folder / "rows").mkdir(exist_ok=True)
        if (folder / _STATE).exists():
            self._go_on(origin)
        else:
            _write_json(folder / _ORIGIN, origin)
            (folder / PLACES).write_bytes(b"")

    def _go_on(self, origin: Mapping[str, Any]) -> None:
        begun = json.loads((self._folder / _ORIGIN).read_text(encoding="utf-8"))
        refuse_other_origin(begun, origin, self._folder)
        with np.load(self._folder / _STATE, allow_pickle=False) as state:
            self._ends = state["ends"].tolist()
            self.valid = int(state["valid"])
            self.first_error = str(state["first_error"])
            self._sum, self._square = state["sum"], state["square"]
        self.rows = self._ends[-1]
        os.truncate(self._folder / PLACES, 4 * self.rows * len(self._sum))

    def add(self, part: PlacedRows) -> None:
        """Add rows, and note that they are there."""
        import pyarrow as pa

        names = list(map(str, part.about))
        schema = pa.schema([(name, pa.string()) for name in names])
        batch = pa.RecordBatch.from_pandas(part.about, schema=schema, preserve_index=False)
        with (
            atomic_file(rows_file(self._folder, len(self._ends)), force=True) as temporary,
            pa.OSFile(str(temporary), "wb") as sink,
            pa.ipc.new_file(sink, schema) as writer,
        ):
            writer.write_batch(batch)
        wrong = (part.about["error"] != "").to_numpy(bool)
        if wrong.any() and not self.first_error:
            row = int(np.flatnonzero(wrong)[0])
            self.first_error = f"row {part.start + row + 1}: {part.about['error'].iloc[row]}"
        self.rows += len(part.about)
        self._ends.append(self.rows)
        self._place(part.places, ~wrong)
        state: dict[str, Any] = {"ends": self._ends, "valid": self.valid}
        state |= {"first_error": self.first_error, "sum": self._sum, "square": self._square}
        with atomic_file(self._folder / _STATE, force=True) as temporary:
            np.savez(temporary, **state)

    def _place(self, places: NDArray[np.float32], valid: NDArray[np.bool_]) -> None:
        if not self._sum.size:
            width = places.shape[1]
            self._sum, self._square = np.zeros(width), np.zeros((width, width))
        with (self._folder / PLACES).open("ab") as handle:
            np.ascontiguousarray(places, np.float32).tofile(handle)
        exact = places[valid].astype(np.float64)
        self._sum = self._sum + exact.sum(axis=0)
        self._square = self._square + exact.T @ exact
        self.valid += int(valid.sum())

    def finish(self, origin: Mapping[str, Any]) -> None:
        """Write what names them; what was kept for going on goes."""
        with atomic_file(self._folder / CROWD, force=True) as temporary:
            np.savez(temporary, mean=self._sum / self.valid, second=self._square / self.valid)
        about = {
            "format": FORMAT,
            "version": VERSION,
            "places": sha256(self._folder / PLACES),
            "rows": self.rows,
            "valid": self.valid,
            "width": len(self._sum),
            "first_error": self.first_error,
            "ends": self._ends,
        }
        _write_json(self._folder / ABOUT, about | dict(origin))
        for name in (_STATE, _ORIGIN):
            (self._folder / name).unlink()


def _write_json(path: Path, table: Mapping[str, Any]) -> None:
    with atomic_file(path, force=True) as temporary:
        temporary.write_text(json.dumps(dict(table), indent=1) + "\n", encoding="utf-8")
