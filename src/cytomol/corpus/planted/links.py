"""Planted relations: mostly right, partly wrong, far from complete; the truth of every link is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.schema import Relation

__all__ = ["plant_gene_gene", "plant_regulation", "plant_targets"]

_ANNOTATED = 0.3  # share of the active molecules whose target somebody listed
_FALSE_ANNOTATION = 0.02  # share of the inactive molecules that got one all the same
_WRONG_TARGET = 0.15
_WRONG_INTERACTION = 0.2
_WRONG_REGULATION = 0.2
_INTERACTING = {"target": 0.9, "mechanism": 0.4, "family": 0.03}  # chance of a link between kin
_REGULATED = 8  # expression columns listed per gene

Planted = tuple[Relation, NDArray[np.bool_]]


def plant_targets(
    molecules: pd.DataFrame, genes: pd.DataFrame, unannotated: NDArray[np.bool_], rng: np.random.Generator
) -> Planted:
    """Return ``compound_targets_gene`` and which links are right.

    Parameters
    ----------
    molecules
        With ``target`` (leaf, -1 none).
    genes
        With ``target`` (leaf, -1 none).
    unannotated
        Molecules that are too new to have annotated targets, bool (molecules,).
    rng
        Source of randomness.
    """
    leaf = molecules["target"].to_numpy()
    gene_leaf = genes["target"].to_numpy()
    of_leaf = np.array([np.flatnonzero(gene_leaf == one) for one in range(leaf.max() + 1)])
    chance = np.where(leaf >= 0, _ANNOTATED, _FALSE_ANNOTATION)
    annotated = np.flatnonzero((rng.random(len(leaf)) < chance) & ~unannotated)

    source = np.repeat(annotated, of_leaf.shape[1])
    right = of_leaf[leaf[annotated]].ravel()
    known = rng.random(len(source)) < np.where(leaf[source] >= 0, 0.75, 0.5)
    source, right = source[known], right[known]
    stray = (rng.random(len(source)) < _WRONG_TARGET) | (leaf[source] < 0)
    target = np.where(stray, rng.integers(len(genes), size=len(source)), right)
    links = pd.DataFrame({"source": source, "target": target}).drop_duplicates()
    source, target = links["source"].to_numpy(), links["target"].to_numpy()
    correct = (leaf[source] == gene_leaf[target]) & (leaf[source] >= 0)
    weight = np.ones(len(source), dtype=np.float32)
    return Relation("compound_targets_gene", "molecule", "gene", source, target, weight), correct


def plant_gene_gene(genes: pd.DataFrame, rng: np.random.Generator) -> Planted:
    """Return ``gene_gene``, links between kin in the tree (and strays), and which are right."""
    kin = {level: genes[level].to_numpy() for level in _INTERACTING}
    first, second = np.triu_indices(len(genes), k=1)
    chance = np.zeros(len(first))
    for level in ("family", "mechanism", "target"):
        together = (kin[level][first] == kin[level][second]) & (kin[level][first] >= 0)
        chance[together] = _INTERACTING[level]
    linked = rng.random(len(first)) < chance
    strays = round(_WRONG_INTERACTION / (1 - _WRONG_INTERACTION) * int(linked.sum()))
    linked[rng.choice(np.flatnonzero(~linked), size=strays, replace=False)] = True
    source, target = first[linked], second[linked]
    correct = (kin["family"][source] == kin["family"][target]) & (kin["family"][source] >= 0)
    weight = np.ones(len(source), dtype=np.float32)
    return Relation("gene_gene", "gene", "gene", source, target, weight), correct


def plant_regulation(
    effect: NDArray[np.float32], column_genes: NDArray[np.int64], rng: np.random.Generator
) -> Planted:
    """Return ``gene_regulates_gene``, signed, and which links are right.

    Parameters
    ----------
    effect
        Noiseless expression change by each gene's knock-out, in sd, float32 (genes, columns).
    column_genes
        Gene of each expression column, int64 (columns,).
    rng
        Source of randomness.
    """
    strongest = np.argsort(-np.abs(effect), axis=1, kind="stable")[:, :_REGULATED]
    source = np.repeat(np.arange(len(effect)), strongest.shape[1])
    column = strongest.ravel()
    wrong = rng.random(len(source)) < _WRONG_REGULATION
    column[wrong] = rng.integers(effect.shape[1], size=int(wrong.sum()))
    weight = -effect[source, column] / np.abs(effect).max()  # a knock-out undoes what the gene does
    weight[wrong] = rng.uniform(-1, 1, size=int(wrong.sum()))
    links = pd.DataFrame(
        {"source": source, "target": column_genes[column], "weight": weight, "correct": ~wrong}
    )
    links = links[(links["source"] != links["target"]) & (links["weight"].abs() > 1e-3)]
    links = links.drop_duplicates(["source", "target"])
    relation = Relation(
        "gene_regulates_gene",
        "gene",
        "gene",
        links["source"].to_numpy(np.int64),
        links["target"].to_numpy(np.int64),
        links["weight"].to_numpy(np.float32),
    )
    return relation, links["correct"].to_numpy(bool)
