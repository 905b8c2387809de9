"""The contract of every format: the rows of the records, each with its own cells, or one error.

Records are written by writers that are not ours, then damaged at random. The count of records comes from
a second look at the bytes, never from the reader.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rdkit import Chem

from cytomol.errors import CytomolError
from cytomol.tables import read_molecules
from cytomol.tables.molecules import MoleculeTable

Row = tuple[str, str, str]
_TOKEN = re.compile(r"[a-z]{9}")


@dataclass(frozen=True)
class Format:
    """How records are written, and how they are counted in the bytes (None where the format is checked)."""

    suffix: str
    write: Callable[[list[Row]], bytes]
    count: Callable[[bytes], int] | None


def write_delimited(separator: str) -> Callable[[list[Row]], bytes]:
    def write(rows: list[Row]) -> bytes:
        out = io.StringIO()
        writer = csv.writer(out, delimiter=separator, lineterminator="\r\n" if len(rows) % 2 else "\n")
        writer.writerows([("smiles", "id", "note"), *rows])
        return out.getvalue().encode()

    return write


def count_delimited(separator: str) -> Callable[[bytes], int]:
    def count(data: bytes) -> int:
        text = decoded(data)
        records = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        return sum(any(cell.strip(" \t") for cell in record) or len(record) > 1 for record in records) - 1

    return count


def decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def lines_of(data: bytes) -> list[str]:
    lines = decoded(data).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def write_smi(rows: list[Row]) -> bytes:
    return "".join(f"{smiles} {name} {flat(note)}\n" for smiles, name, note in rows).encode()


def write_sdf(rows: list[Row]) -> bytes:
    parts = []
    for smiles, name, note in rows:
        block = Chem.MolToMolBlock(Chem.MolFromSmiles(smiles))
        parts.append(f"{block}> <id>\n{name}\n\n> <note>\n{flat(note)}\n\n$$$$\n")
    return "".join(parts).encode()


def count_sdf(data: bytes) -> int:
    lines = lines_of(data)
    ends = [i for i, line in enumerate(lines) if line.startswith("$$$$")]
    rest = lines[ends[-1] + 1 :] if ends else lines
    return len(ends) + any(line.strip() for line in rest)


def write_parquet(rows: list[Row]) -> bytes:
    out = io.BytesIO()
    columns = dict(zip(("smiles", "id", "note"), map(list, zip(*rows, strict=True)), strict=True))
    pq.write_table(pa.table(columns), out, write_page_checksum=True)
    return out.getvalue()


def write_excel(rows: list[Row]) -> bytes:
    book = openpyxl.Workbook()
    for row in [("smiles", "id", "note"), *rows]:
        book.active.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def flat(note: str) -> str:
    return note.replace("\n", " ")


FORMATS = {
    "csv": Format("csv", write_delimited(","), count_delimited(",")),
    "tsv": Format("tsv", write_delimited("\t"), count_delimited("\t")),
    "csv.gz": Format("csv.gz", lambda rows: gzip.compress(write_delimited(",")(rows)), None),
    "smi": Format("smi", write_smi, lambda data: len(lines_of(data))),
    "sdf": Format("sdf", write_sdf, count_sdf),
    "parquet": Format("parquet", write_parquet, None),
    "xlsx": Format("xlsx", write_excel, None),
}


def tokens(number: int) -> tuple[str, str]:
    """Return two words that no damage of another row's words gives."""
    random = Random(number)
    first, second = ("".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=9)) for _ in range(2))
    return first, second


