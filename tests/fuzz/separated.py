"""CSV and TSV: an independent writer, an independent count, and what both drivers check."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from hypothesis import strategies as st
from tests.fuzz.inputs import damaged, smiles, texts

from cytomol.tables.molecules import read_molecules


def written(separator: str) -> st.SearchStrategy[bytes]:
    """Return valid tables with a column of SMILES, in the ways in which tables are quoted and ended."""

    def write(rows: list[list[str]], quoting: int, end: str, mark: bool, columns: list[str]) -> bytes:
        out = io.StringIO()
        writer = csv.writer(out, delimiter=separator, quoting=quoting, lineterminator=end, escapechar=None)
        writer.writerow(columns)
        writer.writerows(rows)
        return b"\xef\xbb\xbf" * mark + out.getvalue().encode("utf-8", "replace")

    row = st.tuples(texts(), smiles(), texts()).map(list)
    return st.builds(
        write,
        st.lists(row, min_size=1, max_size=6),
        st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
        st.sampled_from(["\n", "\r\n"]),
        st.booleans(),
        st.sampled_from([["id", "smiles", "y"], ["", "SMILES", "a b"], ["x", "smiles", "smiles_2"]]),
    )


def records(data: bytes, separator: str) -> tuple[int, int] | None:
    """Return how many records follow the header, without and with blank rows; None where nobody can say."""
    try:
        text = data.decode("utf-8-sig")
        if "\0" in text or data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return None
        found = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except (UnicodeDecodeError, csv.Error):
        return None
    while found and not found[0]:  # blank lines before the header
        del found[0]
    return sum(any(cell.strip() for cell in row) for row in found[1:]), len(found[1:])


def check_table(data: bytes, path: Path, separator: str) -> None:
    """Read a table; as many rows as records."""
    path.write_bytes(data)
    count = len(read_molecules(path))
    expected = records(data, separator)
    if expected is not None:
        assert expected[0] <= count <= expected[1], f"{count} rows of {expected} records"


def tables(separator: str) -> st.SearchStrategy[bytes]:
    """Return valid and damaged tables, and what is none."""
    return st.one_of(written(separator), written(separator).flatmap(damaged), st.binary(max_size=60))
