"""Bytes to text: encodings by one rule, lines cut at line ends alone."""

from __future__ import annotations

import pytest

from cytomol.errors import InputError, InputNote
from cytomol.tables.text import cut_lines, decode_text


@pytest.mark.parametrize(
    "data",
    [
        "µ\n".encode(),
        "µ\n".encode("utf-8-sig"),
        "µ\n".encode("utf-16"),
        b"\xfe\xff" + "µ\n".encode("utf-16-be"),
    ],
    ids=["UTF-8", "with mark", "UTF-16", "big-endian"],
)
def test_marked_text_and_utf8(data: bytes) -> None:
    assert decode_text(data, where="test") == "µ\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_anything_else_is_latin1_with_a_note(end: str) -> None:
    data = f"a{end}b{end}5 µM".encode("latin-1")
    with pytest.warns(InputNote, match=r"test: is not UTF-8 \(byte 0xb5 in line 3\): read as Latin-1"):
        assert decode_text(data, where="test") == f"a{end}b{end}5 µM"


@pytest.mark.parametrize(
    "data",
    [b"a\nb\0", b"a\n" + b"x" * 9000 + b"\0", "a\nb".encode("utf-16-le"), "a\nb\0".encode("utf-16")],
    ids=["early", "beyond the first block", "UTF-16 without mark", "in UTF-16"],
)
def test_a_nul_is_refused_wherever_it_stands(data: bytes) -> None:
    with pytest.raises(InputError, match=r"test, line [12]: holds binary data"):
        decode_text(data, where="test")


def test_broken_utf16_names_the_line() -> None:
    with pytest.raises(InputError, match="test, line 2: is marked as UTF-16"):
        decode_text("a\nb".encode("utf-16") + b"\x00", where="test")


def test_lines_end_at_line_ends_alone() -> None:
    inner = "a\u2028b\u2029c\x85d\x0ce\x0bf\x1cg\x1dh\x1ei"
    assert cut_lines(f"{inner}\nx\r\ny\rz\n\n") == [inner, "x", "y", "z", ""]
