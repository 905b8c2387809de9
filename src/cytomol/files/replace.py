"""Put a finished file or folder in its place: on disk first, and what stood there is never missed."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from cytomol.files.temporary import discard, is_stale, is_temporary, new_aside

__all__ = ["publish_directory", "publish_file", "settled", "sync_folder", "sync_tree"]

_NOT_SUPPORTED = {errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES, errno.EPERM, errno.EROFS}
_ATTEMPTS = 10
_PATIENCE = 2.0  # seconds that a reader waits for a writer that is between its two renames


def publish_file(new: Path, path: Path) -> None:
    """Rename a finished file to ``path``, both on the same file system; old or new is there at any moment."""
    _sync(new)
    new.replace(path)
    sync_folder(path.parent)


def publish_directory(new: Path, path: Path, *, replace: bool = True) -> None:
    """Rename a finished folder to ``path``; what stood there is removed when the new one is safe.

    Two folders change places in one step where the system can do it. Elsewhere the old one is set aside
    first, and whoever looks for it in between finds it there (`settled`). Without ``replace`` what stands
    there is an error.
    """
    sync_tree(new)
    for attempt in range(_ATTEMPTS):
        try:
            if not os.path.lexists(path):
                new.rename(path)
                sync_folder(path.parent)
                return
            if not replace:
                raise FileExistsError(errno.EEXIST, "another process has written it", str(path))
            if _exchange(new, path):
                sync_folder(path.parent)
                discard(new)
                return
            _rename_twice(new, path)
        except OSError as error:
            # Another process wrote the same output, or removed it, in the meantime.
            again = {errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT}
            if not replace or error.errno not in again or not new.exists() or attempt + 1 == _ATTEMPTS:
                raise
        else:
            return


def _rename_twice(new: Path, path: Path) -> None:
    aside = new_aside(path.parent)
    waiting = aside / path.name
    try:
        path.rename(waiting)
        new.rename(path)
        sync_folder(path.parent)
    except BaseException:
        if waiting.exists() and not os.path.lexists(path):
            waiting.rename(path)
        raise
    finally:
        discard(aside)


def settled(path: str | Path) -> Path:
    """Return where an output is to be found; one that a killed writer had set aside is put back first.

    Readers of folders call this, so that a replaced output is never absent. Where nothing was set aside
    the path comes back as it is, whether something lies there or not.
    """
    path = Path(path)
    began = time.monotonic()
    while not os.path.lexists(path):
        waiting = _set_aside(path)
        if waiting is None:
            break
        if not is_stale(waiting.parent) and time.monotonic() - began < _PATIENCE:
            time.sleep(0.01)
            continue
        try:
            waiting.rename(path)
        except FileNotFoundError:  # another reader was faster
            continue
        except OSError:
            # Another one stands there by now, or nothing may be written here.
            return path if os.path.lexists(path) else waiting
        with contextlib.suppress(OSError):
            waiting.parent.rmdir()
    return path


def _set_aside(path: Path) -> Path | None:
    try:
        names = [n for n in os.listdir(path.parent) if n.startswith(".old-") and is_temporary(n)]  # noqa: PTH208
    except OSError:
        return None
    found = [path.parent / name / path.name for name in names]
    return next((place for place in found if os.path.lexists(place)), None)


@functools.cache
def _system_exchange() -> Callable[[bytes, bytes], int] | None:
    """Return the system's call that lets two names change places; None where there is none."""
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            darwin = library.renamex_np
            darwin.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint)
            return lambda one, other: int(darwin(one, other, 2))  # RENAME_SWAP
        linux = library.renameat2
        linux.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
        here = -100  # AT_FDCWD
        return lambda one, other: int(linux(here, one, here, other, 2))  # RENAME_EXCHANGE
    except (OSError, AttributeError, TypeError):
        return None


def _exchange(one: Path, other: Path) -> bool:
    """Let two paths change places in one step; False where this system or file system cannot."""
    call = _system_exchange()
    return call is not None and call(os.fsencode(one), os.fsencode(other)) == 0


def sync_tree(folder: Path) -> None:
    """Wait until all files of a folder, and the names of all, are on disk."""
    for place, _, names in os.walk(folder, topdown=False):
        for name in names:
            _sync(Path(place) / name)
        sync_folder(Path(place))


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on disk."""
    if sys.platform != "win32":  # folders cannot be opened there
        _sync(folder)


def _sync(path: Path) -> None:
    """Wait until a file is on disk; a file system that cannot promise it is taken at its best."""
    flags = os.O_RDWR if sys.platform == "win32" else os.O_RDONLY
    try:
        descriptor = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        if error.errno in _NOT_SUPPORTED | {errno.ELOOP}:
            return
        raise
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NOT_SUPPORTED:
            raise
    finally:
        os.close(descriptor)
