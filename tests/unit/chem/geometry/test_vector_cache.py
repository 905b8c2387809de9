"""The vector cache: kept per molecule, remembered failures, several writers, damaged files."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from cytomol.chem.geometry import GeometryProvider, compute_geometry, geometry_providers
from cytomol.chem.geometry.vector_cache import VectorCache
from cytomol.errors import OutputError

HELPERS = str(Path(__file__).parent / "helpers")


def provider(version: str = "1") -> GeometryProvider:
    class Versioned(geometry_providers["test-orders"]):  # type: ignore[misc]
        pass

    Versioned.version = version
    return Versioned()


def rows(path: Path) -> int:
    files = list(path.glob("*.sqlite"))
    assert len(files) == 1
    with sqlite3.connect(files[0]) as connection:
        return int(connection.execute("SELECT count(*) FROM geometry").fetchone()[0])


def test_known_results_start_no_process(orders: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ["value:1", "reason:never", "exit:3", "value:2"]
    first = compute_geometry(wanted, orders, cache=tmp_path, workers=1)
    monkeypatch.setattr(sys, "executable", "/bin/false")  # a worker would fail to start
    second = compute_geometry(wanted, orders, cache=tmp_path, workers=1)
    np.testing.assert_array_equal(first.values, second.values)
    assert first.reasons == second.reasons == ["", "never", "the process ended with exit status 3, twice", ""]


def test_timeout_is_remembered_until_more_time_is_given(orders: str, tmp_path: Path) -> None:
    def attempt(timeout: float) -> str:
        return compute_geometry(["work:2.5"], orders, timeout=timeout, cache=tmp_path, workers=1).reasons[0]

    assert attempt(0.5) == "not finished after 0.5 s"
    assert attempt(0.2) == "not finished after 0.5 s"  # known: not tried again
    assert attempt(30) == ""
    assert attempt(0.2) == ""


def test_molecule_killed_from_outside_is_not_remembered(orders: str, tmp_path: Path) -> None:
    geometry = compute_geometry(["kill", "memory", "value:1"], orders, cache=tmp_path, workers=1)
    assert geometry.valid.tolist() == [False, False, True]
    assert rows(tmp_path) == 1


def test_interrupted_run_keeps_what_it_has(orders: str, tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compute_geometry(
            [f"value:{i}" for i in range(10)], orders, cache=tmp_path, workers=1, progress=interrupt
        )
    assert rows(tmp_path) == 3


def test_version_and_key_name_the_file(tmp_path: Path) -> None:
    with VectorCache(tmp_path, provider("1")) as one, VectorCache(tmp_path, provider("2")) as two:
        one.store("C", (np.ones(3, dtype=np.float32), ""))
        one.flush()
        assert one.path != two.path
        assert [position for position, _ in one.find(["N", "C"], timeout=1)] == [1]
        assert list(two.find(["C"], timeout=1)) == []


def test_failure_does_not_replace_a_vector(tmp_path: Path) -> None:
    with VectorCache(tmp_path, provider()) as one, VectorCache(tmp_path, provider()) as other:
        one.store("C", (None, "too slow"), seconds=5.0)
        one.flush()
        other.store("C", (np.arange(3, dtype=np.float32), ""))
        other.flush()
        one.store("C", (None, "too slow"), seconds=9.0)
        one.flush()
        ((_, (vector, reason)),) = one.find(["C"], timeout=20)
        assert vector is not None
        assert reason == ""
        np.testing.assert_array_equal(vector, [0, 1, 2])


def test_more_molecules_than_one_query_takes(tmp_path: Path) -> None:
    smiles = [f"mol{i}" for i in range(1300)]
    with VectorCache(tmp_path, provider()) as cache:
        for i, one in enumerate(smiles):
            cache.store(one, (np.full(3, i, dtype=np.float32), ""))
        cache.flush()
        found = dict(cache.find(smiles, timeout=1))
    assert len(found) == 1300
    assert all(vector is not None and vector[0] == i for i, (vector, _) in found.items())


WRITER = """
import sys
from pathlib import Path
import numpy as np
sys.path.insert(0, {helpers!r})
from cytomol.chem.geometry import GeometryProvider
from cytomol.chem.geometry.vector_cache import VectorCache
class Orders(GeometryProvider):
    name, version, width, worker = "test-orders", "1", 3, ""
    def key(self):
        return f"orders {{self.version}}"
with VectorCache(Path({folder!r}), Orders()) as cache:
    for i in range(*{span}):
        cache.store(f"mol{{i}}", (np.full(3, i, dtype=np.float32), ""))
        if i % 7 == 0:
            cache.flush()
