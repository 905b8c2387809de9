"""The whole graph of a small corpus, edge by edge."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cytomol.chem.store import MoleculeStore
from cytomol.context import ContextGraph, ContextOptions, build_context
from cytomol.context.criteria import criteria
from cytomol.corpus.schema import Corpus
from cytomol.errors import ConfigError, InputError

LOOSE = ContextOptions(
    minimum_similarity=0.2, maximum_similarity=0.95, drop_fraction=0.5, readout_fraction=0.3
)


def assert_well_formed(graph: ContextGraph) -> None:
    n = graph.node_count
    assert graph.indptr[0] == 0
    assert graph.indptr[-1] == len(graph.indices) == len(graph.weights)
    assert (np.diff(graph.indptr) >= 0).all()
    source = np.repeat(np.arange(n), graph.degree())
    assert (source != graph.indices).all()
    assert ((graph.weights > 0) & (graph.weights <= 1)).all()
    there = dict(zip(zip(source.tolist(), graph.indices.tolist(), strict=True), graph.weights, strict=True))
    assert len(there) == len(graph.indices)
    assert all(there[j, i] == weight for (i, j), weight in there.items())


def weight(graph: ContextGraph, left: tuple[str, int], right: tuple[str, int]) -> float | None:
    (space, row), (other, column) = left, right
    neighbours, weights = graph.neighbours(graph.offsets[space] + row)
    found = weights[neighbours == graph.offsets[other] + column]
    return float(found[0]) if len(found) else None


@pytest.mark.parametrize("candidates", ["all", "shortcut"])
def test_symmetric_without_loops_weights_in_range(
    corpus: Corpus, store: MoleculeStore, candidates: str
) -> None:
    graph = build_context(corpus, store, LOOSE.updated(candidates=candidates))
    assert_well_formed(graph)
    assert graph.spaces == ("molecule", "gene", "ge", "cp", "crispr")
    assert graph.node_count == 9 + 5 + 4 + 6 + 4
    assert set(graph.report) == set(criteria)


def test_every_kind_of_edge(corpus: Corpus, store: MoleculeStore) -> None:
    graph = build_context(corpus, store, LOOSE)
    assert weight(graph, ("molecule", 0), ("cp", 1)) == 1  # second profile of the same molecule
    assert weight(graph, ("gene", 4), ("crispr", 3)) == 1
    assert weight(graph, ("molecule", 2), ("gene", 3)) == 1
    assert weight(graph, ("molecule", 5), ("gene", 4)) == 0.5  # stated from the gene's side
    assert weight(graph, ("gene", 0), ("gene", 1)) == 0.75  # the stronger of -0.25 and 0.75
    assert weight(graph, ("gene", 2), ("gene", 3)) is None  # weight 0
    assert weight(graph, ("cp", 0), ("cp", 5)) == pytest.approx(1, abs=1e-3)
    assert weight(graph, ("crispr", 1), ("crispr", 3)) == pytest.approx(1, abs=1e-3)
    assert weight(graph, ("gene", 1), ("gene", 4)) == pytest.approx(1, abs=1e-3)
    assert weight(graph, ("molecule", 7), ("molecule", 8)) == 1  # enantiomers
    assert weight(graph, ("molecule", 3), ("gene", 4)) == 1  # the strongest readout
    assert graph.degree()[6] == 1  # the unreadable molecule has its profile alone


def test_criteria_can_be_chosen(corpus: Corpus, store: MoleculeStore) -> None:
    graph = build_context(corpus, store, ContextOptions(criteria=("profile",)))
    assert graph.edge_count == 4 + 6 + 4
    assert list(graph.report) == ["profile"]
    with pytest.raises(ConfigError, match="known: gene_gene"):
        build_context(corpus, store, ContextOptions(criteria=("friends",)))


def test_edges_within_the_shortcut_are_edges_of_all_pairs(corpus: Corpus, store: MoleculeStore) -> None:
    options = ContextOptions(
        minimum_similarity=0.05, drop_fraction=0.0, criteria=("structure", "profile_similarity")
    )
    everything = build_context(corpus, store, options)
    shortcut = build_context(corpus, store, options.updated(candidates="shortcut"))
    assert 0 < shortcut.edge_count < everything.edge_count
    for node in range(shortcut.node_count):
        assert set(shortcut.neighbours(node)[0]) <= set(everything.neighbours(node)[0])
    # Methylnaphthalene and naphthalene share a scaffold, the acyclic molecules the empty one.
    assert weight(shortcut, ("molecule", 2), ("molecule", 3)) is not None
    assert weight(shortcut, ("molecule", 4), ("molecule", 5)) is not None


def test_progress_and_report_name_the_criteria(corpus: Corpus, store: MoleculeStore) -> None:
    seen: list[str] = []
    graph = build_context(corpus, store, LOOSE, progress=seen.append)
    assert seen == list(graph.report)
    assert graph.report["structure"]["compared"] == 8 * 7 // 2
    assert "structure: 4 edges" in graph.text()


def test_corpus_of_molecules_alone(corpus: Corpus, store: MoleculeStore) -> None:
    bare = replace(corpus, genes=corpus.genes.iloc[:0], modalities={}, relations={})
    graph = build_context(bare, store)
    assert_well_formed(graph)
    assert graph.spaces == ("molecule", "gene")


def test_profiles_that_are_excluded_leave_no_node(corpus: Corpus, store: MoleculeStore) -> None:
    out = np.zeros(9, bool)
    out[0] = True
    graph = build_context(corpus.without_profiles_of(out), store, LOOSE)
    assert_well_formed(graph)
    assert graph.node_count == 28 - 3
    first, end = graph.span("cp")
    assert (graph.space_of(graph.neighbours(0)[0]) < 2).all()
    assert end - first == 4


def test_bad_input(corpus: Corpus, store: MoleculeStore) -> None:
    with pytest.raises(InputError, match="3 featurized molecules for a corpus of 9"):
        build_context(corpus, store.take([0, 1, 2]))
    with pytest.raises(ConfigError, match="minimum_similarity"):
        ContextOptions.build({"minimum_similarity": 0.9, "maximum_similarity": 0.8})
    heavy = replace(corpus.relations["regulates"], weight=np.array([0.1, -2, 0.1, 0.1, 0.1], np.float32))
    with pytest.raises(InputError, match=r"relation heavy|regulates.*-2"):
        build_context(replace(corpus, relations={"regulates": heavy}), store)
    unknown = replace(heavy, weight=np.array([0.1, np.nan, 0.1, 0.1, 0.1], np.float32))
    with pytest.raises(InputError, match="nan"):
        build_context(replace(corpus, relations={"regulates": unknown}), store)
    clash = replace(corpus, modalities={"gene": replace(corpus.modalities["cp"], name="gene")})
    with pytest.raises(InputError, match="rename"):
        build_context(clash, store)
    blocks = replace(store, blocks={}, widths={})
    with pytest.raises(InputError, match="Morgan"):
        build_context(corpus, blocks)
