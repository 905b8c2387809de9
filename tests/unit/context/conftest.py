"""Small graphs and corpora."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cytomol.chem.featurize import FeatureOptions, featurize
from cytomol.chem.store import MoleculeStore
from cytomol.context.edges import Edges, merge_edges, symmetric_csr
from cytomol.context.graph import ContextGraph
from cytomol.corpus.schema import Corpus, Modality, Relation

SMILES = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "CC(=O)Oc1ccccc1C(=O)OC",
    "c1ccc2ccccc2c1",
    "Cc1ccc2ccccc2c1",
    "CCCCCCCC",
    "CCCCCCCCC",
    "not a molecule",
    "C[C@H](N)C(=O)O",
    "C[C@@H](N)C(=O)O",
]


@pytest.fixture(scope="session")
def store() -> MoleculeStore:
    return featurize(SMILES, FeatureOptions(maccs=False), workers=1, cache=None)


@pytest.fixture
def corpus() -> Corpus:
    """Nine molecules (one unreadable), five genes, three modalities, repeats and missing values."""
    rng = np.random.default_rng(0)
    expression = rng.standard_t(2, (4, 3)).astype(np.float32)
    expression[1] = [np.nan, 200, -150]
    morphology = rng.normal(size=(6, 8)).astype(np.float32)
    morphology[5] = morphology[0] * 3 + 0.01 * rng.normal(size=8)
    morphology[2, 3] = np.nan
    crispr = rng.normal(size=(4, 6)).astype(np.float32)
    crispr[3] = crispr[1] + 0.01 * rng.normal(size=6)
    modalities = [
        Modality("ge", "expression", "molecule", np.array([0, 3, 4, 6]), expression, ("G2", "G4", "other")),
        Modality("cp", "morphology", "molecule", np.array([0, 0, 1, 2, 7, 8]), morphology, tuple("abcdefgh")),
        Modality("crispr", "perturbation", "gene", np.array([0, 1, 2, 4]), crispr, tuple("uvwxyz")),
    ]
    one = np.float32(1)
    relations = [
        Relation(
            "targets", "molecule", "gene", np.array([0, 2, 2]), np.array([1, 1, 3]), np.array([one] * 3)
        ),
        Relation("bound_by", "gene", "molecule", np.array([4]), np.array([5]), np.array([0.5], np.float32)),
        Relation(
            "regulates",
            "gene",
            "gene",
            np.array([0, 1, 1, 2, 3]),
            np.array([1, 0, 1, 3, 4]),
            np.array([-0.25, 0.75, 1, 0, 0.1], np.float32),
        ),
    ]
    return Corpus(
        pd.DataFrame({"mol_id": [f"m{i}" for i in range(9)], "smiles": SMILES}),
        pd.DataFrame({"gene_id": [f"G{i}" for i in range(5)], "entrez_id": [10, 20, 30, 40, 50]}),
        {m.name: m for m in modalities},
        {r.name: r for r in relations},
    )


def graph_of(links: list[tuple[int, int, float]], nodes: int) -> ContextGraph:
    source, target, weight = (np.array(column) for column in zip(*links, strict=True))
    edges = merge_edges(
        [Edges(source.astype(np.int64), target.astype(np.int64), weight.astype(np.float32))], nodes
    )
    half = nodes // 2
    return ContextGraph(
        *symmetric_csr(edges, nodes), spaces=("molecule", "gene"), offsets={"molecule": 0, "gene": half}
    )


@pytest.fixture
def small_graph() -> ContextGraph:
    """Seven nodes, uneven degrees, one alone (node 6)."""
    return graph_of(
        [(0, 1, 0.5), (0, 2, 0.25), (0, 3, 1.0), (1, 2, 0.8), (3, 4, 0.3), (4, 5, 0.9), (2, 5, 0.7)], 7
    )
