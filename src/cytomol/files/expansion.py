"""What a compressed file may become: 256 MB, or a hundred times its length. One rule for every kind."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from cytomol.errors import InputError

__all__ = ["check_archive", "check_expansion", "check_hdf5", "gunzip", "open_bytes"]

_FREE = 256 * 2**20  # bytes that any file may become
_EXPANSION = 100  # times its own length that a larger one may become
_INSIDE = "write it as one file"
_UNPACK = "unpack it yourself if you trust it"


def check_expansion(becomes: int, length: int, *, where: str, hint: str = _UNPACK) -> None:
    """Refuse a file that is to become more than 256 MB and more than a hundred times as long as it is.

    Parameters
    ----------
    becomes
        Bytes that it says it will take, or has taken so far.
    length
        Its own bytes.
    where
        Its name.
    hint
        What to do with one that is trusted.

    Raises
    ------
    InputError
        If it is to become more.

    Examples
    --------
    >>> check_expansion(10**8, 10, where="small.csv.gz")
    >>> check_expansion(10**9, 10**7, where="large.csv.gz")
    >>> check_expansion(10**9, 10, where="bomb.csv.gz")
    Traceback (most recent call last):
    ...
    cytomol.errors.InputError: bomb.csv.gz: becomes more than 268,435,456 bytes of 10, which no table does \
(unpack it yourself if you trust it)
    """
    if becomes > (most := _most(length)):
        raise InputError(
            f"becomes more than {most:,} bytes of {length:,}, which no table does", where=where, hint=hint
        )


def gunzip(data: bytes, *, where: str) -> bytes:
    """Return what gzip compressed.

    Raises
    ------
    InputError
        If it is damaged, or is to become too long.
    """
    with _told(where), gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
        found = packed.read(_most(len(data)) + 1)
    check_expansion(len(found), len(data), where=where)
    return found


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open a file to be read in parts, decompressed if its name ends in ``.gz``.

    Raises
    ------
    InputError
        When it is read: if it is damaged, or becomes too long.
    """
    with path.open("rb") as handle:
        if path.suffix.lower() != ".gz":
            yield handle
            return
        with io.BufferedReader(_Counted(handle, path.stat().st_size, str(path)), 1 << 20) as reader:
            yield cast("IO[bytes]", reader)


def check_archive(source: Path | bytes, *, where: str) -> None:
    """Refuse a zip archive (.xlsx, .npz) whose members are to become too long, before any is unpacked.

    Python's zipfile reads no more of a member than the archive says that it holds.

    Raises
    ------
    InputError
        If the members become too long.
    """
    length = len(source) if isinstance(source, bytes) else source.stat().st_size
    try:
        with zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source) as archive:
            becomes = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError, UnicodeDecodeError):
        return  # who reads it says what is wrong with it
    check_expansion(becomes, length, where=where)


def check_hdf5(file: Any, *, where: str) -> None:
    """Refuse an HDF5 file (.h5ad, .gctx) whose arrays are to become too long, or lie in other files.

    Parameters
    ----------
    file
        An open ``h5py.File``.
    where
        Its name.

    Raises
    ------
    InputError
        If the arrays become too long, or a link leads to another file.
    """
    import h5py

    sizes: list[int] = []

    def look(name: str, found: Any) -> None:
        if isinstance(found, h5py.Dataset):
            sizes.append(int(found.size or 0) * found.dtype.itemsize)
            if found.external or found.is_virtual:
                raise InputError(f"keeps /{name[:100]} in another file", where=where, hint=_INSIDE)
        elif isinstance(found, h5py.Group):
            for inner in found:
                if isinstance(found.get(inner, getlink=True), h5py.ExternalLink):
                    raise InputError(f"keeps /{inner[:100]} in another file", where=where, hint=_INSIDE)

    look("", file)
    file.visititems(look)
    hint = "write it without compression if you trust it"
    check_expansion(sum(sizes), Path(where).stat().st_size, where=where, hint=hint)


class _Counted(io.RawIOBase):
    """What gzip compressed, read in parts and counted."""

    def __init__(self, handle: IO[bytes], length: int, where: str) -> None:
        self._packed = gzip.GzipFile(fileobj=handle)
        self._length, self._where, self._becomes = length, where, 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill a buffer as far as there is something; return how far."""
        into = memoryview(buffer).cast("B")
        with _told(self._where):
            found = self._packed.read1(len(into))
        self._becomes += len(found)
        check_expansion(self._becomes, self._length, where=self._where)
        into[: len(found)] = found
        return len(found)


@contextmanager
def _told(where: str) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"is not a whole gzip file: {error}", where=where, hint="copy it again") from None


def _most(length: int) -> int:
    return max(_FREE, _EXPANSION * length)
