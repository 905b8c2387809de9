"""The cache: keyed by content, memory-mapped, safe when several processes write, never in the way."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import fields, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from cytomol.chem.cache import cached_store, content_key, feature_cache
from cytomol.chem.chunk import featurize_chunk
from cytomol.chem.featurize import FeatureOptions, featurize
from cytomol.chem.store import MoleculeStore
from cytomol.files.temporary import discard, new_directory

SMILES = ["C" * (1 + i % 30) + "O" for i in range(80)]


def make() -> MoleculeStore:
    return featurize_chunk(SMILES, FeatureOptions())


def never() -> MoleculeStore:
    raise AssertionError("computed although the cache has it")


def test_key_depends_on_molecules_order_and_options() -> None:
    keys = {
        content_key(["C", "CC"], {"a": 1}),
        content_key(["CC", "C"], {"a": 1}),
        content_key(["C", "CC"], {"a": 2}),
        content_key(["CCC"], {"a": 1}),
        content_key(['C", "CC'], {"a": 1}),
        content_key(["C", "C", "C"], {"a": 1}),
        content_key(["C\ud800", "CC"], {"a": 1}),
        content_key([], {"a": 1}),
    }
    assert len(keys) == 8
    assert content_key(["C", "CC"], {"a": 1, "b": 2}) == content_key(["C", "CC"], {"b": 2, "a": 1})


def test_key_depends_on_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    from cytomol.chem import cache

    before = content_key(["C"], {})
    monkeypatch.setattr(cache, "FEATURES_VERSION", 10_000)
    assert content_key(["C"], {}) != before


# another value of every option, under which the molecules below have other features
OTHERS = {
    "graph": False,
    "morgan_radius": 1,
    "morgan_bits": 512,
    "maccs": False,
    "counts": True,
    "descriptors": True,
    "geometry": "rdkit",
    "chirality": "as_written",
    "standardize": "parent",
    "max_atoms": 7,
}
LIMITS = {"geometry_timeout", "molecule_timeout"}  # what exceeds them is not kept


def described(store: MoleculeStore) -> list[object]:
    """Return all that a store says."""
    graphs = (store.atoms, store.atom_offsets, store.edges, store.edge_features, store.edge_offsets)
    arrays = {**dict(enumerate(graphs)), **store.blocks}
    return [store.errors, store.widths, {name: np.asarray(a).tobytes() for name, a in arrays.items()}]


def test_one_cache_tells_every_option_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CYTOMOL_CACHE", str(tmp_path / "conformers"))
    assert {field.name for field in fields(FeatureOptions)} == {*OTHERS, *LIMITS}
    spellings = ("{}C[C@H](N)C(=O)[O-].[Na+]", "[Na+].[O-]C(=O)[C@H](N)C{}")
    smiles = [spellings[i % 2].format("C" * (i % 3)) for i in range(64)]
    sure = FeatureOptions()
    ways = [sure, *(replace(sure, **{name: value}) for name, value in OTHERS.items())]
    wanted = [described(featurize(smiles, way, workers=1, cache=None)) for way in ways]
    for one, other in combinations(range(len(ways)), 2):
        assert wanted[one] != wanted[other], (ways[one], ways[other])
    for _ in range(2):  # the first time they are computed, the second time they are found
        found = [described(featurize(smiles, way, workers=1, cache=tmp_path / "one")) for way in ways]
        for way, a, b in zip(ways, found, wanted, strict=True):
            assert a == b, way


def test_computed_once_then_mapped(tmp_path: Path) -> None:
    first = cached_store(tmp_path, "k", make)
    second = cached_store(tmp_path, "k", never)
    assert isinstance(first.atoms, np.memmap)
    assert isinstance(second.blocks["morgan"], np.memmap)
    np.testing.assert_array_equal(first.atoms, make().atoms)
    with pytest.raises(ValueError, match="read-only"):
        second.atoms[0] = 0


def test_damaged_entry_is_computed_again(tmp_path: Path) -> None:
    cached_store(tmp_path, "k", make)
    (tmp_path / "k" / "atoms.npy").write_bytes(b"cut")
    with pytest.warns(RuntimeWarning, match="damaged"):
        again = cached_store(tmp_path, "k", make)
    np.testing.assert_array_equal(again.atoms, make().atoms)
    cached_store(tmp_path, "k", never)


def zero_a_page(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[128 : 128 + 64] = bytes(64)
    path.write_bytes(data)


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


@pytest.mark.parametrize("damage", [zero_a_page, flip_a_bit, cut, zero, Path.unlink])
@pytest.mark.parametrize("name", ["atoms", "edges", "block_morgan", "block_maccs", "smiles", "atom_offsets"])
def test_nothing_damaged_is_served(tmp_path: Path, name: str, damage) -> None:
    cached_store(tmp_path, "k", make)
    damage(tmp_path / "k" / f"{name}.npy")
    with pytest.warns(RuntimeWarning, match=f"damaged and are computed again.*{name}"):
        again = cached_store(tmp_path, "k", make)
    np.testing.assert_array_equal(again.blocks["morgan"], make().blocks["morgan"])
    np.testing.assert_array_equal(again.atoms, make().atoms)
    cached_store(tmp_path, "k", never)


@pytest.mark.parametrize("damage", [zero, cut, Path.unlink, flip_a_bit])
def test_damaged_manifest_is_computed_again(tmp_path: Path, damage) -> None:
    cached_store(tmp_path, "k", make)
    damage(tmp_path / "k" / "store.json")
    with pytest.warns(RuntimeWarning, match="damaged"):
        assert len(cached_store(tmp_path, "k", make)) == len(SMILES)
    cached_store(tmp_path, "k", never)


def test_changed_width_in_the_manifest_is_seen(tmp_path: Path) -> None:
    cached_store(tmp_path, "k", make)
    manifest = tmp_path / "k" / "store.json"
    manifest.write_text(manifest.read_text().replace('"maccs": 167', '"maccs": 166'))
    with pytest.warns(RuntimeWarning, match=r"store.json.*checksum"):
        assert cached_store(tmp_path, "k", make).widths["maccs"] == 167


def test_a_lock_that_is_held_for_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user is told of the lock file while it is waited for, and the work is done in the end."""
    from filelock import FileLock

    from cytomol.chem import cache

    monkeypatch.setattr(cache, "_SAY_AFTER", 0.05)
    monkeypatch.setattr(cache, "_GIVE_UP_AFTER", 0.2)
    with FileLock(tmp_path / "k.lock"), pytest.warns(RuntimeWarning) as said:
        assert len(cached_store(tmp_path, "k", make)) == len(SMILES)
    waiting, given_up = (str(one.message) for one in said)
    assert waiting.startswith("waiting")
    assert "k.lock" in waiting
    assert "k.lock" in given_up
    assert "wait for that process, or end it" in given_up
    assert not (tmp_path / "k").exists()


