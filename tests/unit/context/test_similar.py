"""The pairs above the threshold: exactly, from the index, and some groups each way."""

from __future__ import annotations

import numpy as np
import pytest

from cytomol.chem.similarity import SimilaritySearch
from cytomol.context.cosine import (
    cosine_pairs,
    cosine_row_histogram,
    indexed_cosine_pairs,
    standardise_rows,
)
from cytomol.context.similar import Comparable, Fingerprints, Profiles, SimilarPairs, similar_pairs
from cytomol.context.threshold import similarity_grid

GRID = similarity_grid(0.6, 0.99)
EXACT, INDEX = SimilaritySearch("exact"), SimilaritySearch("index")


def families(n: int, width: int = 30) -> np.ndarray:
    """Profiles in families of about twelve; row 5 is constant, row 9 repeats row 8."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(n // 12, width))
    values = centres[rng.integers(0, len(centres), n)] + rng.uniform(0.1, 1, (n, 1)) * rng.normal(
        size=(n, width)
    )
    values[5], values[9] = 1.5, values[8]
    return values.astype(np.float32)


def prints(n: int, bits: int = 256) -> np.ndarray:
    """Fingerprints in families; row 5 is empty, row 9 repeats row 8."""
    rng = np.random.default_rng(1)
    parents = rng.random((n // 12, bits)) < 0.2
    rows = parents[rng.integers(0, len(parents), n)] ^ (rng.random((n, bits)) < 0.01)
    rows[5], rows[9] = False, rows[8]
    return np.packbits(rows, axis=1)


TABLES = [Profiles.of(families(600)), Fingerprints(prints(600))]


def as_set(found: SimilarPairs) -> dict[tuple[int, int], float]:
    keys = zip(found.i.tolist(), found.j.tolist(), strict=True)
    return dict(zip(keys, found.similarity.tolist(), strict=True))


@pytest.mark.parametrize("table", TABLES, ids=["profiles", "fingerprints"])
@pytest.mark.parametrize("drop", [0.5, 0.99])
def test_index_against_all_pairs(table: Comparable, drop: float) -> None:
    exact = similar_pairs(table, GRID, drop, EXACT)
    found = similar_pairs(table, GRID, drop, INDEX)
    assert exact.recall is None
    assert exact.report()["search"] == "exact"
    assert found.threshold.candidates == exact.threshold.candidates == 599 * 598 // 2
    assert found.threshold.value == pytest.approx(exact.threshold.value, abs=0.002)
    wanted, got = as_set(exact), as_set(found)
    assert len(got) == len(found.i) == found.threshold.kept
    assert (found.i < found.j).all()
    assert len(set(got) & set(wanted)) >= 0.95 * len(wanted) > 100
    assert all(got[pair] == pytest.approx(wanted[pair], abs=1e-6) for pair in set(got) & set(wanted))
    report = found.report()
    assert report["search"] == "index"
    assert report["sampled"] == 599
    assert report["sampled_pairs"] > 0
    assert 0.95 <= report["recall"] <= 1


@pytest.mark.parametrize("table", TABLES, ids=["profiles", "fingerprints"])
def test_large_groups_are_indexed_and_small_ones_are_not(
    table: Comparable, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = np.where(np.arange(600) % 5 == 0, 1, np.where(np.arange(600) % 97 == 1, -1, 0))
    asked: list[int] = []
    search = type(table).indexed_pairs

    def counted(self: Comparable, minimum: float):
        asked.append(int(self.usable().sum()))
        return search(self, minimum)

    monkeypatch.setattr(type(table), "indexed_pairs", counted)
    exact = similar_pairs(table, GRID, 0.9, EXACT, groups=groups)
    found = similar_pairs(table, GRID, 0.9, SimilaritySearch("auto", 200), groups=groups)
    usable = table.usable()
    assert asked == [int((usable & (groups == 0)).sum())]  # the group of 119 or 120 is compared exactly
    assert found.threshold.candidates == exact.threshold.candidates
    assert len(set(as_set(found)) & set(as_set(exact))) >= 0.95 * len(exact.i)
    assert (groups[found.i] == groups[found.j]).all()
    assert (groups[found.i] >= 0).all()
    assert found.recall is not None
    assert found.recall.exact > 0


def test_recall_tells_what_a_poor_index_misses(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Fingerprints(prints(600))

    def half(self: Fingerprints, minimum: float):
        pairs = self.pairs(minimum, np.zeros(len(self.packed), np.int64))
        kept = np.random.default_rng(0).random(len(pairs[0])) < 0.5
        return tuple(column[kept] for column in pairs)

    monkeypatch.setattr(Fingerprints, "indexed_pairs", half)
    recall = similar_pairs(table, GRID, 0.5, INDEX).report()["recall"]
    assert recall == pytest.approx(0.5, abs=0.05)


def test_same_table_gives_same_pairs() -> None:
    for table in TABLES:
        one, two = (similar_pairs(table, GRID, 0.5, INDEX) for _ in range(2))
        np.testing.assert_array_equal(one.i, two.i)
        np.testing.assert_array_equal(one.j, two.j)
        np.testing.assert_array_equal(one.similarity, two.similarity)
        assert one.report() == two.report()


def test_cosine_pairs_from_the_index() -> None:
    unit = standardise_rows(families(300))
    exact = {(a, b) for a, b in zip(*(x.tolist() for x in cosine_pairs(unit, 0.7)[:2]), strict=True)}
    i, j, similarity = indexed_cosine_pairs(unit, 0.7)
    found = list(zip(i.tolist(), j.tolist(), strict=True))
    assert found == sorted(set(found))
    assert len(exact & set(found)) >= 0.95 * len(exact) > 0
    np.testing.assert_allclose(similarity, (unit[i] * unit[j]).sum(axis=1), atol=1e-6)
    assert similarity.max() <= 1
    assert 5 not in i
    assert 5 not in j
    assert (8, 9) in found


def test_cosine_row_histogram_is_that_of_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cytomol.context.cosine._BLOCK", 64)
    unit = standardise_rows(families(300))
    i, j, value = cosine_pairs(unit, 0.7)
    queries, edges = np.array([0, 5, 8, 150, 299]), np.array([0.7, 0.8, 0.9], np.float32)
    near = np.concatenate([value[(i == row) | (j == row)] for row in queries])
    wanted = np.bincount(np.searchsorted(edges, near, side="right") - 1, minlength=3)
    assert cosine_row_histogram(unit, queries, edges).tolist() == wanted.tolist()


def test_threshold_is_that_of_all_pairs_where_the_index_cannot_find_them_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In families of 400 a profile has far more like it than the index returns."""
    monkeypatch.setattr("cytomol.chem.similarity.search._SAMPLE", 400)
    rng = np.random.default_rng(0)
    values = np.repeat(rng.normal(size=(3, 20)), 400, axis=0) + 0.5 * rng.normal(size=(1200, 20))
    table = Profiles.of(values.astype(np.float32))
    exact = similar_pairs(table, GRID, 0.8, EXACT)
    found = similar_pairs(table, GRID, 0.8, INDEX)
    assert found.threshold.value == pytest.approx(exact.threshold.value, abs=0.01)
    wanted, got = as_set(exact), as_set(found)
    assert min(got.values()) >= found.threshold.value  # which may lie a step of the grid from the exact one
    above = {pair: value for pair, value in got.items() if value >= exact.threshold.value}
    assert set(above) <= set(wanted)
    assert len(above) > 1000
    assert all(value == pytest.approx(wanted[pair], abs=1e-6) for pair, value in above.items())
    assert found.report()["recall"] == pytest.approx(len(found.i) / len(exact.i), abs=0.1)
    assert found.report()["recall"] < 0.9


def test_nothing_to_compare() -> None:
    for table in (Profiles(np.zeros((3, 4), np.float32)), Fingerprints(np.empty((0, 8), np.uint8))):
        found = similar_pairs(table, GRID, 0.5, INDEX)
        assert len(found.i) == 0
        assert found.threshold.candidates == 0
