"""Similarity criteria against brute force on a corpus with a real threshold."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from cytomol.chem.store import MoleculeStore
from cytomol.context import ContextOptions
from cytomol.context.criteria import Inputs, criteria
from cytomol.context.threshold import similarity_grid
from cytomol.corpus.schema import Corpus, Modality


def planted_profiles(n: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(6, width))
    return (centres[rng.integers(0, 6, n)] + 0.3 * rng.standard_t(3, (n, width))).astype(np.float32)


@pytest.mark.parametrize("drop", [0.5, 0.9, 0.99])
def test_profiles_above_the_threshold_of_brute_force(drop: float) -> None:
    values = planted_profiles(80, 20)
    rows = np.repeat(np.arange(40), 2)
    modality = Modality("kd", "perturbation", "gene", rows, values, tuple(map(str, range(20))))
    genes = pd.DataFrame({"gene_id": [f"G{i}" for i in range(40)]})
    corpus = Corpus(pd.DataFrame({"smiles": []}), genes, {"kd": modality})
    options = ContextOptions(minimum_similarity=0.3, maximum_similarity=0.99, drop_fraction=drop)
    inputs = Inputs(corpus, None, options, {"molecule": 0, "gene": 0, "kd": 40})  # type: ignore[arg-type]

    similarity = np.corrcoef(values.astype(np.float64))[np.triu_indices(80, 1)].astype(np.float32)
    grid = similarity_grid(0.3, 0.99)
    allowed = (1 - drop) * len(similarity)
    threshold = next((t for t in grid if (similarity >= t).sum() <= allowed), grid[-1])
    pairs = [p for p, s in zip(combinations(range(80), 2), similarity, strict=True) if s >= threshold]

    edges, facts = criteria["profile_similarity"]().edges(inputs)
    found = sorted(zip((edges.source - 40).tolist(), (edges.target - 40).tolist(), strict=True))
    assert found == pairs
    assert facts["kd"]["threshold"] == pytest.approx(threshold, abs=1e-6)
    assert facts["kd"]["compared"] == 80 * 79 // 2
    between_genes, _ = criteria["gene_similarity"]().edges(inputs)
    wanted = sorted((int(rows[i]), int(rows[j])) for i, j in pairs)
    assert sorted(zip(between_genes.source.tolist(), between_genes.target.tolist(), strict=True)) == wanted


def test_structures_that_cannot_be_read_are_not_compared(corpus: Corpus, store: MoleculeStore) -> None:
    options = ContextOptions(minimum_similarity=0.1, maximum_similarity=0.9, drop_fraction=0.0)
    edges, facts = criteria["structure"]().edges(Inputs(corpus, store, options, {"molecule": 0}))
    assert 6 not in edges.source
    assert 6 not in edges.target
    assert facts["compared"] == 28
