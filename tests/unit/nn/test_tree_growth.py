"""Trees grown from rows: against k-means of scikit-learn and the best matching of networkx."""

from __future__ import annotations

from itertools import combinations

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from torch import Tensor
from torch.nn import functional

from cytomol.nn.tree_growth import grow_leaves, inner_nodes, pair_leaves


def clusters(depth: int, seed: int, each: int = 12) -> tuple[Tensor, Tensor]:
    """Return rows around the leaves of a binary tree, each level closer than the last, and their leaf."""
    draw = torch.Generator().manual_seed(seed)
    centres = torch.zeros(1, 24)
    for level in range(depth):
        steps = functional.normalize(torch.randn(len(centres), 24, generator=draw), dim=1) * 0.7**level
        centres = torch.stack([centres - steps, centres + steps], dim=1).flatten(0, 1)
    leaf = torch.arange(len(centres)).repeat_interleave(each)
    return centres[leaf] + 0.02 * torch.randn(len(leaf), 24, generator=draw), leaf


@pytest.mark.parametrize("seed", range(5))
def test_planted_trees_are_found(seed: int) -> None:
    rows, leaf = clusters(3, seed)
    codes, sums = grow_leaves(rows, 3)
    found = (functional.normalize(rows, dim=1) @ codes.T).argmax(dim=1)
    groups = {tuple(sorted(set(found[leaf == number].tolist()))) for number in range(8)}
    assert sorted(groups) == [(number,) for number in range(8)]
    for one, other in leaf.view(-1, 24)[:, [0, -1]].tolist():  # siblings are siblings
        assert found[leaf == one][0] // 2 == found[leaf == other][0] // 2
    torch.testing.assert_close(sums.sum(dim=0), functional.normalize(rows, dim=1).sum(dim=0))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_leaves_are_about_as_tight_as_k_means(seed: int) -> None:
    rows = functional.normalize(torch.randn(200, 6, generator=torch.Generator().manual_seed(seed)), dim=1)
    codes, _ = grow_leaves(rows, 3, rounds=30)
    ours = (1 - (rows @ codes.T).amax(dim=1)).sum().item()
    fitted = KMeans(8, n_init=5, random_state=0).fit(rows.numpy())
    centres = functional.normalize(torch.from_numpy(fitted.cluster_centers_).float(), dim=1)
    theirs = (1 - (rows @ centres.T).amax(dim=1)).sum().item()
    assert ours < 1.15 * theirs


def _lost(sums: Tensor, order: Tensor) -> float:
    pairs = sums[order].view(-1, 2, sums.shape[1])
    return float((pairs.norm(dim=2).sum(dim=1) - pairs.sum(dim=1).norm(dim=1)).sum())


def _best(sums: Tensor) -> float:
    graph = nx.Graph()
    for one in range(len(sums)):
        for other in range(one):
            graph.add_edge(one, other, weight=-_lost(sums, torch.tensor([one, other])))
    pairs = nx.max_weight_matching(graph, maxcardinality=True)
    return _lost(sums, torch.tensor([leaf for pair in pairs for leaf in pair]))


def _greedy(sums: Tensor) -> float:
    """Join the two that lose least, then the next of those left: slow and plain."""
    left, order = list(range(len(sums))), []
    while left:
        pair = min(combinations(left, 2), key=lambda two: _lost(sums, torch.tensor(two)))
        order += pair
        left = [leaf for leaf in left if leaf not in pair]
    return _lost(sums, torch.tensor(order))


def _random_sums(seed: int) -> Tensor:
    return torch.randn(16, 5, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_siblings_are_no_worse_than_the_nearest_first(seed: int) -> None:
    sums = _random_sums(seed)
    order = pair_leaves(sums)
    assert sorted(order.tolist()) == list(range(16))
    assert _best(sums) - 1e-4 <= _lost(sums, order) <= _greedy(sums) + 1e-4


def test_siblings_are_about_the_best_matching() -> None:
    """Exchanges end in a local optimum, which is near the best on average and not always."""
    ratios = [_lost(sums, pair_leaves(sums)) / _best(sums) for sums in map(_random_sums, range(40))]
    assert sum(ratios) / len(ratios) < 1.1


def test_inner_nodes_are_means_of_their_rows() -> None:
    rows, _ = clusters(3, 0)
    leaves, sums = grow_leaves(rows, 3)
    codes = inner_nodes(leaves, sums)
    assert codes.shape == (14, 24)
    units = functional.normalize(rows, dim=1)
    found = (units @ leaves.T).argmax(dim=1)
    for level, start in ((1, 0), (2, 2), (3, 6)):
        for node in range(2**level):
            mean = units[found >> (3 - level) == node].sum(dim=0)
            torch.testing.assert_close(codes[start + node], functional.normalize(mean, dim=0))


def test_rows_of_no_weight_are_left_out() -> None:
    rows, _ = clusters(2, 1)
    weight = torch.ones(len(rows) + 5)
    weight[-5:] = 0
    more = torch.cat([rows, torch.randn(5, 24) * 9])
    for one, other in zip(grow_leaves(rows, 2), grow_leaves(more, 2, weight=weight), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("rows", [torch.ones(1, 4), torch.ones(7, 4), torch.zeros(3, 4)])
def test_too_few_distinct_rows_give_finite_codes(rows: Tensor) -> None:
    codes, sums = grow_leaves(rows, 3)
    assert torch.isfinite(codes).all()
    assert torch.isfinite(inner_nodes(codes, sums)).all()
    assert np.isfinite(sums.numpy()).all()
