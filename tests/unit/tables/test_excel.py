"""Excel: cells as text as one sees them, every row that holds something."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from cytomol.errors import ConfigError, InputError, InputNote
from cytomol.tables import read_molecules, read_table
from cytomol.tables.excel import parse_excel


def workbook(*rows: list[Any], formats: dict[str, str] | None = None, more: str | None = None) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for cell, form in (formats or {}).items():
        book.active[cell].number_format = form
    if more:
        book.create_sheet(more).append(["smiles"])
        book[more].append(["CN"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("value", "form", "expected"),
    [
        ("00123", None, "00123"),
        (7, None, "7"),
        (7.0, None, "7"),
        (123, "00000", "00123"),
        (0.1, None, "0.1"),
        (-5.25, "0.0", "-5.25"),
        (True, None, "TRUE"),
        (date(2026, 3, 1), None, "2026-03-01"),
        (datetime(2026, 3, 1, 12, 30), None, "2026-03-01 12:30:00"),
        (time(9, 5), None, "09:05:00"),
        ("#N/A", None, "#N/A"),
        ("line\nline, \"x\"", None, "line\nline, \"x\""),
        (10**14, None, "100000000000000"),
    ],
)  # fmt: skip
def test_cells(value: Any, form: str | None, expected: str) -> None:
    data = workbook(["smiles", "x"], ["CC", value], formats={"B2": form} if form else None)
    assert parse_excel(data, where="test")["x"].tolist() == [expected]


def test_molecules_numbers_and_sheets(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(workbook([], ["id", "smiles", "y"], [1, "CC", 0.5], [], [2, None, 7], more="two"))
    with pytest.warns(InputNote, match="sheet 'Sheet' is read, the first of 2"):
        table = read_molecules(path)
    assert table.smiles == ["CC", ""]
    assert table.frame["y"].tolist() == ["0.5", "7"]
    assert read_molecules(path, sheet="two").smiles == ["CN"]
    with pytest.raises(InputError, match=r"no sheet 'three'.*Sheet, two"):
        read_molecules(path, sheet="three")
    with pytest.warns(InputNote):
        assert read_table(path)["y"].tolist() == [0.5, 7]


def test_a_size_that_is_stated_too_small_loses_no_row() -> None:
    data = workbook(["smiles", "id"], ["CC", 1], ["CN", 2])
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'<dimension ref="A1:B3"', b'<dimension ref="A1"'))
    assert parse_excel(out.getvalue(), where="test").to_numpy().tolist() == [["CC", "1"], ["CN", "2"]]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["smiles", "x"], ["CC", "=1+1"]], "cell B2: a formula has no stored result"),
        ([["smiles"], ["CC", "more"]], "row 2 has more cells than the header"),
        ([["smiles", "smiles"], ["CC", "C"]], "stands 2 times"),
        ([], "is empty"),
    ],
)
def test_what_is_refused(rows: list[list[Any]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_excel(workbook(*rows), where="test")


def test_a_sheet_of_another_format(tmp_path: Path) -> None:
    for name, content in (("a.csv", "smiles\nCC\n"), ("a.smi", "CC\n")):
        (tmp_path / name).write_text(content)
        with pytest.raises(ConfigError, match="--sheet"):
            read_molecules(tmp_path / name, sheet="x")
