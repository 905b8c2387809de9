"""Fuzz: corpus.toml and the folder it describes. A corpus with all its molecules, or one error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
from hypothesis import strategies as st
from tests.fuzz.driver import Driver
from tests.fuzz.inputs import damaged, texts

from cytomol.corpus.readers import read_corpus

VALID = b"""version = 1
molecules = "molecules.csv"
genes = "genes.csv"
history = ["made by hand"]

[[modalities]]
name = "cp"
file = "modalities/cp.csv"
kind = "morphology"
entity = "molecule"
id = "mol_id"

[[relations]]
name = "targets"
file = "relations/targets.csv"
source = "molecule"
target = "gene"
"""
MOLECULES = ["CCO", "CCN", "c1ccccc1", "CC(=O)O"]
PLACES = [
    "../molecules.csv", "/etc/hostname", ".", "", "modalities", "a\0b", "x" * 300, "genes.csv", "~", "\ud800",
    "molecules.csv/x", "corpus.toml", "modalities/cp.csv", "CON", "modalities//cp.csv", "absent.parquet",
]  # fmt: skip

entry = st.fixed_dictionaries(
    {"name": texts(), "file": st.sampled_from(PLACES) | texts()},
    optional={
        "kind": texts(),
        "entity": st.sampled_from(["molecule", "gene", "cell"]),
        "id": st.sampled_from(["mol_id", "f1", "absent", ""]),
        "source": st.sampled_from(["molecule", "gene", ""]),
        "surplus": st.integers(),
    },
)
made = st.fixed_dictionaries(
    {},
    optional={
        "version": st.sampled_from([1, 2, 0, "1", 1.0, True]),
        "molecules": st.sampled_from(PLACES) | texts(),
        "genes": st.sampled_from(PLACES) | texts(),
        "modalities": st.lists(entry, max_size=2),
        "relations": st.lists(entry, max_size=2),
        "history": st.lists(texts(), max_size=2),
    },
)


def toml(table: dict[str, Any]) -> bytes:
    """Return a table as TOML, of which JSON's values are a part."""

    def inline(value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f"{k} = {inline(v)}" for k, v in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(map(inline, value)) + "]"
        return json.dumps(value)

    return "\n".join(f"{key} = {inline(value)}" for key, value in table.items()).encode("utf-8", "replace")


def write(folder: Path) -> Path:
    """Write a small corpus without a manifest; once, as reading must not change it."""
    place = folder / "corpus"
    if place.exists():
        return place
    (place / "modalities").mkdir(parents=True)
    (place / "relations").mkdir()
    pd.DataFrame({"mol_id": [f"m{i}" for i in range(4)], "smiles": MOLECULES}).to_csv(
        place / "molecules.csv", index=False
    )
    pd.DataFrame({"gene_id": ["g1", "g2"], "symbol": ["TP53", "EGFR"]}).to_csv(
        place / "genes.csv", index=False
    )
    pd.DataFrame({"mol_id": ["m0", "m2"], "f1": [1.5, 2.0], "f2": [0.0, 3.0]}).to_csv(
        place / "modalities" / "cp.csv", index=False
    )
    pd.DataFrame({"source": ["m0"], "target": ["g1"], "weight": [1.0]}).to_csv(
        place / "relations" / "targets.csv", index=False
    )
    return place


def contents(place: Path) -> dict[Path, bytes]:
    """Return the bytes of every file."""
    return {path: path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()}


def case(data: bytes, folder: Path) -> None:
    place = write(folder)
    (place / "corpus.toml").write_bytes(data)
    before = contents(place)
    try:
        corpus = read_corpus(place, "own")
    finally:
        assert contents(place) == before, "reading changed the corpus"
    manifest_says_so = b'molecules = "molecules.csv"' in data or b"molecules" not in data
    assert len(corpus.molecules) == len(MOLECULES) or not manifest_says_so


DRIVER = Driver("corpus.toml", st.one_of(damaged(VALID), damaged(VALID, at_most=1), made.map(toml)), case)


def test_manifest() -> None:
    DRIVER.check()
