"""Pairs, each once, against a dictionary."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.chem.similarity import distinct_pairs

pairs = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6), st.sampled_from([0.125, 0.25, 0.5, 1.0])), max_size=30
)


@pytest.mark.parametrize("keep", ["first", "largest"])
@settings(deadline=None)
@given(parts=st.lists(pairs, max_size=3))
def test_each_pair_once_with_the_value_that_is_kept(parts: list, keep: str) -> None:
    wanted: dict[tuple[int, int], float] = {}
    for left, right, value in (pair for part in parts for pair in part):
        pair = (min(left, right), max(left, right))
        wanted[pair] = max(value, wanted.get(pair, 0)) if keep == "largest" else wanted.get(pair, value)
    arrays = [
        (np.array([p[0] for p in part], int), np.array([p[1] for p in part], np.int32), [p[2] for p in part])
        for part in parts
    ]
    low, high, value = distinct_pairs(arrays, 7, keep)
    assert (low.dtype, high.dtype, value.dtype) == (np.int32, np.int32, np.float32)
    assert list(zip(low.tolist(), high.tolist(), strict=True)) == sorted(wanted)
    assert value.tolist() == [wanted[pair] for pair in sorted(wanted)]
