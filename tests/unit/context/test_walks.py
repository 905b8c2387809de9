"""Walks against exact transition probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare

from cytomol.context import ContextGraph, sample_walks, transition_matrix
from cytomol.errors import InputError


def dense(graph: ContextGraph) -> np.ndarray:
    weights = np.zeros((graph.node_count, graph.node_count), np.float32)
    for node in range(graph.node_count):
        neighbours, values = graph.neighbours(node)
        weights[node, neighbours] = values
    return weights


def test_transition_matrix_is_uniform_over_neighbours(small_graph: ContextGraph) -> None:
    linked = dense(small_graph) > 0
    wanted = linked / np.maximum(linked.sum(1, keepdims=True), 1)
    wanted[6, 6] = 1
    np.testing.assert_allclose(transition_matrix(small_graph).toarray(), wanted)


def test_visits_follow_the_exact_probabilities(small_graph: ContextGraph) -> None:
    count, length = 20_000, 4
    P = transition_matrix(small_graph).toarray()
    for start in range(6):
        nodes, _ = sample_walks(small_graph, np.full(count, start), length, np.random.default_rng(start))
        probability = np.eye(7)[start]
        for step in range(1, length + 1):
            probability = probability @ P
            seen = np.bincount(nodes[:, step], minlength=7)
            possible = probability > 0
            assert seen[~possible].sum() == 0
            if possible.sum() > 1:
                assert chisquare(seen[possible], count * probability[possible]).pvalue > 1e-4


def test_pairs_of_steps_are_a_markov_chain(small_graph: ContextGraph) -> None:
    nodes, _ = sample_walks(small_graph, np.zeros(40_000, np.int64), 3, np.random.default_rng(9))
    P = transition_matrix(small_graph).toarray()
    seen = np.zeros((7, 7))
    np.add.at(seen, (nodes[:, 1], nodes[:, 2]), 1)
    wanted = 40_000 * P[0][:, None] * P
    assert chisquare(seen[wanted > 0], wanted[wanted > 0]).pvalue > 1e-4


def test_path_weights_are_products_of_edge_weights(small_graph: ContextGraph) -> None:
    starts = np.arange(7).repeat(50)
    nodes, weights = sample_walks(small_graph, starts, 5, np.random.default_rng(1))
    matrix = dense(small_graph)
    np.testing.assert_array_equal(nodes[:, 0], starts)
    assert weights.dtype == np.float32
    for walk, path in zip(nodes, weights, strict=True):
        weight = np.float32(1)
        assert path[0] == 1
        for step in range(5):
            weight *= matrix[walk[step], walk[step + 1]]
            assert path[step + 1] == weight


def test_node_without_neighbours_stays_with_weight_zero(small_graph: ContextGraph) -> None:
    nodes, weights = sample_walks(small_graph, np.array([6]), 3, np.random.default_rng(0))
    assert nodes.tolist() == [[6, 6, 6, 6]]
    assert weights.tolist() == [[1, 0, 0, 0]]


def test_equal_seeds_give_equal_walks(small_graph: ContextGraph) -> None:
    starts = np.arange(6).repeat(20)
    runs = [sample_walks(small_graph, starts, 4, np.random.default_rng(3))[0] for _ in range(2)]
    np.testing.assert_array_equal(*runs)
    other, _ = sample_walks(small_graph, starts, 4, np.random.default_rng(4))
    assert (other != runs[0]).any()


def test_no_starts_and_no_steps(small_graph: ContextGraph) -> None:
    rng = np.random.default_rng(0)
    assert sample_walks(small_graph, np.empty(0, np.int64), 4, rng)[0].shape == (0, 5)
    assert sample_walks(small_graph, np.array([2]), 0, rng)[0].tolist() == [[2]]


@pytest.mark.parametrize(("starts", "length"), [([7], 1), ([-1], 1), ([0], -1)])
def test_bad_input(small_graph: ContextGraph, starts: list[int], length: int) -> None:
    with pytest.raises(InputError):
        sample_walks(small_graph, np.array(starts), length, np.random.default_rng(0))
