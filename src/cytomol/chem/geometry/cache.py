"""Geometry vectors kept between runs, one SQLite file per provider and version."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.geometry.base import GeometryProvider
from cytomol.errors import OutputError

__all__ = ["GeometryCache", "Known"]

Known = tuple[NDArray[np.float32] | None, str]
"""A vector and "", or None and the reason why there is none."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS geometry (
    key BLOB PRIMARY KEY,          -- 16-byte BLAKE2b of the SMILES
    vector BLOB,                   -- little-endian float32, NULL for a failure
    reason TEXT NOT NULL,
    seconds REAL                   -- the limit that a timed-out molecule exceeded, else NULL
);
"""
# A failure never replaces a vector that another process has found in the meantime.
_STORE = """
INSERT INTO geometry VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE
SET vector = excluded.vector, reason = excluded.reason, seconds = excluded.seconds
WHERE geometry.vector IS NULL OR excluded.vector IS NOT NULL
"""
_AT_ONCE = 500  # SQLite's oldest limit on parameters is 999
_PENDING_LIMIT = 256
_PENDING_SECONDS = 2.0


class GeometryCache:
    """Vectors and failures by SMILES; several processes may read and write at the same time.

    Parameters
    ----------
    directory
        Where the files lie; made when absent.
    provider
        Whose vectors these are: another provider or version has another file.
    """

    def __init__(self, directory: Path, provider: GeometryProvider) -> None:
        self.path = directory / f"{provider.name}-{provider.version}-{provider.digest()}.sqlite"
        self._width = provider.width
        self._pending: list[tuple[bytes, bytes | None, str, float | None]] = []
        self._committed = time.monotonic()
        with self._errors():
            directory.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self.path, timeout=120.0)
            # Readers do not wait for writers, and a crash loses at most the last transaction. Where
            # the file system cannot do it, SQLite stays with its default, which is slower and safe.
            self._connection.execute("PRAGMA journal_mode=WAL").fetchone()
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.executescript(_SCHEMA)
            self._connection.execute("INSERT OR IGNORE INTO about VALUES ('key', ?)", (provider.key(),))
            self._connection.commit()

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
            with self._errors():
                rows = self._connection.execute(
                    f"SELECT key, vector, reason, seconds FROM geometry WHERE key IN ({marks})",  # noqa: S608
                    keys,
                ).fetchall()
            found = {key: rest for key, *rest in rows}
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
        self._pending.append((_key(smiles), blob, reason, seconds))
        if len(self._pending) >= _PENDING_LIMIT or time.monotonic() - self._committed > _PENDING_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what is pending."""
        if self._pending:
            with self._errors(), self._connection:
                self._connection.executemany(_STORE, self._pending)
            self._pending.clear()
        self._committed = time.monotonic()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise OutputError(
                f"geometry cache cannot be used: {error}",
                where=str(self.path),
                hint="check free space and permissions, delete the file if it is damaged, "
                "or choose another folder with CYTOMOL_CACHE",
            ) from error


def _key(smiles: str) -> bytes:
    return hashlib.blake2b(smiles.encode(), digest_size=16).digest()
