"""Planted genes: two targets per leaf of the mechanism tree, pathway members, bystanders."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.planted.biology import DEPTH, RESPONSE_WIDTH, Biology

__all__ = ["TARGET_GENES_PER_LEAF", "plant_genes"]

TARGET_GENES_PER_LEAF = 2
_PATHWAY_SHARE = 0.4  # of the genes that are no targets
_NOISE = 0.1


def plant_genes(
    count: int, biology: Biology, rng: np.random.Generator
) -> tuple[pd.DataFrame, NDArray[np.float32]]:
    """Return genes and what their knock-out does to the cell.

    Parameters
    ----------
    count
        Number of genes, at least twice the leaves.
    biology
        The planted biology.
    rng
        Source of randomness.

    Returns
    -------
    DataFrame
        ``gene_id``, ``role`` ("target", "pathway", "bystander"), ``target`` (leaf, -1 if no target),
        ``mechanism``, ``family`` (-1 for bystanders), in shuffled order.
    ndarray
        Responses, float32 (count, RESPONSE_WIDTH): a target's knock-out acts like its inhibitor, a
        pathway member half as its mechanism does.
    """
    leaves = 2**DEPTH
    targets = np.repeat(np.arange(leaves), TARGET_GENES_PER_LEAF)
    pathway = round(_PATHWAY_SHARE * (count - len(targets)))
    bystanders = count - len(targets) - pathway
    leaf = np.concatenate([targets, np.full(pathway + bystanders, -1)])
    mechanism = np.concatenate(
        [targets >> 1, rng.integers(leaves >> 1, size=pathway), np.full(bystanders, -1)]
    )
    role = np.repeat(["target", "pathway", "bystander"], [len(targets), pathway, bystanders])

    of_mechanism = biology.leaf_response.reshape(leaves >> 1, 2, RESPONSE_WIDTH).mean(axis=1)
    response = np.where((role == "pathway")[:, None], 0.5 * of_mechanism[mechanism], 0.0)
    response[: len(targets)] = rng.uniform(0.7, 1.1, size=(len(targets), 1)) * biology.leaf_response[targets]
    response += _NOISE * rng.normal(size=response.shape)

    order = rng.permutation(count)
    digits = len(str(count))
    table = pd.DataFrame(
        {
            "gene_id": [f"PLG{number + 1:0{digits}d}" for number in range(count)],
            "role": role[order],
            "target": leaf[order].astype(np.int8),
            "mechanism": mechanism[order].astype(np.int8),
            "family": np.where(mechanism >= 0, mechanism >> (DEPTH - 3), -1)[order].astype(np.int8),
        }
    )
    return table, response[order].astype(np.float32)
