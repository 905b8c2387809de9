"""Outputs that are whole or absent: temporary name first, rename last."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cytomol.errors import InputError, OutputError
from cytomol.files.ours import mark, refuse_foreign
from cytomol.files.replace import publish_directory, publish_file, settled
from cytomol.files.temporary import discard, new_directory, new_file, sweep

__all__ = [
    "atomic_directory",
    "atomic_file",
    "cache_root",
    "check_output",
    "check_place",
    "check_space",
    "discard_output",
    "remove_output",
    "require_file",
    "sha256",
]


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def require_file(path: str | Path, *, what: str = "file") -> Path:
    """Return ``path`` if it is a readable, non-empty file; otherwise say what it is instead."""
    path = Path(path)
    try:
        if path.is_dir():
            raise InputError(f"is a directory where a {what} belongs", where=str(path))
        if not path.exists():
            raise InputError(f"{what} not found", where=str(path), hint="check the path")
        if path.stat().st_size == 0:
            raise InputError(f"{what} is empty", where=str(path))
    except (OSError, ValueError) as error:  # a name too long, or with a NUL in it
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"{what} cannot be opened: {reason}", where=f"{path!s:.100}") from None
    return path


def check_place(path: str | Path) -> Path:
    """Refuse early a place where nothing can be written; whether something lies there is not looked at."""
    path = Path(path)
    parent = path.parent
    ancestor = next(place for place in (parent, *parent.resolve().parents) if place.exists())
    if not ancestor.is_dir():
        raise OutputError("is not a directory, so nothing can be written below it", where=str(ancestor))
    if not os.access(ancestor, os.W_OK):
        raise OutputError("cannot be written to", where=str(ancestor), hint="choose another place")
    return path


def check_space(path: str | Path, needed: int, *, what: str) -> None:
    """Refuse early a disk that cannot hold what is to be written.

    Parameters
    ----------
    path
        File or directory to be made.
    needed
        Bytes.
    what
        What needs them: "a training".

    Raises
    ------
    OutputError
        If there is less. A file system that does not tell its space is not asked twice.
    """
    parent = Path(os.path.realpath(path)).parent
    place = next(one for one in (parent, *parent.parents) if one.exists())
    try:
        free = shutil.disk_usage(place).free
    except OSError:
        return
    if free < needed:
        raise OutputError(
            f"{what} needs {needed / 1e6:,.0f} MB here, and {free / 1e6:,.0f} MB are free",
            where=str(path),
            hint="make room, or choose another place",
        )


def check_output(path: str | Path, *, force: bool = False) -> Path:
    """Refuse early, before any work, an output that exists or a place that cannot be written.

    Parameters
    ----------
    path
        File or directory to be made.
    force
        Accept an existing output, which will be replaced: a file, or a directory that this tool wrote.
    """
    path = settled(path)
    if path.exists() and not force:
        raise OutputError("output exists", where=str(path), hint="use --force to replace it")
    refuse_foreign(path)
    return check_place(path)


@contextmanager
def _as_output_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"cannot be written: {reason}", where=str(path), hint="check free space and permissions"
        ) from error


@contextmanager
def _temporary_beside(path: Path, new: Callable[[Path], Path]) -> Iterator[tuple[Path, Path]]:
    """Give something new in the folder of an output, and the output's place; discard what is left of it."""
    temporary: Path | None = None
    try:
        with _as_output_error(path):
            place = _target(path)
            place.parent.mkdir(parents=True, exist_ok=True)
            sweep(place.parent)
            temporary = new(place.parent)
            yield temporary, place
    finally:
        if temporary is not None:
            discard(temporary)


@contextmanager
def atomic_file(path: str | Path, *, force: bool = False) -> Iterator[Path]:
    """Give a temporary path beside ``path``; rename it there when the block ends well.

    The temporary name keeps the suffixes of ``path``, so that writers which choose a format by
    name work. When the block raises, nothing is left behind and an existing file is untouched; a process
    that is killed leaves the old file or the new one. A link is followed.
    An ``OSError`` inside the block (full or read-only disk) becomes an ``OutputError``.
    """
    path = Path(path)
    if path.is_dir():
        raise OutputError("is a directory where a file belongs", where=str(path))
    check_output(path, force=force)
    suffix = "".join(path.suffixes[-2:])
    with _temporary_beside(path, lambda folder: new_file(folder, suffix)) as (temporary, place):
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        publish_file(temporary, place)


@contextmanager
def atomic_directory(path: str | Path, *, force: bool = False) -> Iterator[Path]:
    """Give an empty temporary directory beside ``path``; rename it there when the block ends well.

    What was written is listed in the directory, so that ``force`` replaces what this tool wrote and nothing
    else. A process that is killed leaves the old directory or the new one. A link is followed.
    """
    path = Path(path)
    if path.exists() and not path.is_dir():
        raise OutputError("is a file where a directory belongs", where=str(path))
    check_output(path, force=force)
    with _temporary_beside(path, new_directory) as (temporary, place):
        temporary.chmod(0o777 & ~_umask())
        yield temporary
        mark(temporary)
        refuse_foreign(place)  # somebody may have put something there since
        publish_directory(temporary, place, replace=force)


def discard_output(path: Path) -> None:
    """Remove a folder of a cache, which is ours by its place, however damaged; nothing if there is none.

    Raises
    ------
    OSError
        If it cannot be removed.
    """
    if os.path.lexists(path):
        aside = new_directory(path.parent)
        try:
            # Renamed first: a directory is there whole, or not at all.
            path.rename(aside / path.name)
        finally:
            discard(aside)


def remove_output(path: str | Path) -> None:
    """Remove a directory that this tool wrote, if it is there.

    Raises
    ------
    OutputError
        If it is not ours, or cannot be removed.
    """
    path = settled(path)
    if not os.path.lexists(path):
        return
    refuse_foreign(path)
    with _as_output_error(path):
        discard_output(path)


def _target(path: Path) -> Path:
    """Return the absolute path that is to be written: where a link points, so that the link stays."""
    return Path(os.path.realpath(path)) if path.is_symlink() else Path(os.path.abspath(path))  # noqa: PTH100


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def cache_root() -> Path:
    """Return the cache directory: ``CYTOMOL_CACHE``, else the user's cache folder."""
    if chosen := os.environ.get("CYTOMOL_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "cytomol"
