"""Neighbours and pairs from the index against the exact search."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from cytomol.chem.similarity import (
    indexed_pairs,
    indexed_top_k,
    tanimoto_pairs,
    tanimoto_row_histogram,
    tanimoto_top_k,
)
from cytomol.errors import InputError


def test_neighbours_against_the_exact_search(fingerprints: np.ndarray) -> None:
    indices, similarity = indexed_top_k(fingerprints, 10)
    wanted, exact = tanimoto_top_k(fingerprints, 10)
    assert (indices.dtype, similarity.dtype) == (np.int32, np.float32)
    filled = np.delete(np.arange(len(fingerprints)), [7, 800])
    assert (similarity >= exact[:, 9:])[filled].mean() >= 0.95
    assert (indices == wanted).all(axis=1).mean() >= 0.9  # the order too, ties by lower row
    assert (similarity <= exact + 1e-7).all()
    assert (indices[[7, 800]] == -1).all()
    assert not similarity[[7, 800]].any()
    assert not np.isin(indices, [7, 800]).any()


def test_found_neighbours_have_their_exact_similarity(fingerprints: np.ndarray) -> None:
    indices, similarity = indexed_top_k(fingerprints, 10)
    bits = np.unpackbits(fingerprints, axis=1).astype(np.int64)
    common, size = bits @ bits.T, bits.sum(axis=1)
    exact = (common / np.maximum(size[:, None] + size - common, 1)).astype(np.float32)
    row, place = np.nonzero(indices >= 0)
    np.testing.assert_array_equal(similarity[row, place], exact[row, indices[row, place]])
    falling = (similarity[:, 1:] < similarity[:, :-1]) | (indices[:, 1:] > indices[:, :-1])
    assert (falling | (indices[:, 1:] < 0)).all()


@pytest.mark.parametrize("minimum", [0.5, 0.8, 1.0])
def test_pairs_against_all_pairs(fingerprints: np.ndarray, minimum: float) -> None:
    i, j, similarity = indexed_pairs(fingerprints, minimum)
    left, right, exact = tanimoto_pairs(fingerprints, minimum)
    wanted = dict(zip(zip(left.tolist(), right.tolist(), strict=True), exact, strict=True))
    found = list(zip(i.tolist(), j.tolist(), strict=True))
    assert found == sorted(set(found))
    assert (i < j).all()
    assert all(wanted[pair] == value for pair, value in zip(found, similarity, strict=True))
    assert len(found) >= 0.95 * len(wanted) > 0


def test_row_histogram_is_that_of_all_pairs(fingerprints: np.ndarray) -> None:
    i, j, value = tanimoto_pairs(fingerprints, 0.5)
    queries = np.array([0, 7, 250, 1450, 3, 12, 900, 901, 902, 903])
    edges = np.array([0.5, 0.7, 0.9], np.float32)
    near = np.concatenate([value[(i == row) | (j == row)] for row in queries])
    wanted = np.bincount(np.searchsorted(edges, near, side="right") - 1, minlength=3)
    assert tanimoto_row_histogram(fingerprints, queries, edges).tolist() == wanted.tolist()


def test_fewer_rows_than_asked_for_are_padded() -> None:
    packed = np.array([[0b0111], [0b0011], [0b1000], [0]], np.uint8)
    indices, similarity = indexed_top_k(packed, 5)
    assert indices.tolist() == [[1, *[-1] * 4], [0, *[-1] * 4], [-1] * 5, [-1] * 5]
    np.testing.assert_allclose(similarity[:, 0], [2 / 3, 2 / 3, 0, 0])
    assert [column.tolist() for column in indexed_pairs(packed, 0.5)[:2]] == [[0], [1]]


def test_empty_input() -> None:
    nothing = np.empty((0, 16), np.uint8)
    assert indexed_top_k(nothing, 3)[0].shape == (0, 3)
    assert [len(column) for column in indexed_pairs(nothing, 0.5)] == [0, 0, 0]
    edges = np.array([0.5], np.float32)
    assert tanimoto_row_histogram(nothing, np.empty(0, np.int64), edges).tolist() == [0]


def test_bad_input() -> None:
    packed = np.ones((3, 8), np.uint8)
    with pytest.raises(InputError, match="at least 1"):
        indexed_top_k(packed, 0)
    with pytest.raises(InputError, match="in \\(0, 1\\]"):
        indexed_pairs(packed, 0)
    with pytest.raises(InputError, match="uint8"):
        indexed_top_k(packed.astype(float), 1)


@pytest.mark.skipif(sys.platform == "win32", reason="fork does not exist on Windows")
def test_works_in_a_forked_process_after_use() -> None:
    """Data loaders fork after the parent has used the index."""
    program = """
import multiprocessing, numpy as np
from cytomol.chem.similarity import indexed_top_k
packed = np.random.default_rng(0).integers(0, 256, (100, 8), dtype=np.uint8)
def run(_): return indexed_top_k(packed, 2)[0].tolist()
here = run(0)
with multiprocessing.get_context("fork").Pool(1) as pool:
    assert pool.map(run, [0], 1) == [here]
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
