"""Tanimoto similarity between packed fingerprints: exactly over all pairs, or from an index.

The names below load when they are first used: a few molecules are compared without compiled loops.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cytomol.chem.similarity.clusters import butina_clusters
    from cytomol.chem.similarity.exact import tanimoto_histogram, tanimoto_pairs
    from cytomol.chem.similarity.index import (
        INDEX_NEIGHBOURS,
        indexed_pairs,
        indexed_top_k,
        tanimoto_row_histogram,
    )
    from cytomol.chem.similarity.nearest import nearest_rows
    from cytomol.chem.similarity.pair_lists import distinct_pairs
    from cytomol.chem.similarity.search import (
        EXACT_UP_TO,
        Neighbours,
        SimilaritySearch,
        structural_neighbours,
    )
    from cytomol.chem.similarity.top_k import sorted_fingerprints, tanimoto_top_k
    from cytomol.chem.similarity.words import SortedFingerprints, bit_counts

_HOMES = {
    "EXACT_UP_TO": "search",
    "INDEX_NEIGHBOURS": "index",
    "Neighbours": "search",
    "SimilaritySearch": "search",
    "SortedFingerprints": "words",
    "bit_counts": "words",
    "butina_clusters": "clusters",
    "distinct_pairs": "pair_lists",
    "indexed_pairs": "index",
    "indexed_top_k": "index",
    "nearest_rows": "nearest",
    "sorted_fingerprints": "top_k",
    "structural_neighbours": "search",
    "tanimoto_histogram": "exact",
    "tanimoto_pairs": "exact",
    "tanimoto_row_histogram": "index",
    "tanimoto_top_k": "top_k",
}

__all__ = [
    "EXACT_UP_TO",
    "INDEX_NEIGHBOURS",
    "Neighbours",
    "SimilaritySearch",
    "SortedFingerprints",
    "bit_counts",
    "butina_clusters",
    "distinct_pairs",
    "indexed_pairs",
    "indexed_top_k",
    "nearest_rows",
    "sorted_fingerprints",
    "structural_neighbours",
    "tanimoto_histogram",
    "tanimoto_pairs",
    "tanimoto_row_histogram",
    "tanimoto_top_k",
]


def __getattr__(name: str) -> Any:
    """Load a name of this room when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
