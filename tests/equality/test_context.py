"""The context graph in the authors' form, edge by edge, against NetworkX, RDKit and scikit-learn."""

from __future__ import annotations

import numpy as np
from benchmarks.speed.reference.context import build_graph, pool
from scipy.sparse import csr_matrix

from cytomol.corpus import Corpus
from cytomol.corpus.pooled import pool_modalities
from cytomol.methods.config import InfoAlignConfig
from cytomol.progress import Reporter
from cytomol.training.dataset.prepare import prepare


def test_graph_is_equal(corpus: Corpus) -> None:
    config = InfoAlignConfig.preset("authors").updated(workers=1)
    graph = prepare(corpus, config, Reporter(quiet=True)).graph
    published = build_graph(corpus, np.zeros((len(corpus), 1), np.float32))
    genes = np.sort([row for space, row in published.nodes if space == "gene"])
    place = {
        node: graph.offsets[node[0]] + int(np.searchsorted(genes, node[1]) if node[0] == "gene" else node[1])
        for node in published.nodes
    }
    assert sorted(place.values()) == list(range(graph.node_count))
    ends = np.array([(place[a], place[b]) for a, b in published.edges])
    weights = np.array([w for *_, w in published.edges(data="weight")])
    n = graph.node_count
    theirs = csr_matrix((weights, (ends[:, 0], ends[:, 1])), shape=(n, n))
    theirs = theirs.maximum(theirs.T)
    ours = csr_matrix((graph.weights.astype(np.float64), graph.indices, graph.indptr), shape=(n, n))
    difference = abs(ours - theirs)
    # similarities a rounding error away from the threshold, or from half a digit, may fall on either side
    wrong = difference.data[difference.data > 1e-5]
    assert len(wrong) <= 2e-4 * ours.nnz
    assert graph.edge_count > 1000


def test_pooled_tables_are_equal(corpus: Corpus) -> None:
    ours = pool_modalities(corpus)
    theirs = {table.name: table for table in pool(corpus)}
    assert set(ours.modalities) == set(theirs)
    for name, modality in ours.modalities.items():
        table = theirs[name]
        if modality.parts:
            assert modality.rows.tolist() == table.owners
            np.testing.assert_allclose(modality.values, table.values, rtol=1e-6)
            assert [width for _, width in modality.parts] == [part.shape[1] for part in table.parts]
        assert sum(map(len, table.columns)) == modality.width
