"""Profiles of a CSV or TSV file, some rows at a time, each part read as strictly as a whole file is."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO

import pandas as pd

from cytomol.corpus.identifiers import as_ids
from cytomol.corpus.profiles import ProfileTable, choose_columns, feature_matrix
from cytomol.corpus.read_rows import SEPARATORS, name_first_column, without_comments
from cytomol.corpus.readers.base import FeaturePick
from cytomol.errors import InputError, InputNote
from cytomol.files import open_bytes
from cytomol.tables.delimited import parse_csv
from cytomol.tables.read import format_of, parse_table
from cytomol.tables.text import decode_text

__all__ = ["text_columns", "text_parts"]

_LINE_END = re.compile(r"\r\n|\r|\n")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_LOOKED_AT = 256  # rows from which the columns are told


def text_parts(
    path: Path, pick: FeaturePick, *, rows: int, beside: tuple[str, ...] = ()
) -> Iterator[ProfileTable]:
    """Yield the rows of a CSV or TSV table (also gzipped); parameters as of ``ProfileReader.parts``.

    What stands beside the features is text as it stands in the file. Whether a first column without a name
    is one of ids is told by the first part.

    Raises
    ------
    InputError
        As when the file is read whole; the line is that of the file.
    """
    where = str(path)
    with _opened(path) as handle:
        blocks = _blocks(handle, rows)
        head, first = _head(path, next(blocks))
        names = head.names(first)
        report = choose_columns(names, None, where, None)
        wanted = pick(report)
        kept = {*beside, *(set(names) - set(report.features))} - set(wanted)
        start, line = 0, head.lines
        for body in chain([first], (decode_text(block, where=where) for block in blocks)):
            frame = head.frame(line, body).set_axis(names, axis=1)
            line += _lines(body)
            if not len(frame):
                continue
            texts = head.texts(body).set_axis(names, axis=1)
            about = {name: as_ids(texts[name]) for name in names if name in kept}
            metadata = pd.DataFrame(about, index=frame.index)
            values = feature_matrix(frame, wanted, where, start=start)
            start += len(frame)
            yield ProfileTable(where, metadata, values, wanted)
    if start == 0:
        raise InputError("holds no rows", where=where)


def text_columns(path: Path) -> list[str]:
    """Return the names of the columns, told from the first rows."""
    with _opened(path) as handle:
        head, first = _head(path, next(_blocks(handle, _LOOKED_AT)))
        return head.names(first)


@dataclass(frozen=True)
class _Head:
    """The lines up to the header's end: they stand before every part when it is parsed."""

    where: str
    separator: str
    text: str

    @property
    def lines(self) -> int:
        return _lines(self.text)

    def names(self, body: str) -> list[str]:
        """Return the names of the columns."""
        return list(map(str, name_first_column(self.frame(self.lines, body))))

    def frame(self, line: int, body: str) -> pd.DataFrame:
        """Return the records of a part that stands after so many lines of the file."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", InputNote)
                return self._parsed(body)
        except (InputError, InputNote):
            # again with the lines before it, so that what is said of a line names that of the file
            return self._parsed("\n" * (line - self.lines) + body)

    def texts(self, body: str) -> pd.DataFrame:
        """Return the records of a part that can be parsed, with every cell as it stands there."""
        frame: pd.DataFrame = pd.read_csv(
            io.StringIO(self.text + body),
            sep=self.separator,
            index_col=False,
            skip_blank_lines=self.separator in self.text,
            dtype=str,
            keep_default_na=False,
        )
        return frame

    def _parsed(self, body: str) -> pd.DataFrame:
        return parse_csv(self.text + body, where=self.where, separator=self.separator)


def _head(path: Path, block: bytes) -> tuple[_Head, str]:
    """Return the header of a file, and what follows it in its first block.

    Raises
    ------
    InputError
        If the file is empty, or of another kind than its name says.
    """
    where, separator = str(path), SEPARATORS[format_of(path)]
    content = without_comments(decode_text(block, where=where), separator)
    at = 0
    while at < len(content) and not content[:at].strip():
        at = _record_end(content, at)
    parse_table(content[: _record_end(content, at)].encode(), format_of(path), where=where)
    text = content[:at]
    return _Head(where, separator, text if _LINE_END.search(text[-1:]) else text + "\n"), content[at:]


def _record_end(content: str, at: int) -> int:
    """Return where the record that begins at a place ends: behind the next line end outside quotes."""
    end = at
    while end < len(content):
        found = _LINE_END.search(content, end)
        end = len(content) if found is None else found.end()
        if content.count('"', at, end) % 2 == 0:
            break
    return end


def _lines(text: str) -> int:
    return len(_LINE_END.findall(text))


def _blocks(handle: IO[bytes], rows: int) -> Iterator[bytes]:
    """Yield a file in blocks of whole records: so many lines, or more until all quotes are closed.

    The first has the header and the comments before it besides.
    """
    block: list[bytes] = []
    quotes, counted, begun = 0, -1, False
    for line in handle:
        if not begun and not block and line.startswith(_UTF16):  # its lines end otherwise: read whole
            yield line + handle.read()
            return
        block.append(line)
        quotes += line.count(b'"')
        counted += begun or (line.strip() != b"" and line.lstrip(b' "')[:1] not in (b"#", b"!"))
        if counted >= rows and quotes % 2 == 0:
            yield b"".join(block)
            begun, quotes, counted = True, 0, 0
            block.clear()
    if block or not begun:
        yield b"".join(block)


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    where = str(path)
    try:
        with open_bytes(path) as handle:
            yield handle
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=where) from None
