"""The switch between the exact search and the index."""

from __future__ import annotations

import numpy as np
import pytest

from cytomol.chem.similarity import (
    EXACT_UP_TO,
    INDEX_NEIGHBOURS,
    Neighbours,
    SimilaritySearch,
    structural_neighbours,
    tanimoto_top_k,
)
from cytomol.chem.similarity.search import Recall


@pytest.mark.parametrize(
    ("search", "rows", "indexed"),
    [
        (SimilaritySearch(), EXACT_UP_TO, False),
        (SimilaritySearch(), EXACT_UP_TO + 1, True),
        (SimilaritySearch(exact_up_to=100), 100, False),
        (SimilaritySearch(exact_up_to=100), 101, True),
        (SimilaritySearch("exact", 100), 10**9, False),
        (SimilaritySearch("index"), INDEX_NEIGHBOURS + 1, False),  # the index would return the whole table
        (SimilaritySearch("index"), INDEX_NEIGHBOURS + 2, True),
        (SimilaritySearch(exact_up_to=1), 2, False),
    ],
)
def test_on_both_sides_of_the_size(search: SimilaritySearch, rows: int, indexed: bool) -> None:
    assert search.indexed(rows) == indexed


def test_up_to_the_size_neighbours_are_exact(fingerprints: np.ndarray) -> None:
    search = SimilaritySearch(exact_up_to=1498)  # two of the 1,500 rows are empty
    found = structural_neighbours(fingerprints, 5, search)
    assert found.recall is None
    assert found.text() == "exact, all pairs"
    np.testing.assert_array_equal(found.indices, tanimoto_top_k(fingerprints, 5)[0])


def test_above_the_size_the_index_answers_and_says_so(fingerprints: np.ndarray) -> None:
    found = structural_neighbours(fingerprints, 5, SimilaritySearch(exact_up_to=1497))
    assert found.recall is not None
    assert found.recall.rows == 1024
    assert found.recall.exact == 1024 * 5
    assert 0.95 <= found.recall.value <= 1
    assert found.text() == f"index, recall {found.recall.value:.3f} on 1024 molecules"


def test_recall_counts_what_was_missed(fingerprints: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that misses the nearest neighbour of every row finds 4 of 5."""

    def worse(packed: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        indices, similarity = tanimoto_top_k(packed, k + 1)
        return indices[:, 1:], similarity[:, 1:]

    monkeypatch.setattr("cytomol.chem.similarity.search.indexed_top_k", worse)
    distinct = fingerprints[:1400]
    recall = structural_neighbours(distinct, 5, SimilaritySearch("index")).recall
    assert recall is not None
    assert 0.8 <= recall.value < 0.95  # ties at the fifth place count as found


def test_recall_of_nothing_is_complete() -> None:
    recall = Recall(0, 0, 10)
    assert recall.report() == {"search": "index", "recall": 1.0, "sampled": 10, "sampled_pairs": 0}
    assert Neighbours(np.empty((0, 1)), np.empty((0, 1)), recall).text().startswith("index")
