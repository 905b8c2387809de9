"""Vectors of molecules kept between runs, one SQLite file per maker and version, each with its checksum."""

from __future__ import annotations

import hashlib
import sqlite3
import time
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.counted import agreeing
from cytomol.errors import OutputError
from cytomol.files import Lock

__all__ = ["Known", "VectorCache", "VectorMaker"]

_Row = tuple[bytes, bytes | None, str, float | None, int]

Known = tuple[NDArray[np.float32] | None, str]
"""A vector and "", or None and the reason why there is none."""


class VectorMaker(Protocol):
    """What makes the vectors: a geometry provider, or an encoder."""

    @property
    def name(self) -> str:
        """Under which it is registered."""

    @property
    def version(self) -> str:
        """Raised whenever the same SMILES would give another vector."""

    @property
    def width(self) -> int:
        """Length of a vector."""

    def key(self) -> str:
        """Return all that a vector depends on besides the SMILES."""

    def digest(self) -> str:
        """Return a short name of the key."""


_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS geometry (
    key BLOB PRIMARY KEY,          -- 16-byte BLAKE2b of the SMILES
    vector BLOB,                   -- little-endian float32, NULL for a failure
    reason TEXT NOT NULL,
    seconds REAL,                  -- the limit that a timed-out molecule exceeded, else NULL
    checksum INTEGER               -- CRC-32 of the row; NULL in rows of versions that had none
);
"""
# A failure never replaces a vector that another process has found in the meantime.
_STORE = """
INSERT INTO geometry (key, vector, reason, seconds, checksum) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE
SET vector = excluded.vector, reason = excluded.reason, seconds = excluded.seconds,
    checksum = excluded.checksum
