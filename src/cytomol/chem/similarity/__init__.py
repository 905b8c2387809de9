"""Tanimoto similarity between packed fingerprints: exactly over all pairs, or from an index."""

from cytomol.chem.similarity.bits import bit_counts
from cytomol.chem.similarity.clusters import butina_clusters
from cytomol.chem.similarity.exact import (
    SortedFingerprints,
    sorted_fingerprints,
    tanimoto_histogram,
    tanimoto_pairs,
    tanimoto_top_k,
)
from cytomol.chem.similarity.index import (
    INDEX_NEIGHBOURS,
    indexed_pairs,
    indexed_top_k,
    tanimoto_row_histogram,
)
from cytomol.chem.similarity.nearest import nearest_rows
from cytomol.chem.similarity.pair_lists import distinct_pairs
from cytomol.chem.similarity.search import EXACT_UP_TO, Neighbours, SimilaritySearch, structural_neighbours

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
