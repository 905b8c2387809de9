"""The index itself: equal rows, empty rows, small tables, determinism."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from cytomol.chem.similarity.nearest import nearest_rows
from cytomol.errors import MissingDependencyError


def directions(n: int, width: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(n // 10, width))
    rows = np.repeat(centres, 10, axis=0) + 0.5 * rng.normal(size=(n, width))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_nearest_directions() -> None:
    unit = directions(1000, 40)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -2)
    wanted = np.argsort(-similarity, axis=1)[:, :5]
    found = nearest_rows(unit, 5, "cosine")
    assert found.dtype == np.int32
    assert np.mean([len(set(a) & set(b)) / 5 for a, b in zip(found, wanted, strict=True)]) > 0.95


def test_a_row_is_not_its_own_neighbour_and_none_comes_twice(fingerprints: np.ndarray) -> None:
    found = nearest_rows(fingerprints, 20, "tanimoto")
    assert (found != np.arange(len(found))[:, None]).all()
    assert all(len(set(row)) == 20 for row in np.delete(found, [7, 800], axis=0).tolist())


def test_equal_rows_find_each_other_however_many() -> None:
    many = np.tile(np.eye(1, 8, dtype=np.float32), (300, 1))
    unit = np.vstack([many, directions(200, 8), np.zeros((1, 8), np.float32)])
    found = nearest_rows(unit, 12, "cosine")
    for row in (0, 5, 299):
        assert found[row].tolist() == [other for other in range(13) if other != row][:12]
    assert (found[300:500] >= 0).all()
    assert (found[500] == -1).all()
    assert (found != 500).all()


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_small_tables_are_padded(n: int) -> None:
    found = nearest_rows(directions(50, 6)[:n], 8, "cosine")
    assert found.shape == (n, 8)
    assert ((found >= 0).sum(axis=1) == max(n - 1, 0)).all()


def test_deterministic(fingerprints: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = []
    for count in (1, 3, 3):
        monkeypatch.setattr("cytomol.chem.similarity.nearest.threads", lambda count=count: count)
        tables.append(nearest_rows(fingerprints, 30, "tanimoto"))
    np.testing.assert_array_equal(tables[0], tables[1])
    np.testing.assert_array_equal(tables[1], tables[2])


def test_chunks_make_one_index(fingerprints: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = nearest_rows(fingerprints, 10, "tanimoto")
    monkeypatch.setattr("cytomol.chem.similarity.nearest._CHUNK", 499)
    np.testing.assert_array_equal(nearest_rows(fingerprints, 10, "tanimoto"), whole)


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    with pytest.raises(MissingDependencyError, match="similarity_search = exact"):
        nearest_rows(directions(20, 6), 2, "cosine")