def test_failing_computation_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        cached_store(tmp_path, "k", never)
    assert [p.name for p in tmp_path.iterdir() if not p.name.endswith(".lock")] == []
    cached_store(tmp_path, "k", make)


def test_place_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.warns(RuntimeWarning, match="CYTOMOL_CACHE"):
        store = cached_store(tmp_path / "file" / "cache", "k", make)
    assert len(store) == len(SMILES)


def test_full_disk_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.warns(RuntimeWarning, match="No space left"):
        store = cached_store(tmp_path, "k", make)
    assert len(store) == len(SMILES)
    assert [p.name for p in tmp_path.iterdir() if not p.name.endswith(".lock")] == []


def test_default_place_is_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CYTOMOL_CACHE", str(tmp_path))
    featurize(SMILES, workers=1)
    assert feature_cache() == tmp_path / "features"
    assert len([p for p in feature_cache().iterdir() if p.is_dir()]) == 1


def test_stores_used_longest_ago_leave_a_full_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cytomol.chem import cache

    for age, name in ((300, "old"), (200, "older but used"), (100, "young")):
        cached_store(tmp_path, name, make)
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    abandoned, at_work = new_directory(tmp_path), new_directory(tmp_path)
    discard(abandoned)  # this process knows nothing of it any more
    abandoned.mkdir()
    for name in ("mine", ".git"):  # somebody else's, in the same folder
        (tmp_path / name).mkdir()
        (tmp_path / name / "data").write_bytes(bytes(10**7))
        os.utime(tmp_path / name, (0, 0))
    cached_store(tmp_path, "older but used", never)
    size = sum(f.stat().st_size for f in (tmp_path / "old").iterdir())
    monkeypatch.setattr(cache, "LARGEST_CACHE", int(3.5 * size))
    cached_store(tmp_path, "new", make)
    left = {p.name for p in tmp_path.iterdir() if p.is_dir()}
    assert left == {"older but used", "young", "new", at_work.name, "mine", ".git"}


WRITER = """
import sys, time
from pathlib import Path
from cytomol.chem import featurize as module
from cytomol.chem.store import MoleculeStore
from cytomol.files.temporary import discard, new_directory

smiles = ["C" * (1 + i % 30) + "O" for i in range(300)]
real = module._compute
def slow(*args):
    print("computed", flush=True)
    time.sleep(0.5)
    return real(*args)
module._compute = slow
print("ready", flush=True)
sys.stdin.readline()
store = module.featurize(smiles, workers=1, cache=Path(sys.argv[1]))
print("rows", len(store), int(store.atoms.astype(int).sum()), type(store.atoms).__name__, flush=True)
"""


def test_processes_that_write_the_same_store(tmp_path: Path) -> None:
    """Three processes start together: one computes, all read the same, nothing is left over."""
    command = [sys.executable, "-c", WRITER, str(tmp_path / "cache")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert all(process.returncode == 0 for process in processes)
    assert sum("computed" in output for output in outputs) == 1
    assert len({output.splitlines()[-1] for output in outputs}) == 1
    assert outputs[0].splitlines()[-1].endswith("memmap")
    folders = [p for p in (tmp_path / "cache").iterdir() if p.is_dir()]
    assert len(folders) == 1


def test_killed_writer_leaves_the_cache_usable(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.readline()
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == "computed\n"  # it holds the lock now
    process.kill()
    process.communicate()
    again = subprocess.run(command, input="\n", capture_output=True, text=True, timeout=60, check=True)
    assert "computed" in again.stdout
    assert "rows 300" in again.stdout
