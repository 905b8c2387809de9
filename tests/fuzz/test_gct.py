"""Fuzz: GCT. As many profiles as the file announces, or one error."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st
from tests.fuzz.driver import Driver
from tests.fuzz.inputs import damaged, texts

from cytomol.corpus.readers import read_profiles

MISSING = {
    "nan",
    "-nan",
    "na",
    "n/a",
    "<na>",
    "#na",
    "#n/a",
    "null",
    "none",
    "1.#ind",
    "-1.#ind",
    "1.#qnan",
    "-1.#qnan",
}
VALID = (
    b"#1.3\n2\t3\t1\t2\n"
    b"id\tpr_gene_symbol\ts1\ts2\ts3\n"
    b"pert_id\tna\tBRD-K1\tBRD-K2\tDMSO\n"
    b"dose\tna\t1.0\t10 um\t-666\n"
    b"7157\tTP53\t0.5\t-1.5\t2e-3\n"
    b"1956\tEGFR\tnan\t\t1\n"
)


def plain(texts_: list[str], values: list[list[float]]) -> bytes:
    """Return a file of version 1.2."""
    samples = [" ".join(text.split()) or f"s{i}" for i, text in enumerate(texts_)]
    lines = ["#1.2", f"{len(values)}\t{len(samples)}", "\t".join(["NAME", "Description", *samples])]
    lines += [
        "\t".join([f"g{i}", "", *(repr(v) for v in row[: len(samples)])]) for i, row in enumerate(values)
    ]
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")


rows = st.lists(st.lists(st.floats(width=32), min_size=3, max_size=3), min_size=1, max_size=3)
written = st.builds(plain, st.lists(texts(), min_size=3, max_size=3), rows)


def case(data: bytes, folder: Path) -> None:
    path = folder / "a.gct"
    path.write_bytes(data)
    table = read_profiles(path)
    text = data.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    features, samples = (int(word) for word in lines[1].split()[:2])
    body = [line for line in lines[3:] if line.strip()][-features:]
    # a row whose name has no letter or digit, or says that it is missing, may count as nameless: no feature
    names = [line.split("\t")[0].strip(' "').lower() for line in body]
    nameless = sum(name in MISSING or not any(map(str.isalnum, name)) for name in names)
    assert features - nameless <= table.features.shape[1] <= features
    assert table.features.shape[0] == len(table.metadata) == samples


DRIVER = Driver(
    "gct", st.one_of(written, written.flatmap(damaged), damaged(VALID), st.binary(max_size=60)), case
)


def test_gct() -> None:
    DRIVER.check()
