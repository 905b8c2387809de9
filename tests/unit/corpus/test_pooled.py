"""Modalities joined side by side, and a corpus with some of its genes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.pooled import pool_modalities
from cytomol.corpus.schema import Corpus, Modality, Relation


def corpus() -> Corpus:

    def profiles(*rows: list[float]) -> NDArray[np.float32]:
        return np.array(rows, np.float32)

    def rows(*numbers: int) -> NDArray[np.int64]:
        return np.array(numbers)

    measured = profiles([1, 2], [3, np.nan], [5, 6])
    modalities = [
        Modality("cp", "morphology", "molecule", rows(2, 0, 2), measured, ("a", "b")),
        Modality("ko", "perturbation", "gene", rows(1, 3), profiles([1], [2]), ("a",)),
        Modality("jump", "morphology", "molecule", rows(1, 2), profiles([7], [8]), ("a",)),
        Modality("ge", "expression", "molecule", rows(0), profiles([9]), ("G1",)),
        Modality("orf", "expression", "gene", rows(1), profiles([4, 5]), ("x", "y")),
    ]
    one = np.ones(3, np.float32)
    strength = np.array([0.1, 0.2, 0.3], np.float32)
    relations = [
        Relation("targets", "molecule", "gene", rows(0, 1, 2), rows(1, 2, 3), one),
        Relation("ppi", "gene", "gene", rows(0, 1, 3), rows(1, 3, 1), strength),
        Relation("similar", "molecule", "molecule", rows(0), rows(1), one[:1]),
    ]
    return Corpus(
        pd.DataFrame({"mol_id": list("abc"), "smiles": ["C", "CC", "CCC"]}),
        pd.DataFrame({"gene_id": [f"G{i}" for i in range(4)]}),
        {m.name: m for m in modalities},
        {r.name: r for r in relations},
    )


def test_pooled_by_kind() -> None:
    pooled = pool_modalities(corpus()).modalities
    assert list(pooled) == ["cp+jump", "ko+orf", "ge"]
    cell = pooled["cp+jump"]
    assert cell.parts == (("cp", 2), ("jump", 1))
    assert cell.columns == ("cp/a", "cp/b", "jump/a")
    assert cell.rows.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(cell.values, [[3, np.nan, np.nan], [np.nan, np.nan, 7], [3, 4, 8]])
    gene = pooled["ko+orf"]
    assert gene.entity == "gene"
    np.testing.assert_array_equal(gene.values, [[1, 4, 5], [2, np.nan, np.nan]])
    assert pooled["ge"] is not None
    assert pooled["ge"].parts == ()


def test_some_genes_stay() -> None:
    kept = corpus().with_genes(np.array([False, True, False, True]))
    assert kept.genes["gene_id"].tolist() == ["G1", "G3"]
    assert kept.modalities["ko"].rows.tolist() == [0, 1]
    assert kept.modalities["orf"].rows.tolist() == [0]
    assert kept.modalities["cp"].rows.tolist() == [2, 0, 2]
    targets, ppi, similar = kept.relations["targets"], kept.relations["ppi"], kept.relations["similar"]
    assert (targets.source.tolist(), targets.target.tolist()) == ([0, 2], [0, 1])
    assert (ppi.source.tolist(), ppi.target.tolist()) == ([0, 1], [1, 0])
    np.testing.assert_allclose(ppi.weight, [0.2, 0.3])
    assert (similar.source.tolist(), similar.target.tolist()) == ([0], [1])


def test_all_genes_stay_as_they_are() -> None:
    before = corpus()
    after = before.with_genes(np.ones(4, np.bool_))
    for name, relation in before.relations.items():
        assert after.relations[name].source.tolist() == relation.source.tolist()
        assert after.relations[name].target.tolist() == relation.target.tolist()


def test_nothing_to_pool() -> None:
    alone = replace(corpus(), modalities={})
    assert pool_modalities(alone).modalities == {}
