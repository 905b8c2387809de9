"""Workbooks that hold more than they weigh: refused before objects are made of them."""

from __future__ import annotations

import io
import zipfile

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.errors import InputError
from cytomol.tables.excel import parse_excel
from cytomol.tables.excel_limits import check_workbook

HEAD = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
TAIL = "</sheetData></worksheet>"


def workbook(sheet: str) -> bytes:
    """Return a workbook whose sheet is this XML."""
    plain, out = io.BytesIO(), io.BytesIO()
    openpyxl.Workbook().save(plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name in source.namelist():
            made.writestr(name, sheet if name.endswith("sheet1.xml") else source.read(name))
    return out.getvalue()


def cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def test_rows_far_below_are_not_filled_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cytomol.tables.excel._ROWS", 1000)
    gap = f'<row r="1">{cell("A1", "smiles")}</row><row r="1001">{cell("A1001", "CCO")}</row>'
    with pytest.raises(InputError, match="more than 1,000 rows"):
        parse_excel(workbook(HEAD + gap + TAIL), where="a.xlsx")
    near = gap.replace("1001", "1000")
    assert parse_excel(workbook(HEAD + near + TAIL), where="a.xlsx")["smiles"].tolist() == ["CCO"]


def test_cells_far_to_the_right_are_not_filled_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cytomol.tables.excel._EMPTY", 10**5)
    rows = "".join(f'<row r="{n}">{cell(f"XFD{n}", "a")}</row>' for n in range(1, 9))
    with pytest.raises(InputError, match="empty cells"):
        parse_excel(workbook(HEAD + rows + TAIL), where="a.xlsx")


@pytest.mark.parametrize("filler", ["<c/>", "<x a='1' b='2'/>", "<row/>"])
def test_a_row_without_end_is_refused(filler: str) -> None:
    with pytest.raises(InputError, match="row without end"):
        parse_excel(workbook(f"{HEAD}<row>{filler * 1_100_000}</row>{TAIL}"), where="a.xlsx")


def test_what_is_packed_a_thousandfold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cytomol.files.expansion._FREE", 10_000)
    with pytest.raises(InputError, match="becomes more than"):
        parse_excel(workbook(HEAD + " " * 10**6 + TAIL), where="a.xlsx")


def test_entities_are_neither_multiplied_nor_fetched() -> None:
    names = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    laugh = f'<!DOCTYPE a [<!ENTITY e0 "lol">{names}]>{HEAD}<row r="1">{cell("A1", "&e9;")}</row>{TAIL}'
    fetch = (
        f'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>{HEAD}<row>{cell("A1", "&x;")}</row>{TAIL}'
    )
    for sheet in (laugh, fetch):
        with pytest.raises(InputError, match="not a readable Excel workbook"):
            parse_excel(workbook(sheet), where="a.xlsx")


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.text("ab<&é", min_size=1, max_size=4), min_size=3, max_size=3), max_size=20))
def test_honest_workbooks_pass(rows: list[list[str]]) -> None:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in [["x", "y", "z"], *rows]:
        book.active.append(row)
    book.save(out)
    check_workbook(out.getvalue(), where="a.xlsx")
    assert parse_excel(out.getvalue(), where="a.xlsx").to_numpy().tolist() == rows
