"""Names of temporary files and folders say whose they are; those of dead processes are swept."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import shutil
import socket
import sys
import tempfile
import time
from pathlib import Path

__all__ = ["discard", "is_stale", "is_temporary", "new_aside", "new_directory", "new_file", "sweep"]

_NAME = re.compile(r"\.(?P<kind>tmp|old)-(?P<place>[0-9a-f]{8})-(?P<pid>[0-9]{1,10})-\w{8}")
_DAY = 86_400.0
# What this process is writing. A name with our number that is not here was made by a process that had the
# number before us.
_active: set[str] = set()


@functools.cache
def _place() -> str:
    """Return eight digits for this machine and its numbering of processes (containers have their own)."""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = ""
    return hashlib.sha256(f"{socket.gethostname()} {namespace}".encode()).hexdigest()[:8]


def _prefix(kind: str) -> str:
    return f".{kind}-{_place()}-{os.getpid()}-"


def new_file(folder: Path, suffix: str) -> Path:
    """Make an empty temporary file in ``folder``."""
    descriptor, name = tempfile.mkstemp(prefix=_prefix("tmp"), suffix=suffix, dir=folder)
    os.close(descriptor)
    _active.add(Path(name).name)
    return Path(name)


def new_directory(folder: Path) -> Path:
    """Make an empty temporary folder in ``folder``."""
    directory = Path(tempfile.mkdtemp(prefix=_prefix("tmp"), dir=folder))
    _active.add(directory.name)
    return directory


def new_aside(folder: Path) -> Path:
    """Make a folder in ``folder`` in which an output waits, under its own name, while its place changes."""
    directory = Path(tempfile.mkdtemp(prefix=_prefix("old"), dir=folder))
    _active.add(directory.name)
    return directory


def discard(path: Path) -> None:
    """Remove a temporary file or folder, as far as that is possible."""
    with contextlib.suppress(OSError):
        if path.name.startswith(".old-"):
            # No half removed output may ever be taken for one that waits to be put back.
            path = path.rename(path.with_name(".tmp-" + path.name.removeprefix(".old-")))
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    _active.discard(path.name)
    _active.discard(path.name.replace(".tmp-", ".old-", 1))


def is_temporary(name: str) -> bool:
    """Return whether ``name`` is one that this module gives."""
    return _NAME.match(name) is not None


def is_stale(path: Path) -> bool:
    """Return whether ``path`` is a temporary file or folder that nobody is writing any more.

    That is so when its process is dead. Of processes on other machines, and where a number may have been
    given again, a day without any change tells.
    """
    match = _NAME.match(path.name)
    if match is None:
        return False
    pid = int(match["pid"])
    if match["place"] == _place() and sys.platform != "win32":  # there os.kill ends the process
        if pid == os.getpid():
            return path.name not in _active
        if not _alive(pid):
            return True
    return time.time() - _last_change(path) > _DAY


def sweep(folder: Path) -> None:
    """Remove what dead processes left in ``folder``; an output that one had set aside is put back."""
    try:
        names = [name for name in os.listdir(folder) if _NAME.match(name)]  # noqa: PTH208 - names are enough
    except OSError:
        return
    for path in (folder / name for name in names):
        if not is_stale(path):
            continue
        if path.name.startswith(".old-"):
            with contextlib.suppress(OSError):
                for waiting in path.iterdir():
                    if not os.path.lexists(folder / waiting.name):
                        waiting.rename(folder / waiting.name)
        discard(path)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # another user's
        return True
    return True


def _last_change(path: Path) -> float:
    """Return when something in a tree was changed last; now, where that cannot be told."""
    try:
        return max(p.lstat().st_mtime for p in (path, *path.rglob("*")))
    except OSError:
        return time.time()
