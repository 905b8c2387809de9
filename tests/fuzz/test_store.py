"""Fuzz: kept features. What was saved, or one error; never something else."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from tests.fuzz.driver import Driver
from tests.fuzz.inputs import PIECES, SMILES

from cytomol.chem.chunk import featurize_chunk
from cytomol.chem.options import FeatureOptions
from cytomol.chem.store import MoleculeStore

STORE = featurize_chunk(SMILES, FeatureOptions())

inputs = st.tuples(
    st.integers(0, 20),
    st.integers(0, 2**16),
    st.sampled_from(["put", "zero", "cut", "remove", "swap"]),
    st.sampled_from(PIECES),
)


def case(value: tuple[int, int, str, bytes], folder: Path) -> None:
    number, where, kind, new = value
    place = folder / "store"
    if place.exists():
        shutil.rmtree(place)
    saved = folder / "saved"
    if not saved.exists():  # once: to sync its files takes longer than all the rest
        STORE.save(saved)
    shutil.copytree(saved, place)
    files = sorted(place.iterdir())
    path = files[number % len(files)]
    data = path.read_bytes()
    at = where % len(data)
    match kind:
        case "put":
            path.write_bytes(data[:at] + new + data[at + len(new) :])
        case "zero":
            path.write_bytes(data[:at] + bytes(min(64, len(data) - at)) + data[at + 64 :])
        case "cut":
            path.write_bytes(data[:at])
        case "remove":
            path.unlink()
        case _:
            path.write_bytes(files[where % len(files)].read_bytes())
    found = MoleculeStore.open(place)
    assert found.smiles == STORE.smiles
    assert found.errors == STORE.errors
    for name in ("atoms", "atom_offsets", "edges", "edge_features", "edge_offsets"):
        np.testing.assert_array_equal(getattr(found, name), getattr(STORE, name))
    for name, block in STORE.blocks.items():
        np.testing.assert_array_equal(found.blocks[name], block)


DRIVER = Driver("feature cache", inputs, case, share=0.5)


def test_store() -> None:
    DRIVER.check()
