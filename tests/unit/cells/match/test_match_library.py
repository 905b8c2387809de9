"""Candidates kept on disk come back as they were, and damage is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cytomol.cells.match import match_library
from cytomol.cells.match.match_library import Library, open_library
from cytomol.cells.match.match_placing import write_library
from cytomol.cells.match.match_table import PlacedRows
from cytomol.errors import InputError, OutputError


def parts(places: NDArray[np.float32], sizes: list[int]) -> list[PlacedRows]:
    """Cut places into parts."""
    found, start = [], 0
    for size in sizes:
        rows = places[start : start + size]
        wrong = np.isnan(rows).any(axis=1)
        about = pd.DataFrame(
            {
                "id": [f"c{start + i}" for i in range(len(rows))],
                "smiles": "C",
                "error": np.where(wrong, "not read", ""),
                "kept_vendor": [f"v{(start + i) % 3}" for i in range(len(rows))],
            },
            dtype=object,
        )
        found.append(PlacedRows(start, about, rows))
        start += len(rows)
    return found


def later(found: list[PlacedRows]) -> Callable[[int], Iterator[PlacedRows]]:
    return lambda start: (part for part in found if part.start >= start)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=6),
    seed=st.integers(0, 999),
    absent=st.floats(0, 0.9),
)
def test_what_was_written_is_read(
    sizes: list[int], seed: int, absent: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rng = np.random.default_rng(seed)
    places = rng.normal(size=(sum(sizes), 4)).astype(np.float32)
    places[rng.random(len(places)) < absent] = np.nan
    places[rng.integers(len(places))] = 1
    folder = tmp_path_factory.mktemp("work") / "kept"
    library = write_library(folder, later(parts(places, sizes)), {"model": "m"})
    np.testing.assert_array_equal(np.concatenate([block for _, block in library.blocks()]), places)
    np.testing.assert_array_equal(library.places, places)
    valid = places[~np.isnan(places).any(axis=1)].astype(np.float64)
    assert (library.rows, library.valid) == (len(places), len(valid))
    rows = rng.integers(0, len(places), 30)
    texts = library.texts(rows)
    assert texts["id"].tolist() == [f"c{row}" for row in rows]
    assert texts["kept_vendor"].tolist() == [f"v{row % 3}" for row in rows]
    queries = rng.normal(size=(3, 4)).astype(np.float32)
    mean, spread = library.crowd.mean_and_spread(queries)
    similarity = queries.astype(np.float64) @ valid.T
    np.testing.assert_allclose(mean, similarity.mean(axis=1), atol=1e-6)
    np.testing.assert_allclose(spread, similarity.std(axis=1), atol=1e-6)


def test_blocks_are_cut_by_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match_library, "_BLOCK_BYTES", 40)
    places = np.arange(28, dtype=np.float32).reshape(7, 4)
    library = write_library(tmp_path / "kept", later(parts(places, [7])), {})
    assert [(start, len(block)) for start, block in library.blocks()] == [(0, 2), (2, 2), (4, 2), (6, 1)]


def test_nothing_is_left_where_none_has_a_place(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"t.csv: none of its 3 rows can be placed; row 1: not read"):
        write_library(
            tmp_path / "kept", later(parts(np.full((3, 2), np.nan, np.float32), [2, 1])), {"source": "t.csv"}
        )
    assert list(tmp_path.iterdir()) == []


def test_others_are_refused(tmp_path: Path) -> None:
    places = np.ones((2, 2), np.float32)
    write_library(tmp_path / "kept", later(parts(places, [2])), {"model": "a" * 64, "source": "here"})
    assert open_library(tmp_path / "kept", {"model": "a" * 64, "source": "there"}).valid == 2
    with pytest.raises(InputError, match=r"made of another model: aaaaaaaaaaaa\.\.\., not bbb"):
        open_library(tmp_path / "kept", {"model": "bbb"})
    with pytest.raises(OutputError, match="exists"):
        write_library(tmp_path / "kept", later(parts(places, [2])), {})
    (tmp_path / "kept" / "candidates.json").write_text('{"format": "other"}')
    with pytest.raises(InputError, match="holds no candidates placed by cytomol"):
        Library.read(tmp_path / "kept")


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_what_was_cut_off_goes_on(tmp_path: Path, cut: int) -> None:
    places = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
    places[:3] = np.nan  # the first part has no place yet
    whole, origin = parts(places, [2, 2, 3, 2]), {"model": "m", "kept": ["vendor"]}

    def broken(start: int) -> Iterator[PlacedRows]:
        yield from whole[:cut]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_library(tmp_path / "kept", broken, origin)
    assert not (tmp_path / "kept").exists()
    with (tmp_path / "kept.partial" / "places.f32").open("ab") as handle:
        handle.write(b"half a row")  # as a process that dies while it writes
    with pytest.raises(InputError, match=r"kept.partial: was made of another model: m, not n"):
        write_library(tmp_path / "kept", later(whole), origin | {"model": "n"})
    asked: list[int] = []

    def rest(start: int) -> Iterator[PlacedRows]:
        asked.append(start)
        return later(whole)(start)

    library = write_library(tmp_path / "kept", rest, origin)
    assert asked == [[0, 2, 4, 7][cut]]
    straight = write_library(tmp_path / "straight", later(whole), origin)
    np.testing.assert_array_equal(library.places, straight.places)
    np.testing.assert_array_equal(library.crowd.second, straight.crowd.second)
    assert library.about == straight.about
    every = np.arange(9)
    pd.testing.assert_frame_equal(library.texts(every), straight.texts(every))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept", "straight"]
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == [
        ".cytomol", "candidates.json", "crowd.npz", "places.f32", "rows"
    ]  # fmt: skip
