"""The index against the exact search: recall, repeats, repetition and damage."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.unit.cells.match.test_match_library import later, parts

from cytomol.cells.match.match_index import PlaceIndex, build_index
from cytomol.cells.match.match_library import Library
from cytomol.cells.match.match_placing import write_library
from cytomol.cells.match.match_search import exact_nearest
from cytomol.errors import InputError


def unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def kept(folder: Path, count: int = 3000) -> Library:
    """Candidates in clouds, a third of them repeats, some without a place."""
    rng = np.random.default_rng(0)
    places = unit(rng.normal(size=(40, 24))[rng.integers(0, 40, count)] + 0.4 * rng.normal(size=(count, 24)))
    places[rng.integers(0, count, count // 3)] = places[:7][rng.integers(0, 7, count // 3)]
    places[rng.integers(0, count, 20)] = np.nan
    return write_library(folder, later(parts(places, [1000] * (count // 1000))), {})


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    library = kept(tmp_path_factory.mktemp("work") / "kept")
    assert not PlaceIndex.exists(library)
    build_index(library)
    return library


def test_it_finds_nearly_all_and_repeats_in_order(library: Library) -> None:
    queries = np.concatenate([unit(np.random.default_rng(1).normal(size=(300, 24))), library.places[:50]])
    queries[3] = np.nan
    found, exact = PlaceIndex(library).nearest(queries, 20), exact_nearest(queries, library.blocks(), 20)
    same = found.rows == exact.rows
    assert same.mean() > 0.97
    np.testing.assert_array_equal(found.similarity[same], exact.similarity[same])
    assert (found.rows[3] == -1).all()
    falling = np.diff(np.delete(found.similarity, 3, axis=0), axis=1)
    assert (falling <= 0).all()
    equal = (falling == 0) & (np.diff(np.delete(found.rows, 3, axis=0), axis=1) <= 0)
    assert not equal.any()
    assert PlaceIndex(library).nearest(queries[:1], 5).rows.tolist() == [found.rows[0, :5].tolist()]


def test_its_recall_is_measured_and_kept(library: Library) -> None:
    recall = json.loads((library.folder / "index.json").read_text())["recall"]
    assert recall["rows"] == 1024
    assert recall["exact"] == 10 * 1024
    assert 0.95 < recall["found"] / recall["exact"] <= 1
    assert PlaceIndex(library).recall.value == pytest.approx(recall["found"] / recall["exact"])


def test_more_than_there_are(tmp_path: Path) -> None:
    library = kept(tmp_path / "kept", 1000)
    index = build_index(library)
    found = index.nearest(library.places[:3], 1200)
    exact = exact_nearest(library.places[:3], library.blocks(), 1200)
    assert (
        (found.rows >= 0).sum(axis=1).tolist()
        == [library.valid] * 3
        == (exact.rows >= 0).sum(axis=1).tolist()
    )


def test_equal_candidates_make_an_equal_index(library: Library, tmp_path: Path) -> None:
    again = kept(tmp_path / "kept")
    build_index(again)
    queries = unit(np.random.default_rng(2).normal(size=(200, 24)))
    one, other = PlaceIndex(library).nearest(queries, 10), PlaceIndex(again).nearest(queries, 10)
    np.testing.assert_array_equal(one.rows, other.rows)


def test_damage_is_told(tmp_path: Path) -> None:
    library = kept(tmp_path / "kept", 1000)
    build_index(library)
    graph = library.folder / "index.usearch"
    graph.write_bytes(graph.read_bytes()[:-1])
    with pytest.raises(InputError, match="the index cannot be used: it is cut short"):
        PlaceIndex(library)
    about = json.loads((library.folder / "index.json").read_text())
    (library.folder / "index.json").write_text(json.dumps(about | {"places": "0"}))
    with pytest.raises(InputError, match="it is that of other candidates"):
        PlaceIndex(library)
