"""Bytes of a file become text, and text lines: one place decides encodings and line ends."""

from __future__ import annotations

import re
from pathlib import Path

from cytomol.errors import InputError, note
from cytomol.files import gunzip

__all__ = ["cut_lines", "decode_text", "line_of", "read_bytes", "read_text"]

_LINE_END = re.compile(r"\r\n|\r|\n")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read_bytes(path: Path) -> bytes:
    """Return the content of a file, decompressed if its name ends in ``.gz``."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=str(path)) from None
    return gunzip(data, where=str(path)) if path.suffix.lower() == ".gz" else data


def read_text(path: Path) -> str:
    """Return the content of a text file; see :func:`decode_text`."""
    return decode_text(read_bytes(path), where=str(path))


def decode_text(data: bytes, *, where: str) -> str:
    """Return text that is UTF-8, UTF-16 by its byte order mark, or else Latin-1, which is noted.

    Raises
    ------
    InputError
        If there is a NUL (where some readers stop, and so would answer another molecule), or UTF-16
        that breaks off.
    """
    if data.startswith(_UTF16_MARKS):
        text = _decode_utf16(data, where)
    else:
        if b"\0" in data:
            raise _binary(data[: data.index(b"\0")].decode("latin-1"), where)
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = line_of(data[: error.start].decode("latin-1"))
            found = f"byte {data[error.start]:#04x} in line {line}"
        note(f"is not UTF-8 ({found}): read as Latin-1", where=where)
        return data.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    if "\0" in text:
        raise _binary(text[: text.index("\0")], where)
    return text


def _decode_utf16(data: bytes, where: str) -> str:
    try:
        return data.decode("utf-16")
    except UnicodeDecodeError as error:
        line = line_of(data[: error.start].decode("utf-16", errors="ignore"))
        raise InputError(
            f"is marked as UTF-16 and is not: {error.reason}",
            where=f"{where}, line {line}",
            hint="save it as UTF-8",
        ) from None


def _binary(before: str, where: str) -> InputError:
    return InputError(
        "holds binary data where text belongs (a NUL byte)",
        where=f"{where}, line {line_of(before)}",
        hint="is it damaged, compressed, or UTF-16 without its mark?",
    )


def line_of(before: str) -> int:
    """Return the number, from 1, of the line that follows this text."""
    return len(_LINE_END.findall(before)) + 1


def cut_lines(content: str) -> list[str]:
    r"""Return the lines, cut at ``\n``, ``\r\n`` and ``\r`` and nowhere else.

    ``str.splitlines`` also cuts at form feeds, U+0085, U+2028 and more, which names that were copied
    from a document hold.
    """
    lines = _LINE_END.split(content)
    return lines[:-1] if lines[-1] == "" else lines