"""


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    spans = [(0, 800), (400, 1200)]
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER.format(helpers=HELPERS, folder=str(tmp_path), span=span)]
        )
        for span in spans
    ]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0]
    with VectorCache(tmp_path, provider()) as cache:
        found = dict(cache.find([f"mol{i}" for i in range(1200)], timeout=1))
    assert len(found) == 1200
    assert all(vector is not None and (vector == i).all() for i, (vector, _) in found.items())


def test_damaged_file_is_said(tmp_path: Path) -> None:
    with VectorCache(tmp_path, provider()) as cache:
        path = cache.path
    path.write_bytes(b"not a database" * 1000)
    with pytest.warns(RuntimeWarning, match=r"test-orders.*damaged.*begun anew"):
        cache = VectorCache(tmp_path, provider())
    with cache:
        cache.store("C", (np.ones(3, dtype=np.float32), ""))
        cache.flush()
        assert len(list(cache.find(["C"], timeout=1))) == 1


def filled(folder: Path, molecules: int = 2000) -> Path:
    """Write a cache that takes many pages, all of them in the main file."""
    with VectorCache(folder, provider()) as cache:
        for i in range(molecules):
            cache.store(f"mol{i}", (np.full(3, i + 1, dtype=np.float32), ""))
        cache.store("slow", (None, "took too long"), seconds=1.0)
        cache.flush()
        cache._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return cache.path


@pytest.mark.filterwarnings("ignore:vector cache")
@pytest.mark.parametrize("start", range(0, 40, 3))
def test_zeroed_pages_never_give_other_vectors(tmp_path: Path, start: int) -> None:
    path = filled(tmp_path)
    data = bytearray(path.read_bytes())
    data[4096 * start + 500 : 4096 * (start + 1) + 700] = bytes(4296)
    path.write_bytes(data)
    with VectorCache(tmp_path, provider()) as cache:
        found = dict(cache.find([f"mol{i}" for i in range(2000)], timeout=1))
        for i, (vector, _) in found.items():
            assert vector is not None
            np.testing.assert_array_equal(vector, np.full(3, i + 1))
        for i in range(2000):  # what is stored now is kept, whether the file was begun anew or not
            cache.store(f"mol{i}", (np.full(3, i + 1, dtype=np.float32), ""))
        cache.flush()
        assert len(list(cache.find([f"mol{i}" for i in range(2000)], timeout=1))) == 2000


@pytest.mark.parametrize(
    "change",
    [
        "vector = zeroblob(12)",
        "vector = x'0000803f0000803f00000040'",
        "vector = NULL, reason = 'no'",
        "seconds = 0.5",
        "checksum = 7",
        "key = randomblob(16)",
    ],
)
def test_altered_rows_are_computed_again(tmp_path: Path, change: str) -> None:
    path = filled(tmp_path, 10)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE geometry SET {change} WHERE key = (SELECT min(key) FROM geometry)")
    names = [*(f"mol{i}" for i in range(10)), "slow"]
    with warnings.catch_warnings(record=True) as said, VectorCache(tmp_path, provider()) as cache:
        warnings.simplefilter("always")
        assert len(list(cache.find(names, timeout=0.1))) == 10
    # a row under another key is no row of these molecules
    damaged = 0 if "key" in change else 1
    assert [("1 damaged row," in str(one.message)) for one in said] == [True] * damaged


def test_a_file_of_an_earlier_version_is_used_on(tmp_path: Path) -> None:
    path = filled(tmp_path, 3)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE old (key BLOB PRIMARY KEY, vector BLOB, reason TEXT, seconds REAL)")
        connection.execute("INSERT INTO old SELECT key, vector, reason, seconds FROM geometry")
        connection.execute("DROP TABLE geometry")
        connection.execute("ALTER TABLE old RENAME TO geometry")
        first = "(SELECT min(key) FROM geometry WHERE vector IS NOT NULL)"
        connection.execute(f"UPDATE geometry SET vector = zeroblob(12) WHERE key = {first}")
    with warnings.catch_warnings(record=True) as said, VectorCache(tmp_path, provider()) as cache:
        warnings.simplefilter("always")
        assert len(list(cache.find(["mol0", "mol1", "mol2", "slow"], timeout=0.1))) == 3
        cache.store("new", (np.ones(3, dtype=np.float32), ""))
        cache.flush()
        assert len(list(cache.find(["new"], timeout=0.1))) == 1
    assert "1 damaged row," in str(said[0].message)


@pytest.mark.parametrize("size", [0, 10, 4096, 6000])
@pytest.mark.filterwarnings("ignore:vector cache")
def test_a_file_cut_short_is_begun_anew(tmp_path: Path, size: int) -> None:
    path = filled(tmp_path)
    os.truncate(path, size)
    with VectorCache(tmp_path, provider()) as cache:
        for i, (vector, _) in cache.find([f"mol{i}" for i in range(2000)], timeout=1):
            assert vector is not None
            assert vector[0] == i + 1
        cache.store("C", (np.ones(3, dtype=np.float32), ""))
        cache.flush()
        assert len(list(cache.find(["C"], timeout=1))) == 1


def test_vector_of_another_width_is_computed_again(tmp_path: Path) -> None:
    with VectorCache(tmp_path, provider()) as cache:
        cache.store("C", (np.ones(2, dtype=np.float32), ""))
        cache.flush()
        assert list(cache.find(["C"], timeout=1)) == []
        cache.store("C", (np.ones(3, dtype=np.float32), ""))
        cache.flush()
        assert len(list(cache.find(["C"], timeout=1))) == 1


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="vector cache cannot be used"):
        VectorCache(tmp_path / "file" / "below", provider())
