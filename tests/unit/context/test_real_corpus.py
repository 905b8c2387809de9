"""The real corpus: size and memory of the whole context."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from cytomol.chem.featurize import FeatureOptions, featurize
from cytomol.chem.similarity import tanimoto_top_k
from cytomol.context import build_context, held_out_propagate, neighbour_matrix, propagate
from cytomol.corpus import read_corpus


@pytest.mark.real_data
@pytest.mark.slow
def test_whole_context_in_a_gigabyte(real_data: Path) -> None:
    corpus = read_corpus(real_data / "corpus")
    store = featurize(corpus.smiles, FeatureOptions(graph=False, maccs=False), cache=None)
    tracemalloc.start()
    graph = build_context(corpus, store)
    W = neighbour_matrix(*tanimoto_top_k(store.blocks["morgan"], 10))
    for modality in corpus.modalities.values():
        if modality.entity == "molecule":
            filled = propagate(W, modality.values, modality.rows)
            assert np.isfinite(filled.values).all()
            assert len(held_out_propagate(W, modality.values, modality.rows).rows) > 0.9 * len(modality)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1e9
    assert graph.report["structure"]["compared"] == 36_924 * 36_923 // 2
    assert graph.report["gene_gene"]["edges"] > 180_000
    assert graph.report["readout"]["edges"] == 11_227
    similar = graph.report["profile_similarity"]["morphology_cdrp_pc50"]
    assert 0.994 < 1 - similar["pairs"] / similar["compared"] < 0.9952
