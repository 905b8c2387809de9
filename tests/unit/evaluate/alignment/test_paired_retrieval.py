"""Rows that find their own: by hand, by a loop, and by chance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.errors import InputError
from cytomol.evaluate.alignment.paired_retrieval import retrieve_pairs


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30), st.integers(0, 9999))
def test_figures_are_those_of_a_loop(n: int, seed: int) -> None:
    # four signs: cosines are exact, so ties are ties
    X, Y = np.random.default_rng(seed).choice([-1.0, 1.0], size=(2, n, 4))
    for found, (A, B) in zip(retrieve_pairs(X, 3 * Y), ((X, Y), (Y, X)), strict=True):
        ranks = []
        for i in range(n):
            match = [float(A[i] @ b) for b in B]
            ranks.append(sum(s > match[i] for s in match) + (match.count(match[i]) - 1) / 2)
        few = max(1, round(0.05 * n))
        assert found.first == pytest.approx(np.mean([rank < 1 for rank in ranks]))
        assert found.top == pytest.approx(np.mean([rank < few for rank in ranks]))
        assert found.reciprocal == pytest.approx(np.mean([1 / (1 + rank) for rank in ranks]))


def test_both_directions_by_hand() -> None:
    X = np.array([[1.0, 0.0], [0.0, 1.0]])
    Y = np.array([[1.0, 0.1], [1.0, 0.0]])
    there, back = retrieve_pairs(X, Y)
    # x0 is nearer to y1 than to its own y0; x1 has its own y1 at a right angle and y0 nearer
    assert (there.first, there.reciprocal) == (0.0, 0.5)
    assert (back.first, back.reciprocal) == (0.5, 0.75)


def test_all_alike_is_chance() -> None:
    n = 11
    there, back = retrieve_pairs(np.ones((n, 2)), np.ones((n, 2)))
    assert there == back
    assert there.first == 0
    assert there.reciprocal == pytest.approx(1 / (1 + (n - 1) / 2))


def test_what_does_not_fit_is_refused_and_nothing_is_nan() -> None:
    with pytest.raises(InputError, match="cannot find each other"):
        retrieve_pairs(np.ones((2, 3)), np.ones((2, 4)))
    assert np.isnan(retrieve_pairs(np.ones((0, 3)), np.ones((0, 3)))[0].first)
