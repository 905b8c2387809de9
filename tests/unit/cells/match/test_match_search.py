"""The exact search against every pair compared one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cytomol.cells.match.match_search import Nearest, best_of, exact_nearest
from cytomol.errors import InputError


def oracle(queries: NDArray[np.float32], candidates: NDArray[np.float32], k: int) -> Nearest:
    rows = np.full((len(queries), k), -1, np.int64)
    similarity = np.full((len(queries), k), np.nan, np.float32)
    for number, query in enumerate(queries):
        pairs = [
            (-np.float32(sum(float(a) * float(b) for a, b in zip(query, one, strict=True))), row)
            for row, one in enumerate(candidates)
            if not np.isnan(one).any() and not np.isnan(query).any()
        ]
        for rank, (minus, row) in enumerate(sorted(pairs)[:k]):
            rows[number, rank], similarity[number, rank] = row, -minus
    return Nearest(rows, similarity)


def cut(places: NDArray[np.float32], rows: int) -> list[tuple[int, NDArray[np.float32]]]:
    return [(start, places[start : start + rows]) for start in range(0, len(places), rows)]


@st.composite
def places(draw: st.DrawFn, width: int, most: int) -> NDArray[np.float32]:
    """Rows of length 1 or 0, many of them equal, some not known."""
    seed, rows = draw(st.integers(0, 2**32 - 1)), draw(st.integers(0, most))
    rng = np.random.default_rng(seed)
    kinds = rng.integers(-2, 3, (max(1, rows // 2), width)).astype(np.float64)
    if draw(st.booleans()):
        kinds += rng.normal(size=kinds.shape)
    chosen = kinds[rng.integers(0, len(kinds), rows)]
    unit = chosen / np.maximum(np.linalg.norm(chosen, axis=1, keepdims=True), 1e-12)
    unit[rng.random(rows) < 0.1] = np.nan
    return unit.astype(np.float32)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), width=st.integers(1, 9), k=st.integers(1, 12), rows=st.integers(1, 30))
def test_it_finds_what_comparing_all_pairs_finds(data: st.DataObject, width: int, k: int, rows: int) -> None:
    queries, candidates = data.draw(places(width, 8)), data.draw(places(width, 25))
    found, expected = exact_nearest(queries, cut(candidates, rows), k), oracle(queries, candidates, k)
    np.testing.assert_array_equal(found.rows, expected.rows)
    np.testing.assert_array_equal(found.similarity, expected.similarity)
    everyone = np.tile(np.arange(len(candidates)), (len(queries), 1))
    chosen = best_of(queries, everyone, candidates[everyone], k)
    np.testing.assert_array_equal(chosen.rows, expected.rows)
    np.testing.assert_array_equal(chosen.similarity, expected.similarity)


def test_blocks_do_not_change_a_bit_and_ties_go_by_order() -> None:
    rng = np.random.default_rng(0)
    kinds = rng.normal(size=(70, 200))
    kinds /= np.linalg.norm(kinds, axis=1, keepdims=True)
    candidates = kinds[rng.integers(0, 70, 1500)].astype(np.float32)
    queries = rng.normal(size=(600, 200)).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    whole = exact_nearest(queries, [(0, candidates)], 60)
    for rows in (1, 7, 333):
        parts = exact_nearest(queries[:40], cut(candidates, rows), 60)
        np.testing.assert_array_equal(parts.rows, whole.rows[:40])
        np.testing.assert_array_equal(parts.similarity, whole.similarity[:40])
    equal = whole.similarity[:, :-1] == whole.similarity[:, 1:]
    assert equal.mean() > 0.9  # about twenty candidates of each kind
    assert (np.diff(whole.rows, axis=1)[equal] > 0).all()
    np.testing.assert_allclose(
        whole.similarity[:, 0], (queries @ candidates.T).max(axis=1), rtol=0, atol=1e-6
    )


def test_bad_use_is_refused() -> None:
    one = np.ones((1, 2), np.float32)
    with pytest.raises(InputError, match="cannot search for 0 candidates"):
        exact_nearest(one, [(0, one)], 0)
    with pytest.raises(InputError, match="width 2, candidates 3"):
        exact_nearest(one, [(0, np.ones((1, 3), np.float32))], 1)