WHERE geometry.vector IS NULL OR excluded.vector IS NOT NULL
"""
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_AT_ONCE = 500  # SQLite's oldest limit on parameters is 999
_LOCK_SECONDS = 120.0
_PENDING_LIMIT = 256
_PENDING_SECONDS = 2.0


class VectorCache:
    """Vectors and failures by SMILES; several processes may read and write at the same time.

    Parameters
    ----------
    directory
        Where the files lie; made when absent.
    provider
        Whose vectors these are: another provider or version has another file.
    """

    def __init__(self, directory: Path, provider: VectorMaker) -> None:
        self.path = directory / f"{provider.name}-{provider.version}-{provider.digest()}.sqlite"
        self._width = provider.width
        self._key = provider.key()
        self._pending: list[_Row] = []
        self._committed = time.monotonic()
        with self._errors():
            directory.mkdir(parents=True, exist_ok=True)
            self._connection = self._connected()
            try:
                self._prepare()
            except sqlite3.DatabaseError as error:
                self._start_anew(error)

    def _connected(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=_LOCK_SECONDS)

    def _prepare(self) -> None:
        # Readers do not wait for writers, and a crash loses at most the last transaction. Where
        # the file system cannot do it, SQLite stays with its default, which is slower and safe.
        self._connection.execute("PRAGMA journal_mode=WAL").fetchone()
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_SCHEMA)
        columns = [row[1] for row in self._connection.execute("PRAGMA table_info(geometry)")]
        if "checksum" not in columns:
            try:
                self._connection.execute("ALTER TABLE geometry ADD COLUMN checksum INTEGER")
            except sqlite3.OperationalError as error:  # another process was faster
                if "duplicate" not in str(error):
                    raise
        self._connection.execute("INSERT OR IGNORE INTO about VALUES ('key', ?)", (self._key,))
        self._connection.commit()

    def _start_anew(self, error: sqlite3.DatabaseError) -> None:
        """Leave a damaged file for a new one, whatever else went wrong is raised; what is pending stays."""
        if error.sqlite_errorcode & 0xFF not in _DAMAGED:
            raise error
        self._connection.close()
        with Lock(self.path.with_suffix(".lock"), "another process mends this vector cache", timeout=120.0):
            self._connection = self._connected()
            if not self._whole():  # otherwise another process has mended it
                self._connection.close()
                for suffix in ("", "-wal", "-shm"):
                    self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
                self._connection = self._connected()
                self._say(f"is damaged ({error}) and is begun anew")
            self._prepare()

    def _whole(self) -> bool:
        try:
            return bool(self._connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
        except sqlite3.DatabaseError:
            return False

    def _say(self, text: str) -> None:
        warnings.warn(f"vector cache {self.path} {text}", RuntimeWarning, stacklevel=3)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.flush()
        finally:
            self._connection.close()

    def find(self, smiles: Sequence[str], *, timeout: float) -> Iterator[tuple[int, Known]]:
        """Yield the position and the result of every molecule that is known.

        A molecule that once exceeded its time counts as known only if it had at least ``timeout``.
        """
        for start in range(0, len(smiles), _AT_ONCE):
            keys = [_key(one) for one in smiles[start : start + _AT_ONCE]]
            marks = ",".join("?" * len(keys))
            query = f"SELECT key, vector, reason, seconds, checksum FROM geometry WHERE key IN ({marks})"  # noqa: S608
            with self._errors():
                try:
                    rows = self._connection.execute(query, keys).fetchall()
                except sqlite3.DatabaseError as error:
                    self._start_anew(error)
                    rows = []
            found = {row[0]: row[1:4] for row in rows if _intact(row[:4], row[4])}
            if len(found) < len(rows):
                count, plural = len(rows) - len(found), "damaged rows, which"
                are = agreeing(count, "damaged row, which", "is", "are", plural=plural, comma=False)
                self._say(f"holds {are} computed again")
            for position, key in enumerate(keys, start):
                if key not in found:
                    continue
                vector, reason, seconds = found[key]
                if vector is not None and len(vector) == 4 * self._width:
                    yield position, (np.frombuffer(vector, dtype="<f4"), "")
                elif vector is None and (seconds is None or seconds >= timeout):
                    yield position, (None, reason)

    def store(self, smiles: str, known: Known, *, seconds: float | None = None) -> None:
        """Keep a result; it is on disk after two seconds, 256 results or `flush`."""
        vector, reason = known
        blob = None if vector is None else np.ascontiguousarray(vector, dtype="<f4").tobytes()
        row = (_key(smiles), blob, reason, seconds)
        self._pending.append((*row, _checksum(row)))
        if len(self._pending) >= _PENDING_LIMIT or time.monotonic() - self._committed > _PENDING_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what is pending."""
        if self._pending:
            with self._errors():
                try:
                    self._write()
                except sqlite3.DatabaseError as error:
                    self._start_anew(error)
                    self._write()
            self._pending.clear()
        self._committed = time.monotonic()

    def _write(self) -> None:
        with self._connection:
            self._connection.executemany(_STORE, self._pending)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            locked = isinstance(error, sqlite3.Error) and "locked" in str(error)
            raise OutputError(
                f"vector cache cannot be used: {error}",
                where=str(self.path),
                hint=f"another process has written for {_LOCK_SECONDS:g} seconds: wait for it, or end it"
                if locked
                else "check free space and permissions, or choose another folder with CYTOMOL_CACHE",
            ) from error


def _key(smiles: str) -> bytes:
    return hashlib.blake2b(smiles.encode(), digest_size=16).digest()


def _checksum(row: tuple[bytes, bytes | None, str, float | None]) -> int:
    key, vector, reason, seconds = row
    return zlib.crc32(
        b"\0".join((key, vector or b"", reason.encode("utf-8", "replace"), repr(seconds).encode()))
    )


def _intact(row: tuple[bytes, bytes | None, str, float | None], expected: int | None) -> bool:
    """Return whether a row is as it was written; rows of old versions are believed unless they are zeroed."""
    if expected is None:
        vector = row[1]
        return vector is None or any(vector)
    return isinstance(row[2], str) and _checksum(row) == expected
