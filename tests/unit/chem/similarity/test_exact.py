"""Tanimoto kernels against RDKit and against the definition on sets."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from rdkit import DataStructs
from rdkit.DataStructs import ExplicitBitVect
from tests.unit.chem.similarity.random_rows import oracle, pack, random_bits

from cytomol.chem.similarity import (
    bit_counts,
    tanimoto_histogram,
    tanimoto_pairs,
    tanimoto_top_k,
)
from cytomol.errors import InputError


def test_agrees_with_rdkit() -> None:
    dense = random_bits(80, 1024)
    vectors = []
    for row in dense:
        vector = ExplicitBitVect(dense.shape[1])
        vector.SetBitsFromList(np.flatnonzero(row).tolist())
        vectors.append(vector)
    rdkit = np.array([DataStructs.BulkTanimotoSimilarity(v, vectors) for v in vectors], np.float32)
    rdkit[~dense.any(1)] = 0  # RDKit calls two empty fingerprints equal; here they say nothing
    i, j, values = tanimoto_pairs(pack(dense), 0.01)
    found = np.zeros_like(rdkit)
    found[i, j] = values
    np.testing.assert_array_equal(found, np.triu(np.where(rdkit >= np.float32(0.01), rdkit, 0), 1))


@settings(deadline=None, max_examples=40)
@given(
    npst.arrays(bool, st.tuples(st.integers(0, 12), st.integers(1, 20))),
    st.sampled_from([0.1, 1 / 3, 0.5, 0.75, 1.0]),
    st.data(),
)
def test_pairs_and_histogram_equal_the_definition(
    dense: np.ndarray, minimum: float, data: st.DataObject
) -> None:
    n = len(dense)
    groups = np.array(data.draw(st.lists(st.integers(-1, 2), min_size=n, max_size=n)), np.int64)
    similarity = oracle(dense).astype(np.float32)
    for labels in (None, groups):
        compared = np.triu(np.ones((n, n), bool), 1) & dense.any(1) & dense.any(1)[:, None]
        if labels is not None:
            compared &= (labels[:, None] == labels) & (labels >= 0)
        i, j, values = tanimoto_pairs(pack(dense), minimum, groups=labels)
        wanted = np.argwhere(compared & (similarity >= np.float32(minimum)))
        np.testing.assert_array_equal(np.stack([i, j], 1), wanted)
        np.testing.assert_array_equal(values, similarity[i, j])
        edges = np.linspace(minimum, 1, 7).astype(np.float32)
        histogram, candidates = tanimoto_histogram(pack(dense), edges, groups=labels)
        assert candidates == compared.sum()
        at_least = [int((similarity[compared] >= edge).sum()) for edge in edges]
        np.testing.assert_array_equal(np.cumsum(histogram[::-1])[::-1], at_least)


def test_pairs_beyond_one_buffer() -> None:
    packed = np.full((700, 16), 255, np.uint8)  # all equal: 244,650 pairs
    i, j, values = tanimoto_pairs(packed, 0.9)
    np.testing.assert_array_equal(np.stack([i, j]), np.triu_indices(700, 1))
    assert (values == 1).all()


def test_result_does_not_depend_on_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = pack(random_bits(600, 128, seed=4))
    results = []
    for threads in (1, 4):
        monkeypatch.setattr("cytomol.chem.similarity.exact.threads", lambda count=threads: count)
        results.append((*tanimoto_top_k(packed, 7), *tanimoto_pairs(packed, 0.3)))
    for one, four in zip(*results, strict=True):
        np.testing.assert_array_equal(one, four)


def test_bit_counts_pads_odd_widths() -> None:
    dense = random_bits(20, 167)
    np.testing.assert_array_equal(bit_counts(pack(dense)), dense.sum(1))


def test_empty_input() -> None:
    nothing = np.empty((0, 16), np.uint8)
    assert tanimoto_top_k(nothing, 3)[0].shape == (0, 3)
    assert tanimoto_top_k(nothing, 3, queries=np.ones((2, 16), np.uint8))[0].tolist() == [[-1] * 3] * 2
    assert len(tanimoto_pairs(nothing, 0.5)[0]) == 0
    assert tanimoto_histogram(nothing, np.array([0.5], np.float32))[1] == 0


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda p: tanimoto_top_k(p, 0), "at least 1"),
        (lambda p: tanimoto_top_k(p.astype(float), 1), "uint8"),
        (lambda p: tanimoto_top_k(p, 1, queries=np.ones((1, 9), np.uint8)), "2 words"),
        (lambda p: tanimoto_pairs(p, 0), "in \\(0, 1\\]"),
        (lambda p: tanimoto_pairs(p, 0.5, groups=np.zeros(2, np.int64)), "2 group labels for 3"),
        (lambda p: tanimoto_histogram(p, np.array([0.5, 0.4], np.float32)), "rising"),
    ],
)
def test_bad_input(call, says: str) -> None:
    with pytest.raises(InputError, match=says):
        call(np.ones((3, 8), np.uint8))


@pytest.mark.skipif(sys.platform == "win32", reason="fork does not exist on Windows")
def test_works_in_a_forked_process_after_use() -> None:
    """Data loaders fork after the parent has used the kernels; OpenMP would kill the child."""
    program = """
import multiprocessing, numpy as np
from cytomol.chem.similarity import tanimoto_top_k
packed = np.arange(64, dtype=np.uint8).reshape(8, 8)
def run(_): return tanimoto_top_k(packed, 2)[0].tolist()
here = run(0)
with multiprocessing.get_context("fork").Pool(1) as pool:
    assert pool.map(run, [0], 1) == [here]
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
