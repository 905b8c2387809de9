"""Outputs that are whole or absent: temporary name first, rename last."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cytomol.errors import InputError, OutputError

__all__ = ["atomic_directory", "atomic_file", "cache_root", "check_output", "require_file", "sha256"]


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def require_file(path: str | Path, *, what: str = "file") -> Path:
    """Return ``path`` if it is a readable, non-empty file; otherwise say what it is instead."""
    path = Path(path)
    if path.is_dir():
        raise InputError(f"is a directory where a {what} belongs", where=str(path))
    if not path.exists():
        raise InputError(f"{what} not found", where=str(path), hint="check the path")
    if path.stat().st_size == 0:
        raise InputError(f"{what} is empty", where=str(path))
    return path


def check_output(path: str | Path, *, force: bool = False) -> Path:
    """Refuse early, before any work, an output that exists or a place that cannot be written.

    Parameters
    ----------
    path
        File or directory to be made.
    force
        Accept an existing output, which will be replaced.
    """
    path = Path(path)
    if path.exists() and not force:
        raise OutputError("output exists", where=str(path), hint="use --force to replace it")
    parent = path.parent
    ancestor = next(place for place in (parent, *parent.resolve().parents) if place.exists())
    if not ancestor.is_dir():
        raise OutputError("is not a directory, so nothing can be written below it", where=str(ancestor))
    if not os.access(ancestor, os.W_OK):
        raise OutputError("cannot be written to", where=str(ancestor), hint="choose another place")
    return path


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
def atomic_file(path: str | Path, *, force: bool = False) -> Iterator[Path]:
    """Give a temporary path beside ``path``; rename it there when the block ends well.

    The temporary name keeps the suffixes of ``path``, so that writers which choose a format by
    name work. When the block raises, nothing is left behind and an existing file is untouched.
    An ``OSError`` inside the block (full or read-only disk) becomes an ``OutputError``.
    """
    path = check_output(path, force=force)
    if path.is_dir():
        raise OutputError("is a directory where a file belongs", where=str(path))
    temporary: Path | None = None
    try:
        with _as_output_error(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(
                prefix=".tmp-", suffix="".join(path.suffixes[-2:]), dir=path.parent
            )
            os.close(descriptor)
            temporary = Path(name)
            yield temporary
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_directory(path: str | Path, *, force: bool = False) -> Iterator[Path]:
    """Give an empty temporary directory beside ``path``; rename it there when the block ends well."""
    path = check_output(path, force=force)
    if path.exists() and not path.is_dir():
        raise OutputError("is a file where a directory belongs", where=str(path))
    temporary: Path | None = None
    try:
        with _as_output_error(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(prefix=".tmp-", dir=path.parent))
            temporary.chmod(0o777 & ~_umask())
            yield temporary
            _swap_directory(temporary, path)
    finally:
        if temporary is not None and temporary.exists():
            shutil.rmtree(temporary, ignore_errors=True)


def _swap_directory(new: Path, path: Path) -> None:
    """Rename ``new`` to ``path``; what stood there goes only after the new one is in place."""
    if not path.exists():
        new.replace(path)
        return
    old = Path(tempfile.mkdtemp(prefix=".old-", dir=path.parent))
    path.replace(old / "was")
    new.replace(path)
    shutil.rmtree(old, ignore_errors=True)


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
