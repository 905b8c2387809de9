"""Read a table of any format; say what is wrong with one that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from cytomol.errors import ConfigError, InputError
from cytomol.files import require_file
from cytomol.tables.delimited import parse_csv
from cytomol.tables.excel import parse_excel
from cytomol.tables.number_texts import read_csv_text
from cytomol.tables.parquet import parse_parquet
from cytomol.tables.sniff import NAMES, refuse_other_kind, sniff_bytes, sniff_text
from cytomol.tables.text import decode_text, read_bytes, read_text

__all__ = ["format_of", "parse_csv", "parse_table", "read_bytes", "read_table", "read_text"]

_SEPARATORS = {"csv": ",", "tsv": "\t", "tab": "\t", "txt": "\t"}
_EXCEL = {"xlsx", "xlsm"}
_CALLED = {"csv": "a table separated by commas", "parquet": "a Parquet table", "xlsx": "an Excel workbook"}


def format_of(path: Path) -> str:
    """Return the kind of a file by its name, ``.gz`` left out: "csv", "parquet", "smi", "sdf", ..."""
    suffixes = [suffix.lower().lstrip(".") for suffix in path.suffixes]
    if suffixes and suffixes[-1] == "gz":
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def read_table(path: str | Path, *, text: bool = False) -> pd.DataFrame:
    """Read a table with one header row.

    Parameters
    ----------
    path
        ``.csv``, ``.tsv``, ``.txt`` (tabs), ``.parquet`` or ``.xlsx``; text files may be gzipped.
    text
        Leave every cell of a text file as the string that stands there; by default columns of
        numbers become numbers and empty cells NaN.

    Raises
    ------
    InputError
        If the file is absent, empty, a directory, corrupt, of another kind than its name says, or
        separated by another character, or has repeated column names, a quote that does not close, or
        rows with too many cells.
    """
    path = require_file(path, what="table")
    return parse_table(read_bytes(path), format_of(path), where=str(path), text=text)


def parse_table(
    data: bytes,
    kind: str,
    *,
    where: str,
    text: bool = False,
    smiles_col: str | None = None,
    sheet: str | None = None,
) -> pd.DataFrame:
    """Read a table from the bytes of a file of some kind; parameters as :func:`read_table`.

    Parameters
    ----------
    data, kind, where
        The bytes, what their name says they are, and the name.
    text
        Leave cells as text.
    smiles_col
        Column of SMILES, if its name does not say so.
    sheet
        Sheet of an Excel workbook.
    """
    check_sheet(kind, sheet, where=where)
    found = sniff_bytes(data)
    if kind not in {*_SEPARATORS, *_EXCEL, "parquet"}:
        found = found or sniff_text(data[:65536].decode("latin-1"))
        what, remedy = NAMES[found]
        raise InputError(
            f"unknown kind of table {'.' + kind if kind else ''!r}; it seems to be {what}",
            where=where,
            hint=f"give it {remedy}; known are .csv, .tsv, .parquet, .xlsx, .smi and .sdf (.gz allowed)",
        )
    if found and found != kind and not (kind in _EXCEL and found in {"xlsx", "zip"}):
        refuse_other_kind(found, where=where, wanted=_CALLED.get(kind, f".{kind}"))
    if kind == "parquet":
        frame = parse_parquet(data, where=where, text=text)
    elif kind in _EXCEL:
        frame = parse_excel(data, where=where, sheet=sheet)
        if not text:
            frame = read_csv_text(frame.to_csv(index=False), skip_blank_lines=False)
    else:
        content = decode_text(data, where=where)
        if (seems := sniff_text(content)) in {"sdf", "html", "json"}:
            refuse_other_kind(seems, where=where, wanted=_CALLED.get(kind, "a table separated by tabs"))
        frame = parse_csv(content, where=where, separator=_SEPARATORS[kind], text=text, smiles_col=smiles_col)
    frame.columns = frame.columns.astype(str)
    return frame


def check_sheet(kind: str, sheet: str | None, *, where: str) -> None:
    """Refuse a sheet where there are none."""
    if sheet is not None and kind not in _EXCEL:
        raise ConfigError(
            "--sheet is for Excel workbooks, and this is none", where=where, hint="leave it out"
        )
