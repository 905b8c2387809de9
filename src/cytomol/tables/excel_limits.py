"""What the XML inside a workbook may hold, looked at before a reader builds objects from it."""

from __future__ import annotations

import io
import re
import zipfile
import zlib

from cytomol.errors import InputError
from cytomol.files import check_archive

__all__ = ["check_workbook"]

_BLOCK = 1 << 20
_END = re.compile(rb"</(?:\w+:)?(?:row|si)\s*>")  # of what a reader takes up and lets go, one by one
_MARKS = 2**20  # tags and attributes until then: a row of Excel's 16,384 cells has a tenth of it


def check_workbook(data: bytes, *, where: str) -> None:
    """Refuse a workbook that becomes too long, or whose parts cannot be read piece by piece.

    Parameters
    ----------
    data
        The ``.xlsx`` file.
    where
        Its name.

    Raises
    ------
    InputError
        If it is so.
    """
    check_archive(data, where=where)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.infolist():
                with archive.open(member) as part:
                    marks, block = 0, part.read(_BLOCK)
                    while block:
                        first, *others = _END.split(block)
                        marks += _marks(first)
                        if max(marks, *map(_marks, others), 0) > _MARKS:
                            raise InputError("holds a row without end", where=where, hint="save it as CSV")
                        marks = _marks(others[-1]) if others else marks
                        block = part.read(_BLOCK)
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError, EOFError, RuntimeError):
        return  # who reads it says what is wrong with it


def _marks(text: bytes) -> int:
    return text.count(b"<") + text.count(b"=")
