"""Merging of edges against a dictionary."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.context.edges import Edges, merge_edges, symmetric_csr

links = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6), st.sampled_from([0.0, 0.25, 0.5, 1.0])), max_size=40
)


def edges_of(rows: list[tuple[int, int, float]]) -> Edges:
    source, target, weight = zip(*rows, strict=True) if rows else ((), (), ())
    return Edges(np.array(source, np.int64), np.array(target, np.int64), np.array(weight, np.float32))


@settings(deadline=None)
@given(links)
def test_largest_weight_of_each_pair_without_loops(rows: list[tuple[int, int, float]]) -> None:
    wanted: dict[tuple[int, int], float] = {}
    for a, b, weight in rows:
        if a != b and weight > 0:
            pair = (min(a, b), max(a, b))
            wanted[pair] = max(weight, wanted.get(pair, 0.0))
    merged = merge_edges([edges_of(rows)], 7)
    found = list(zip(merged.source.tolist(), merged.target.tolist(), strict=True))
    assert found == sorted(wanted)
    assert merged.weight.tolist() == [wanted[pair] for pair in found]

    indptr, indices, weights = symmetric_csr(merged, 7)
    dense = np.zeros((7, 7), np.float32)
    for (a, b), weight in wanted.items():
        dense[a, b] = dense[b, a] = weight
    rebuilt = np.zeros_like(dense)
    for node in range(7):
        row = slice(indptr[node], indptr[node + 1])
        assert (np.diff(indices[row]) > 0).all()
        rebuilt[node, indices[row]] = weights[row]
    np.testing.assert_array_equal(rebuilt, dense)


@settings(deadline=None)
@given(links, links)
def test_edges_of_several_parts_are_merged_as_those_of_one(
    left: list[tuple[int, int, float]], right: list[tuple[int, int, float]]
) -> None:
    parts = merge_edges([edges_of(left), edges_of(right)], 7)
    whole = merge_edges([Edges.concatenate([edges_of(right), edges_of(left)])], 7)
    for name in ("source", "target", "weight"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))


def test_parts_are_joined_in_order() -> None:
    joined = Edges.concatenate([edges_of([(0, 1, 0.5)]), Edges.empty(), edges_of([(2, 3, 1.0)])])
    assert joined.source.tolist() == [0, 2]
    assert len(Edges.concatenate([])) == 0
