"""The nearest rows against the definition on sets, in NumPy and in the loops."""

from __future__ import annotations

import subprocess
import sys
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from tests.unit.chem.similarity.random_rows import oracle, pack, random_bits

from cytomol.chem.similarity import sorted_fingerprints, tanimoto_top_k


def expected_top_k(similarity: np.ndarray, k: int, *, self_excluded: bool) -> tuple[np.ndarray, np.ndarray]:
    m, n = similarity.shape
    indices, values = np.full((m, k), -1), np.zeros((m, k), np.float32)
    for q in range(m):
        rows = sorted(
            (j for j in range(n) if similarity[q, j] > 0 and not (self_excluded and j == q)),
            key=lambda j: (-similarity[q, j], j),
        )[:k]
        indices[q, : len(rows)] = rows
        values[q, : len(rows)] = similarity[q, rows]
    return indices, values


@pytest.mark.parametrize(("n", "bits", "k"), [(60, 64, 5), (300, 100, 10), (40, 1024, 50), (1, 8, 3)])
def test_top_k_equals_sorting_all_pairs(n: int, bits: int, k: int) -> None:
    dense = random_bits(n, bits)
    indices, values = tanimoto_top_k(pack(dense), k)
    wanted_indices, wanted_values = expected_top_k(oracle(dense), k, self_excluded=True)
    np.testing.assert_array_equal(indices, wanted_indices)
    np.testing.assert_array_equal(values, wanted_values)
    assert indices.dtype == np.int32
    assert values.dtype == np.float32


def test_top_k_of_other_queries_keeps_equal_rows() -> None:
    dense = random_bits(50, 166)
    packed = pack(dense)
    queries = [3, 12, 3, 49]
    indices, values = tanimoto_top_k(packed, 4, queries=packed[queries])
    wanted = expected_top_k(oracle(dense)[queries], 4, self_excluded=False)
    np.testing.assert_array_equal(indices, wanted[0])
    np.testing.assert_array_equal(values, wanted[1])
    kept, _ = tanimoto_top_k(packed, 4, exclude_self=False)
    np.testing.assert_array_equal(kept[queries], indices)


def test_fingerprints_sorted_before_give_the_same() -> None:
    packed, asked = pack(random_bits(70, 96)), pack(random_bits(9, 96, seed=1))
    for queries in (None, asked):
        wanted = tanimoto_top_k(packed, 5, queries=queries, exclude_self=False)
        found = tanimoto_top_k(sorted_fingerprints(packed), 5, queries=queries, exclude_self=False)
        np.testing.assert_array_equal(found[0], wanted[0])
        np.testing.assert_array_equal(found[1], wanted[1])


@settings(deadline=None, max_examples=60)
@given(
    npst.arrays(bool, st.tuples(st.integers(0, 12), st.integers(1, 20))),
    st.lists(st.integers(0, 11), max_size=4),
    st.integers(1, 5),
    st.booleans(),
)
def test_few_are_answered_as_many(dense: np.ndarray, asked: list[int], k: int, before: bool) -> None:
    """Rows of few bits have many equal similarities, whose order counts."""
    packed = pack(dense)
    queries = packed[[row for row in asked if row < len(packed)]]
    rows = sorted_fingerprints(packed) if before else packed
    few = tanimoto_top_k(rows, k, queries=queries)
    with patch("cytomol.chem.similarity.top_k._FEW", -1):
        many = tanimoto_top_k(rows, k, queries=queries)
    for one, other in zip(few, many, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype


def test_few_need_no_compiled_loops() -> None:
    code = (
        "import sys, numpy as np; from cytomol.chem.similarity import tanimoto_top_k;"
        "rows = np.eye(9, 16, dtype=np.uint8); tanimoto_top_k(rows, 2, queries=rows[:1]);"
        "print('numba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
