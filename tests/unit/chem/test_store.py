"""The store keeps rows in order, in memory and in files, and refuses what does not fit together."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.chem.chunk import featurize_chunk
from cytomol.chem.fingerprints import morgan_bits
from cytomol.chem.options import FeatureOptions
from cytomol.chem.parse import parse_smiles
from cytomol.chem.store import MoleculeStore, ragged_rows
from cytomol.errors import InputError, OutputError

SMILES = ["CCO", "", "c1ccccc1", "C", "no", "[Na+].[Cl-]", None, "C1CC1N"]
STORE = featurize_chunk(SMILES, FeatureOptions(counts=True, descriptors=True))


def assert_same(a: MoleculeStore, b: MoleculeStore) -> None:
    assert a.smiles == b.smiles
    assert a.errors == b.errors
    assert a.widths == b.widths
    for name in ("atoms", "atom_offsets", "edges", "edge_features", "edge_offsets", "valid"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        assert getattr(a, name).dtype == getattr(b, name).dtype
    for name in a.blocks:
        np.testing.assert_array_equal(a.blocks[name], b.blocks[name])


def test_invalid_rows_are_empty_and_keep_their_place() -> None:
    assert STORE.valid.tolist() == [True, False, True, True, False, True, False, True]
    assert STORE.smiles[6] == ""
    bad = ~STORE.valid
    assert STORE.atom_counts[bad].tolist() == [0, 0, 0]
    for name in ("morgan", "maccs", "counts"):
        assert not STORE.dense(name, bad).any()
        assert STORE.dense(name, ~bad).any(axis=1).all()
    assert np.isnan(STORE.dense("descriptors", bad)).all()


def test_dense_unpacks() -> None:
    assert STORE.dense("morgan").shape == (8, 1024)
    assert STORE.dense("maccs").shape == (8, 167)
    assert STORE.dense("counts").shape == (8, 1024)
    assert STORE.dense("morgan").dtype == np.float32
    np.testing.assert_array_equal(STORE.dense("morgan", [7])[0], morgan_bits(parse_smiles("C1CC1N").mol))
    np.testing.assert_array_equal(STORE.dense("counts") > 0, STORE.dense("morgan") > 0)
    with pytest.raises(InputError, match="geometry"):
        STORE.dense("geometry")


@given(st.lists(st.integers(-8, 7), max_size=20))
@settings(max_examples=50, deadline=None)
def test_take_equals_featurizing_the_taken(rows: list[int]) -> None:
    expected = featurize_chunk([SMILES[i] for i in rows], FeatureOptions(counts=True, descriptors=True))
    assert_same(STORE.take(np.array(rows, dtype=np.int64)), expected)


def test_take_by_mask_and_errors() -> None:
    assert STORE.take(STORE.valid).smiles == ["CCO", "c1ccccc1", "C", "[Na+].[Cl-]", "C1CC1N"]
    with pytest.raises(InputError, match="no row 8 among 8"):
        STORE.take([8])
    with pytest.raises(InputError, match="mask"):
        STORE.take([True, False])


def test_concatenate() -> None:
    halves = [STORE.take(np.arange(3)), STORE.take(np.arange(3, 3)), STORE.take(np.arange(3, 8))]
    assert_same(MoleculeStore.concatenate(halves), STORE)
    with pytest.raises(InputError, match="no molecule store"):
        MoleculeStore.concatenate([])
    with pytest.raises(InputError, match="different blocks"):
        MoleculeStore.concatenate([STORE, featurize_chunk(["C"], FeatureOptions())])


@pytest.mark.parametrize("mmap", [True, False])
def test_round_trip(tmp_path: Path, mmap: bool) -> None:
    STORE.save(tmp_path / "store")
    opened = MoleculeStore.open(tmp_path / "store", mmap=mmap)
    assert_same(opened, STORE)
    assert isinstance(opened.atoms, np.memmap) == mmap
    assert_same(opened.take([5, 0, 0]), STORE.take([5, 0, 0]))
    np.testing.assert_array_equal(opened.dense("maccs", [2]), STORE.dense("maccs", [2]))


@pytest.mark.parametrize("smiles", [[], [""], ["C"], ["é", "C\ud800"]])
def test_round_trip_of_almost_nothing(tmp_path: Path, smiles: list[str]) -> None:
    store = featurize_chunk(smiles, FeatureOptions())
    store.save(tmp_path / "store")
    assert_same(MoleculeStore.open(tmp_path / "store"), store)


def test_save_does_not_overwrite_unasked(tmp_path: Path) -> None:
    STORE.save(tmp_path / "store")
    with pytest.raises(OutputError, match="exists"):
        STORE.save(tmp_path / "store")
    STORE.take([0]).save(tmp_path / "store", force=True)
    assert len(MoleculeStore.open(tmp_path / "store")) == 1


def damage_cut(folder: Path) -> None:
    (folder / "atoms.npy").write_bytes((folder / "atoms.npy").read_bytes()[:-5])


def damage_absent(folder: Path) -> None:
    (folder / "edges.npy").unlink()


def damage_shape(folder: Path) -> None:
    np.save(folder / "block_maccs.npy", np.zeros((3, 21), np.uint8))


def damage_manifest(folder: Path) -> None:
    (folder / "store.json").write_text("{")


def damage_schema(folder: Path) -> None:
    manifest = json.loads((folder / "store.json").read_text())
    (folder / "store.json").write_text(json.dumps({**manifest, "schema": 99}))


def damage_arrays(folder: Path) -> None:
    manifest = json.loads((folder / "store.json").read_text())
    del manifest["arrays"]["atoms"]["shape"]
    (folder / "store.json").write_text(json.dumps(manifest))


def damage_no_manifest(folder: Path) -> None:
    (folder / "store.json").unlink()


def damage_pickle(folder: Path) -> None:
    np.save(folder / "atoms.npy", np.array([{}], dtype=object), allow_pickle=True)


@pytest.mark.parametrize(
    "damage",
    [
        damage_cut,
        damage_absent,
        damage_shape,
        damage_manifest,
        damage_schema,
        damage_arrays,
        damage_no_manifest,
        damage_pickle,
    ],
)
@pytest.mark.parametrize("mmap", [True, False])
def test_damaged_files_are_named(tmp_path: Path, damage, mmap: bool) -> None:
    STORE.save(tmp_path / "store")
    damage(tmp_path / "store")
    with pytest.raises(InputError) as caught:
        MoleculeStore.open(tmp_path / "store", mmap=mmap)
    assert str(tmp_path) in str(caught.value)


def test_parts_must_fit_together() -> None:
    for change in (
        {"errors": STORE.errors[:-1]},
        {"atoms": STORE.atoms[:-1]},
        {"edge_features": STORE.edge_features[:-1]},
        {"widths": {}},
        {"blocks": {**STORE.blocks, "maccs": STORE.blocks["maccs"][:2]}},
    ):
        parts = {
            k: getattr(STORE, k)
            for k in (
                "smiles",
                "errors",
                "atoms",
                "atom_offsets",
                "edges",
                "edge_features",
                "edge_offsets",
                "blocks",
                "widths",
            )
        }
        with pytest.raises(InputError, match="does not fit together"):
            MoleculeStore(**{**parts, **change})


def test_with_block() -> None:
    values = np.full((8, 5), np.nan, dtype=np.float32)
    with_geometry = STORE.with_block("geometry", values)
    assert with_geometry.widths["geometry"] == 5
    assert with_geometry.dense("geometry").shape == (8, 5)
    assert "geometry" not in STORE.blocks


def test_store_is_frozen() -> None:
    with pytest.raises(AttributeError):
        STORE.smiles = []


@given(st.lists(st.integers(0, 4), max_size=8), st.data())
def test_ragged_rows_equals_a_loop(lengths: list[int], data: st.DataObject) -> None:
    offsets = np.concatenate([[0], np.cumsum(np.array(lengths, dtype=np.int64))])
    rows = data.draw(st.lists(st.integers(0, len(lengths) - 1), max_size=10)) if lengths else []
    index, new = ragged_rows(offsets, np.array(rows, dtype=np.int64))
    expected = [np.arange(offsets[r], offsets[r + 1]) for r in rows]
    assert index.tolist() == [int(i) for part in expected for i in part]
    assert np.diff(new).tolist() == [len(part) for part in expected]
