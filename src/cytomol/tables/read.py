"""Read a CSV, TSV or Parquet table; say what is wrong with one that cannot be read."""

from __future__ import annotations

import csv
import gzip
import io
import warnings
import zlib
from collections import Counter
from pathlib import Path

import pandas as pd

from cytomol.errors import InputError
from cytomol.files import require_file

__all__ = ["format_of", "parse_csv", "read_bytes", "read_table", "read_text"]

_SEPARATORS = {"csv": ",", "tsv": "\t", "txt": "\t"}


def format_of(path: Path) -> str:
    """Return the kind of a file by its name, ``.gz`` left out: "csv", "parquet", "smi", "sdf", ..."""
    suffixes = [suffix.lower().lstrip(".") for suffix in path.suffixes]
    if suffixes and suffixes[-1] == "gz":
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def read_bytes(path: Path) -> bytes:
    """Return the content of a file, decompressed if its name ends in ``.gz``."""
    try:
        if path.suffix.lower() == ".gz":
            with gzip.open(path, "rb") as handle:
                return handle.read()
        return path.read_bytes()
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(
            f"is not a whole gzip file: {error}", where=str(path), hint="copy it again"
        ) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=str(path)) from None


def read_text(path: Path) -> str:
    """Return the content of a text file (UTF-8, with or without byte order mark)."""
    data = read_bytes(path)
    if b"\0" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError("holds binary data where text belongs", where=str(path), hint="is it compressed?")
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"is not UTF-8 text (byte {data[error.start]:#04x})",
            where=f"{path}, line {line}",
            hint="save it as UTF-8",
        ) from None


def read_table(path: str | Path, *, text: bool = False) -> pd.DataFrame:
    """Read a table with one header row.

    Parameters
    ----------
    path
        ``.csv``, ``.tsv``, ``.txt`` (tabs) or ``.parquet``; text files may be gzipped.
    text
        Leave every cell of a text file as the string that stands there; by default columns of
        numbers become numbers and empty cells NaN.

    Raises
    ------
    InputError
        If the file is absent, empty, a directory, corrupt, not UTF-8, separated by another
        character, or has repeated column names or rows with too many cells.
    """
    path = require_file(path, what="table")
    kind = format_of(path)
    if kind == "parquet":
        frame = _read_parquet(path)
    elif kind in _SEPARATORS:
        frame = parse_csv(read_text(path), where=str(path), separator=_SEPARATORS[kind], text=text)
    else:
        raise InputError(
            f"unknown kind of table {path.suffix!r}",
            where=str(path),
            hint="use .csv, .tsv or .parquet (.gz allowed)",
        )
    frame.columns = frame.columns.astype(str)
    return frame


def parse_csv(content: str, *, where: str, separator: str = ",", text: bool = False) -> pd.DataFrame:
    """Parse delimited text with a header row; ``where`` names the source in errors."""
    if not content.strip():
        raise InputError("table is empty", where=where)
    header = next(csv.reader(io.StringIO(content), delimiter=separator))
    _check_header(header, where=where, separator=separator)
    try:
        with warnings.catch_warnings():
            # Where the rows are longer than the header, pandas would cut them with no more than a warning.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame: pd.DataFrame = pd.read_csv(
                io.StringIO(content),
                sep=separator,
                index_col=False,
                skip_blank_lines=len(header) > 1,
                dtype=str if text else None,
                keep_default_na=not text,
            )
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        detail = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        raise InputError(
            f"is malformed: {detail}", where=where, hint="quote cells that hold the separator"
        ) from None
    return frame


def _check_header(header: list[str], *, where: str, separator: str) -> None:
    repeated = [name for name, count in Counter(header).items() if count > 1]
    if repeated:
        raise InputError(
            f"column {repeated[0]!r} stands {header.count(repeated[0])} times in the header",
            where=where,
            hint="give every column its own name",
        )
    if len(header) == 1:
        for other, name in ((";", "semicolons"), ("\t", "tabs"), (",", "commas"), ("|", "bars")):
            if other != separator and other in header[0]:
                raise InputError(
                    f"has one column {header[0]!r}: it seems to be separated by {name}",
                    where=where,
                    hint="save it with commas, or name a tab-separated file .tsv",
                )


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"is not a readable Parquet file: {str(error).splitlines()[0]}", where=str(path)
        ) from None
    _check_header(table.column_names, where=str(path), separator=",")
    frame: pd.DataFrame = table.to_pandas()
    return frame
