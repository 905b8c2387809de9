"""What the stages of a long fit gave, kept beside the output so that an interrupted run goes on."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytomol.files import atomic_directory, remove_output
from cytomol.files.ours import mark

__all__ = ["Stages", "digest_of"]

Arrays = dict[str, NDArray[Any]]


class Stages:
    """Results of stages by name; nothing is kept without a folder.

    Parameters
    ----------
    folder
        Where they are kept; None for a run that cannot be continued.
    digest
        What the run depends on (see :func:`digest_of`): stages of another run are thrown away.
    """

    def __init__(self, folder: Path | None = None, digest: str = "") -> None:
        self.folder = folder
        self.digest = digest
        self.prefix = ""
        self.resumed: list[str] = []
        if folder is not None and folder.is_dir() and self._found() != digest:
            remove_output(folder)  # refuses what this tool did not write

    def within(self, name: str) -> Stages:
        """Return a part of these stages, whose names are kept apart from others'."""
        part = copy.copy(self)
        part.prefix = f"{self.prefix}{name}-"
        return part

    def _found(self) -> str:
        assert self.folder is not None
        try:
            return str(json.loads((self.folder / "run.json").read_text(encoding="utf-8"))["digest"])
        except (OSError, ValueError, KeyError):
            return ""

    def arrays(self, name: str, make: Callable[[], Arrays]) -> Arrays:
        """Return the arrays of a stage, as kept or as ``make`` gives them."""
        return self.state(name, lambda: ({}, make()))[1]

    def state(
        self, name: str, make: Callable[[], tuple[dict[str, Any], Arrays]]
    ) -> tuple[dict[str, Any], Arrays]:
        """Return the table and the arrays of a stage, as kept or as ``make`` gives them."""
        if self.folder is None:
            return make()
        place = self.folder / (self.prefix + name)
        if (place / "arrays.npz").is_file():
            self.resumed.append(self.prefix + name)
            with np.load(place / "arrays.npz", allow_pickle=False) as kept:
                arrays = {key: kept[key] for key in kept.files}
            return json.loads((place / "table.json").read_text(encoding="utf-8")), arrays
        table, arrays = make()
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "run.json").write_text(json.dumps({"digest": self.digest}), encoding="utf-8")
        with atomic_directory(place) as directory:
            (directory / "table.json").write_text(json.dumps(table), encoding="utf-8")
            np.savez(directory / "arrays.npz", allow_pickle=False, **arrays)
        mark(self.folder)
        return table, arrays

    def end(self) -> None:
        """Throw away what was kept."""
        if self.folder is not None and self.folder.is_dir():
            remove_output(self.folder)


def digest_of(*parts: Mapping[str, Any] | str | bytes | NDArray[Any] | None) -> str:
    """Return a SHA-256 over what a run depends on."""
    whole = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            data = part.tobytes() if part.dtype != object else repr(part.tolist()).encode()
            whole.update(f"{part.dtype.kind}{part.shape}".encode() + data)
        elif isinstance(part, bytes):
            whole.update(part)
        else:
            whole.update(json.dumps(part, sort_keys=True).encode())
        whole.update(b"\x00")
    return whole.hexdigest()
