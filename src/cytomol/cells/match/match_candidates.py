"""Candidates of a table placed for one answer, or kept in a folder for many."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cytomol.cells.match.match_library import Library, open_library
from cytomol.cells.match.match_placing import write_library
from cytomol.cells.match.match_table import MatchTable, PlacedRows
from cytomol.cells.space import Space
from cytomol.errors import ConfigError
from cytomol.files import require_file, sha256

__all__ = ["placed_candidates"]


@contextmanager
def placed_candidates(
    table: MatchTable,
    space: Space,
    folder: Path | None = None,
    *,
    keep: Sequence[str] = (),
    batch_size: int = 256,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Library]:
    """Give the placed candidates of a table: those of a folder, where they are kept, else placed now.

    Parameters
    ----------
    table
        The candidates.
    space
        Where they are placed.
    folder
        Where they are kept; made if it is not there. None keeps them for the block alone.
    keep
        Further columns wanted, if they are placed now.
    batch_size, workers, progress
        As of `MatchTable.placed`.

    Raises
    ------
    InputError
        If the folder holds other candidates, or those of another model.
    """

    def write(place: Path) -> Library:
        def parts(start: int) -> Iterator[PlacedRows]:
            return table.placed(
                space, keep=keep, start=start, batch_size=batch_size, workers=workers, progress=progress
            )

        return write_library(place, parts, origin)

    origin: dict[str, Any] = {"source": table.path}
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="cytomol-candidates-") as temporary:
            yield write(Path(temporary) / "candidates")
        return
    if table.path == "-":
        raise ConfigError("candidates from standard input cannot be kept", hint="give them as a file")
    origin |= {
        "model": space.digest,
        "modality": space.modality.name,
        "way": space.way,
        "sha256": sha256(require_file(table.path, what="file of candidates")),
        "holds": table.holds,
        "smiles_column": table.smiles_col,
        "id_column": table.id_col,
        "layer": table.layer,
    }
    if folder.exists():
        yield open_library(folder, origin)
        return
    origin["kept"] = list(keep)
    yield write(folder)
