"""Fuzz: SD files. As many rows as records, or one error."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st
from tests.fuzz.driver import Driver
from tests.fuzz.inputs import damaged, texts

from cytomol.tables.molecules import read_molecules

MOLBLOCK = """{name}
  made by hand

  3  2  0  0  0  0  0  0  0  0999 V2000
    0.0000    0.0000    0.0000 C   0  0
    1.5000    0.0000    0.0000 C   0  0
    2.2500    1.2990    0.0000 O   0  0
  1  2  1  0
  2  3  1  0
M  END
"""


def one_line(text: str) -> str:
    """Return a text without what ends lines."""
    return " ".join(text.split()).replace("$$$$", "")


def record(name: str, properties: list[tuple[str, str]], end: str) -> str:
    """Return a record as an SD file has it."""
    fields = [
        f"> <{one_line(key).replace('>', '') or 'p'}>\n{one_line(value)}\n\n" for key, value in properties
    ]
    return (MOLBLOCK.format(name=one_line(name)) + "".join(fields) + "$$$$\n").replace("\n", end)


records = st.builds(
    record, texts(), st.lists(st.tuples(texts(6), texts()), max_size=3), st.sampled_from(["\n", "\r\n"])
)
written = st.lists(records, min_size=1, max_size=4).map(lambda r: "".join(r).encode("utf-8", "replace"))


def case(data: bytes, folder: Path) -> None:
    path = folder / "a.sdf"
    path.write_bytes(data)
    count = len(read_molecules(path))
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    ends = [i for i, line in enumerate(lines) if line.rstrip() == b"$$$$"]
    tail = lines[ends[-1] + 1 :] if ends else lines
    # separators beyond ASCII are blank too
    expected = len(ends) + any(line.decode("utf-8", "replace").strip() for line in tail)
    # a line that begins with the mark ends a record for some and not for others
    unsure = sum(line.startswith(b"$$$$") and line.rstrip() != b"$$$$" for line in lines)
    assert expected <= count <= expected + unsure, f"{count} rows of {expected} records"


DRIVER = Driver("sdf", st.one_of(written, written.flatmap(damaged), st.binary(max_size=60)), case, share=1.5)


def test_sdf() -> None:
    DRIVER.check()
