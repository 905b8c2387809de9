"""Excel workbooks: one sheet as a table of text, numbers as one would write them."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

import pandas as pd

from cytomol.errors import InputError, MissingDependencyError, note
from cytomol.tables.delimited import check_header
from cytomol.tables.excel_limits import check_workbook

__all__ = ["parse_excel"]

_ROWS = 2**20  # that Excel itself has
_EMPTY = 2**24
_ZEROS = re.compile(r"0{2,}")


def parse_excel(data: bytes, *, where: str, sheet: str | None = None) -> pd.DataFrame:
    """Read one sheet, every cell as text; the first row that holds anything is the header.

    Text stays as it is, whole numbers have no decimal point, a format such as 00000 writes its zeros,
    dates are ISO dates. Rows without any value are no records.

    Parameters
    ----------
    data
        The ``.xlsx`` file.
    where
        Its name, for errors.
    sheet
        Name of the sheet; by default the first, which is said if there are several.

    Raises
    ------
    InputError
        If the workbook is damaged, becomes too long or has no such sheet, a row is longer than the header, or
        a formula has no stored result.
    """
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise MissingDependencyError(
            "reading Excel needs openpyxl", where=where, hint='pip install "cytomol[excel]"'
        ) from None
    check_workbook(data, where=where)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl tells of styles that it does not know
            values = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            name = _choose(values.sheetnames, sheet, where)
            rows = list(_rows(values[name], f"{where}, sheet {name}"))
            _check_formulas(
                load_workbook(io.BytesIO(data), read_only=True)[name], rows, f"{where}, sheet {name}"
            )
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged workbook raises whatever zip, XML and openpyxl do
        what = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise InputError(f"is not a readable Excel workbook: {what}", where=where) from None
    if len(values.sheetnames) > 1 and sheet is None:
        note(f"sheet {name!r} is read, the first of {len(values.sheetnames)} (--sheet chooses)", where=where)
    return _frame(rows, f"{where}, sheet {name}")


def _choose(names: list[str], wanted: str | None, where: str) -> str:
    if wanted is not None and wanted not in names:
        raise InputError(
            f"has no sheet {wanted!r}", where=where, hint=f"sheets: {', '.join(names)}; choose with --sheet"
        )
    return names[0] if wanted is None else wanted


def _rows(sheet: Any, where: str) -> Iterator[list[str]]:
    sheet.reset_dimensions()  # some writers state a size that is too small, and rows would be lost
    empty = 0
    for number, row in enumerate(sheet.iter_rows(), start=1):
        texts = [_text(cell.value, getattr(cell, "number_format", None) or "") for cell in row]
        empty += texts.count("")
        if number > _ROWS or empty > _EMPTY:  # a cell may say that it stands anywhere
            what = f"{_ROWS:,} rows" if number > _ROWS else f"{_EMPTY:,} empty cells"
            raise InputError(f"has more than {what}", where=where, hint="save it as CSV")
        yield texts


def _text(value: Any, form: str) -> str:
    """Return a cell as text, near to how Excel shows it."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).upper()
        case int() | float():
            return _number(value, form)
        case datetime():
            midnight = value.time() == time(0) and not re.search(r"[hHsS]", form)
            return value.date().isoformat() if midnight else value.isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
        case _:
            return str(value)


def _number(value: float, form: str) -> str:
    """Write a whole number without a point, with the zeros in front that a format such as 00000 asks for."""
    if not (float(value).is_integer() and abs(value) < 1e15):
        return repr(value)
    return f"{int(value):0{len(form)}d}" if _ZEROS.fullmatch(form) else str(int(value))


def _check_formulas(sheet: Any, rows: list[list[str]], where: str) -> None:
    """Refuse a formula whose result is not stored: its cell would read as empty."""
    sheet.reset_dimensions()
    for row, cells in enumerate(sheet.iter_rows()):
        for column, cell in enumerate(cells):
            if getattr(cell, "data_type", "") == "f" and (
                row >= len(rows) or not rows[row][column : column + 1][0]
            ):
                raise InputError(
                    "a formula has no stored result",
                    where=f"{where}, cell {cell.coordinate}",
                    hint="open the workbook in Excel and save it",
                )


def _frame(rows: list[list[str]], where: str) -> pd.DataFrame:
    start = next((i for i, row in enumerate(rows) if any(row)), None)
    if start is None:
        raise InputError("table is empty", where=where)
    header = rows[start]
    while header and not header[-1]:
        header = header[:-1]
    width = len(header)
    records: list[list[str]] = []
    for number, row in enumerate(rows[start + 1 :], start=start + 2):
        if any(row[width:]):
            raise InputError(
                f"row {number} has more cells than the header, which has {width}",
                where=where,
                hint="give every column a name, and the table a sheet of its own",
            )
        if any(row):
            records.append([*row[:width], *[""] * (width - len(row))])
    check_header(header, where=where, separator=",")
    names = [name or f"Unnamed: {i}" for i, name in enumerate(header)]
    return pd.DataFrame(records, columns=names, dtype=str)
