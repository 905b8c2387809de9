"""Which folders this tool wrote: they carry a list of their files, and only such are replaced or removed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from cytomol.errors import OutputError
from cytomol.files.temporary import is_temporary

__all__ = ["MARK", "REPORT", "SIGNATURE", "mark", "refuse_foreign", "written_files"]

MARK = ".cytomol"
"""File in a folder that lists what was written into it; a model directory's manifest does it as well."""

_FORMATS = {MARK: "cytomol output", "manifest.json": "cytomol model directory"}
# What file managers leave wherever they look.
_DROPPINGS = {".DS_Store", "Thumbs.db", "desktop.ini"}
REPORT = "report.html"
"""Page about what a folder holds, which can be made from it again: no part of it, and no stranger in it."""
SIGNATURE = "manifest.sig"
"""Signature of a model directory's manifest, which the manifest cannot list."""


def mark(folder: Path) -> None:
    """List the files of a finished folder in it, unless it has such a list already (a model directory)."""
    (folder / MARK).unlink(missing_ok=True)
    if written_files(folder) is None:
        table = {"format": _FORMATS[MARK], "files": sorted(_files(folder))}
        (folder / MARK).write_text(json.dumps(table, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")


def written_files(folder: Path) -> frozenset[str] | None:
    """Return the files that this tool wrote into a folder, by relative path; None if it is not ours."""
    for name, form in _FORMATS.items():
        try:
            table = json.loads((folder / name).read_text(encoding="utf-8"))
            if table["format"] == form:
                beside = [] if name == MARK else [SIGNATURE]
                return frozenset([name, *beside, *map(str, table["files"])])
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            continue
    return None


def refuse_foreign(path: Path) -> None:
    """Refuse to replace or remove what this tool did not write.

    A file that the user names is the user's word for it. A folder must be empty, or list its files as ours
    do and hold no others.

    Raises
    ------
    OutputError
        With the name of what is not ours.
    """
    if not path.exists() or path.is_file():
        return
    if not path.is_dir():
        raise OutputError(
            "is neither a file nor a folder, so it is not replaced",
            where=str(path),
            hint="choose another place",
        )
    ours = written_files(path)
    foreign = next((name for name in _files(path) if ours is None or name not in ours), None)
    if foreign is not None and ours is None:
        raise OutputError(
            f"is a folder that cytomol did not write (it holds {foreign!r}), so it is not replaced",
            where=str(path),
            hint="choose another place, or remove it yourself",
        )
    if foreign is not None:
        raise OutputError(
            f"holds {foreign!r}, which cytomol did not write, so it is not replaced",
            where=str(path),
            hint="move that file away, or choose another place",
        )


def _files(folder: Path) -> Iterator[str]:
    """Yield the relative path of everything in a folder that is not a folder itself."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        folders[:] = [name for name in folders if not is_temporary(name)]
        for name in sorted([*names, *links]):
            if name not in _DROPPINGS and name != REPORT and not is_temporary(name):
                yield (Path(place) / name).relative_to(folder).as_posix()
