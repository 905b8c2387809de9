"""What a file seems to be, and that a file of another kind than its name says so."""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path

import pandas as pd
import pytest
from rdkit import Chem

from cytomol.errors import InputError
from cytomol.tables import read_molecules
from cytomol.tables.sniff import sniff_bytes, sniff_text

SD = Chem.MolToMolBlock(Chem.MolFromSmiles("CCO")) + "> <ID>\n1\n\n$$$$\n"


def parquet() -> bytes:
    out = io.BytesIO()
    pd.DataFrame({"smiles": ["CCO"]}).to_parquet(out)
    return out.getvalue()


def excel() -> bytes:
    out = io.BytesIO()
    pd.DataFrame({"smiles": ["CCO"]}).to_excel(out, index=False)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (SD, "sdf"),
        (SD.replace("\n", "\r\n"), "sdf"),
        ("smiles,id\nCC,1\n", "csv"),
        ('"id","SMILES"\n1,CC\n', "csv"),
        ("id\tsmiles\n1\tCC\n", "tsv"),
        ("id;smiles\n1;CC\n", "semicolons"),
        ("CCO,1\nCC,2\n", "csv"),
        ("CCO ethanol\n[Na+].[Cl-] salt\n", "smi"),
        ("[Na+]\n", "smi"),
        ("<!DOCTYPE html><html>", "html"),
        ('{"message": "not found"}', "json"),
        ("", "text"),
        ("é ü\nß\n", "text"),
    ],
)
def test_text(content: str, kind: str) -> None:
    assert sniff_text(content) == kind


def test_bytes() -> None:
    assert sniff_bytes(parquet()) == "parquet"
    assert sniff_bytes(excel()) == "xlsx"
    assert sniff_bytes(gzip.compress(b"x", mtime=0)) == "gzip"
    assert sniff_bytes(b"CCO\n") == ""


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.smi", SD.encode(), "seems to be an SD file"),
        ("a.csv", SD.encode(), "seems to be an SD file"),
        ("a.tsv", SD.encode(), "seems to be an SD file"),
        ("a.smi", b"smiles;y\nCC;1\n", "separated by semicolons"),
        ("a.sdf", b"smiles,y\nCC,1\n", "separated by commas"),
        ("a.sdf", b"CCO ethanol\nCC ethane\n", "a list of SMILES"),
        ("a.smi", parquet(), "a Parquet table"),
        ("a.csv", excel(), "an Excel workbook"),
        ("a.parquet", excel(), "an Excel workbook"),
        ("a.xlsx", parquet(), "a Parquet table"),
        ("a.csv", gzip.compress(b"smiles\nCC\n", mtime=0), "gzip-compressed"),
        ("a.sdf", gzip.compress(SD.encode()), "gzip-compressed"),
        ("a.csv", b"<html><body>404</body></html>", "a web page"),
        ("a.data", SD.encode(), "unknown kind of table '.data'; it seems to be an SD file"),
        ("molecules", b"smiles,y\nCC,1\n", "separated by commas"),
        ("a.csv", b"c1ccccc1,1\nCCO,2\n", "has no header"),
        ("a.txt", b"c1ccccc1\nCCO\n", "has no header"),
    ],
)
def test_a_file_of_another_kind_says_so(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=message) as caught:
        read_molecules(tmp_path / name)
    assert name in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        SD.encode(),
        gzip.compress(SD.encode()),
        SD.encode("utf-16"),
        parquet(),
        excel(),
        b"id\tsmiles\r\n1\tCCO\r\n",
        b"smiles,id\rCCO,1\r",
        b"CCO\n",
        gzip.compress(b"CCO ethanol\n", mtime=0),
    ],
)
def test_standard_input_is_told_by_its_content(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert read_molecules("-").smiles == ["CCO"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"%PDF-1.7", "PDF"),
        (b"id,structures\n1,CCO\n", "no column 'smiles'"),
        (b"id;smiles\n1;CCO\n", "semicolons"),
        (b"CCO\0C\n", "binary"),
    ],
)
def test_what_standard_input_cannot_be(monkeypatch: pytest.MonkeyPatch, data: bytes, message: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    with pytest.raises(InputError, match=f"standard input.*{message}"):
        read_molecules("-")
