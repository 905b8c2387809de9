"""Locks between processes that give up after a time, and say which file it is about."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from cytomol.errors import OutputError

__all__ = ["Lock"]


class Lock:
    """A lock file that one process holds at a time; who holds it may take it again.

    The system frees the lock of a process that ends in whatever way, so a lock that is not given back is
    held by one that is at work, or stands still.

    Parameters
    ----------
    path
        The lock file; it stays when the lock is given back.
    busy
        What to say when another process holds it: "another ablation is at work here".
    timeout
        Seconds after which `acquire` gives up; 0 tries once.
    """

    def __init__(self, path: Path, busy: str, *, timeout: float = 60.0) -> None:
        self.path = path
        self._busy = busy
        self._timeout = timeout
        self._lock = FileLock(path)

    def acquire(self, timeout: float | None = None) -> None:
        """Take the lock.

        Raises
        ------
        OutputError
            If another process holds it for longer than the time given, or there can be no lock here.
        """
        seconds = self._timeout if timeout is None else timeout
        try:
            self._lock.acquire(timeout=seconds)
        except Timeout as error:
            waited = f" after {seconds:g} seconds" if seconds else ""
            raise OutputError(
                f"{self._busy} and holds this lock{waited}",
                where=str(self.path),
                hint="wait for that process, or end it if it stands still; then run this again",
            ) from error
        except (OSError, NotImplementedError) as error:
            raise OutputError(
                f"cannot be locked: {error}",
                where=str(self.path),
                hint="choose a place on a file system that has locks and can be written",
            ) from error

    def release(self) -> None:
        """Give the lock back."""
        self._lock.release()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