NOTES = st.text(st.sampled_from("xy ,;'\"\tµ\u2028\x85\x0c\n#|>$"), max_size=12)
ROWS = st.lists(NOTES, min_size=1, max_size=8).map(
    lambda notes: [
        ("C" * (i + 1) + "N" * (i % 3), tokens(i)[0], f"{tokens(i)[1]} {note}".rstrip())
        for i, note in enumerate(notes)
    ]
)
DAMAGE = st.lists(
    st.tuples(
        st.sampled_from(["flip", "insert", "delete", "insert", "truncate"]),
        st.floats(0, 1, exclude_max=True),
        st.one_of(st.sampled_from(b'"",\t\n\r$>\0\xff; '), st.integers(0, 255)),
    ),
    min_size=1,
    max_size=2,
)


def damaged(data: bytes, damage: list[tuple[str, float, int]]) -> bytes:
    for kind, share, byte in damage:
        at = int(share * len(data))
        if kind == "truncate":
            data = data[: at + 1]
        else:
            kept = at + (kind != "insert")
            data = data[:at] + (b"" if kind == "delete" else bytes([byte])) + data[kept:]
    return data


def read(form: Format, data: bytes) -> MoleculeTable | None:
    """Return the table, or None where it is refused with an error that names the file."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / f"in.{form.suffix}"
        path.write_bytes(data)
        try:
            return read_molecules(path)
        except CytomolError as error:
            told = str(error)
    assert path.name in told
    return None


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=25, deadline=None)
@given(rows=ROWS)
def test_whole_records_come_back_letter_by_letter(name: str, rows: list[Row]) -> None:
    form = FORMATS[name]
    # a line inside a cell with as many cells as the table has columns cannot be told from a swallowed row
    assume(not any(re.search(r"\n[^\n]*[,\t][^\n]*[,\t]", note) for _, _, note in rows))
    if name == "xlsx":  # the format has no such letters
        rows = [(smiles, i, note.replace("\x0c", "")) for smiles, i, note in rows]
    table = read(form, form.write(rows))
    assert table is not None
    assert len(table) == len(rows)
    assert not table.errors
    if name == "smi":
        assert table.smiles == [smiles for smiles, _, _ in rows]
        assert table.frame["name"].tolist() == [f"{i} {flat(note)}".strip() for _, i, note in rows]
        return
    if name == "sdf":
        assert [Chem.CanonSmiles(s) for s in table.smiles] == [Chem.CanonSmiles(s) for s, _, _ in rows]
        rows = [(s, i, flat(note)) for s, i, note in rows]
    else:
        assert table.smiles == [smiles for smiles, _, _ in rows]
    assert table.frame["id"].tolist() == [i for _, i, _ in rows]
    assert table.frame["note"].tolist() == [note for _, _, note in rows]


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=100, deadline=None)
@given(rows=ROWS, damage=DAMAGE)
def test_damaged_records_are_their_own_rows_or_an_error(
    name: str, rows: list[Row], damage: list[tuple[str, float, int]]
) -> None:
    form = FORMATS[name]
    if name == "xlsx":
        rows = [(smiles, i, note.replace("\x0c", "")) for smiles, i, note in rows]
    data = damaged(form.write(rows), damage)
    table = read(form, data)
    if table is None:
        return
    assert len(table) == (len(rows) if form.count is None else form.count(data))
    if name == "smi":  # a lost line end makes one line of two, of which the molecule is the first word
        for row, line in enumerate(lines_of(data)):
            for column in table.frame:
                assert all(word in line for word in table.frame[column][row].split(" "))
        return
    owners = {token: row for row in range(len(rows)) for token in tokens(row)}
    molecules = {Chem.CanonSmiles(smiles): row for row, (smiles, _, _) in enumerate(rows)}
    for number, cells in enumerate(table.frame.astype(str).to_numpy().tolist()):
        found = {owners[word] for cell in cells for word in _TOKEN.findall(cell) if word in owners}
        assert len(found) <= 1, f"row {number} holds cells of the rows {found}"
        intact = table.smiles[number] in {smiles for smiles, _, _ in rows} and number not in table.errors
        if found and intact and len(damage) == 1:
            assert molecules[Chem.CanonSmiles(table.smiles[number])] in found
