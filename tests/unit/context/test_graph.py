"""Node numbering of the context graph."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cytomol.context import ContextGraph


def test_spaces_degrees_and_neighbours(small_graph: ContextGraph) -> None:
    assert small_graph.node_count == 7
    assert small_graph.edge_count == 7
    assert small_graph.degree().tolist() == [3, 2, 3, 2, 2, 2, 0]
    assert small_graph.space_of(np.array([[0, 2], [3, 6]])).tolist() == [[0, 0], [1, 1]]
    assert small_graph.span("molecule") == (0, 3)
    assert small_graph.span("gene") == (3, 7)
    neighbours, weights = small_graph.neighbours(2)
    assert neighbours.tolist() == [0, 1, 5]
    np.testing.assert_allclose(weights, [0.25, 0.8, 0.7])
    assert "7 nodes (1 alone), 7 edges" in small_graph.text()


def test_empty_space_between_others() -> None:
    graph = ContextGraph(
        np.zeros(4, np.int64),
        np.empty(0, np.int32),
        np.empty(0, np.float32),
        ("molecule", "gene", "cp"),
        {"molecule": 0, "gene": 2, "cp": 2},
    )
    assert graph.span("gene") == (2, 2)
    assert graph.space_of(np.array([1, 2])).tolist() == [0, 2]


def test_a_search_with_an_index_is_told_even_if_it_found_nothing(small_graph: ContextGraph) -> None:
    nothing = {"edges": 0, "seconds": 0.0}
    painting = {"search": "index", "molecules": 20_000}
    report = {"structure": nothing, "profile": {**nothing, "painting": painting}}
    text = replace(small_graph, report=report).text()
    assert "structure" not in text
    assert text.endswith("profile: 0 edges in 0.0 s\n    painting: search index, molecules 20,000")
