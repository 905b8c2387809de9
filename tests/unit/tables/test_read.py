"""Tables: every way a file can be wrong has its message."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytomol.errors import InputError
from cytomol.tables import read_table
from cytomol.tables.read import parse_csv


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "data",
    [b"smiles,y\nCCO,1\nCC,2\n", b"\xef\xbb\xbfsmiles,y\r\nCCO,1\r\nCC,2\r\n", b"smiles,y\nCCO,1\n\nCC,2\n"],
    ids=["plain", "byte order mark and CRLF", "blank line"],
)
def test_csv_variants_read_the_same(tmp_path: Path, data: bytes) -> None:
    expected = pd.DataFrame({"smiles": ["CCO", "CC"], "y": [1, 2]})
    pd.testing.assert_frame_equal(read_table(_write(tmp_path / "a.csv", data)), expected)
    pd.testing.assert_frame_equal(read_table(_write(tmp_path / "a.csv.gz", gzip.compress(data))), expected)


def test_text_leaves_cells_alone(tmp_path: Path) -> None:
    frame = read_table(_write(tmp_path / "a.csv", b"id,y\n007,NA\n,1.50\n"), text=True)
    assert frame.to_dict("list") == {"id": ["007", ""], "y": ["NA", "1.50"]}


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\n\n", "is empty"),
        ("a.csv", b"a,b,a\n1,2,3\n", "column 'a' stands 2 times"),
        ("a.csv", b"smiles;y\nCC;1\n", "semicolons"),
        ("a.csv", b"smiles\ty\nCC\t1\n", "tabs"),
        ("a.tsv", b"smiles,y\nCC,1\n", "commas"),
        ("a.csv", b"a,b\n1,2\n1,2,3\n", "2 fields in line 3, saw 3"),
        ("a.csv", b"a,b\n1,2,3\n1,2,3\n", "malformed"),
        ("a.csv", b'a,b\n"x",2\n"x",2,3\n', "2 fields in line 3, saw 3"),
        ("a.csv", b"PK\0\0", "binary"),
        ("a.csv.gz", b"not gzip", "gzip"),
        ("a.csv.gz", gzip.compress(b"a,b\n1,2\n" * 99, mtime=0)[:-9], "gzip"),
        ("a.parquet", b"PAR1 and no more", "Parquet"),
        ("a.xlsx", b"x", "Excel"),
        ("a.ods", b"x", "unknown kind"),
    ],
)
def test_bad_files(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    path = _write(tmp_path / name, data)
    with pytest.raises(InputError, match=message) as caught:
        read_table(path)
    assert str(path) in str(caught.value)


def test_absent_and_directory(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not found"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(InputError, match="directory"):
        read_table(tmp_path)


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=8), st.integers()
        ),
        min_size=1,
        max_size=20,
    )
)
def test_any_text_round_trips(rows: list[tuple[str, int]]) -> None:
    frame = pd.DataFrame(rows, columns=["a", "b"])
    back = parse_csv(frame.to_csv(index=False, lineterminator="\n"), where="test", text=True)
    assert back["a"].tolist() == [a for a, _ in rows]
    assert [int(b) for b in back["b"]] == [b for _, b in rows]
