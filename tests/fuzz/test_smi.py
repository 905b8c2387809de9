"""Fuzz: lists of SMILES with names. As many rows as lines, or one error."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import strategies as st
from tests.fuzz.driver import Driver
from tests.fuzz.inputs import damaged, smiles, texts

from cytomol.tables.molecules import read_molecules

line = st.builds(lambda s, sep, name: s + sep + name, smiles(), st.sampled_from([" ", "\t", ""]), texts())
written = st.builds(
    lambda lines, end, last, head: (head + end.join(lines) + end * last).encode("utf-8", "replace"),
    st.lists(line, min_size=1, max_size=6),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.sampled_from(["", "", "smiles name\n"]),
)


def lines_of(data: bytes) -> tuple[int, int] | None:
    """Return how many lines have text, and how many there are at most; None where nobody can say."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    if "\0" in text or data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    found = re.split("\r\n|\n|\r", text)
    found = found[:-1] if found[-1] == "" else found
    filled = sum(bool(one.strip()) for one in found)
    return filled - 1, len(found)  # the first may be a header


def case(data: bytes, folder: Path) -> None:
    path = folder / "a.smi"
    path.write_bytes(data)
    count = len(read_molecules(path))
    expected = lines_of(data)
    if expected is not None:
        assert expected[0] <= count <= expected[1], f"{count} rows of {expected} lines"


DRIVER = Driver("smi", st.one_of(written, written.flatmap(damaged), st.binary(max_size=60)), case, share=1.5)


def test_smi() -> None:
    DRIVER.check()
