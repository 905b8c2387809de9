"""The context graph with the published shortcut, edge by edge, against NetworkX, RDKit and scikit-learn."""

from __future__ import annotations

import numpy as np
from benchmarks.speed.reference.context import build_graph
from scipy.sparse import csr_matrix

from cytomol.chem.featurize import FeatureOptions, featurize
from cytomol.context import ContextOptions, build_context
from cytomol.corpus import Corpus


def test_graph_is_equal(corpus: Corpus) -> None:
    store = featurize(corpus.smiles, FeatureOptions(graph=False, maccs=False), cache=None, workers=1)
    graph = build_context(corpus, store, ContextOptions(candidates="shortcut"))
    targets = {name: np.zeros((len(m), 1), np.float32) for name, m in corpus.modalities.items()}
    targets["morgan"] = np.zeros((len(corpus), 1), np.float32)
    published = build_graph(corpus, targets)
    place = {node: k for k, node in enumerate(published.nodes)}
    assert len(place) == graph.node_count
    ends = np.array([(place[a], place[b]) for a, b in published.edges])
    weights = np.array([w for *_, w in published.edges(data="weight")])
    n = graph.node_count
    theirs = csr_matrix((weights, (ends[:, 0], ends[:, 1])), shape=(n, n))
    theirs = theirs.maximum(theirs.T)
    ours = csr_matrix((graph.weights.astype(np.float64), graph.indices, graph.indptr), shape=(n, n))
    difference = abs(ours - theirs)
    # cosines a rounding error away from the threshold may fall on either side of it
    wrong = difference.data[difference.data > 1e-5]
    assert len(wrong) <= 2e-4 * ours.nnz
    assert graph.edge_count > 1000
