"""Compare all pairs up to a stated size, ask an index above it, and say which was done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.similarity.index import INDEX_NEIGHBOURS, indexed_top_k
from cytomol.chem.similarity.top_k import tanimoto_top_k

__all__ = ["EXACT_UP_TO", "Neighbours", "Recall", "SimilaritySearch", "sample_rows", "structural_neighbours"]

EXACT_UP_TO = 200_000
"""Rows up to which all pairs are compared; above, comparing all takes longer than the index."""

_SAMPLE = 1024  # rows on which the index is compared with the exact search


@dataclass(frozen=True)
class SimilaritySearch:
    """How similar rows of a table are found.

    Attributes
    ----------
    mode
        "exact" compares all pairs, "index" asks the index, "auto" decides by size.
    exact_up_to
        Rows up to which "auto" compares all pairs.
    """

    mode: Literal["auto", "exact", "index"] = "auto"
    exact_up_to: int = EXACT_UP_TO

    def indexed(self, rows: int) -> bool:
        """Return whether a table of so many rows is indexed.

        Tables no larger than what the index is asked for are always compared exactly: the index would
        have to return them whole.
        """
        limit = self.exact_up_to if self.mode == "auto" else 0
        return self.mode != "exact" and rows > max(limit, INDEX_NEIGHBOURS + 1)


@dataclass(frozen=True)
class Recall:
    """How much of what the exact search finds the index found.

    Attributes
    ----------
    found, exact
        Neighbours of the sampled rows by the index and by the exact search.
    rows
        Sampled rows.
    """

    found: int
    exact: int
    rows: int

    @property
    def value(self) -> float:
        """Share found; 1 if there was nothing to find."""
        return min(self.found / self.exact, 1.0) if self.exact else 1.0

    def report(self) -> dict[str, Any]:
        """Return the numbers for a report."""
        recall = round(self.value, 4)
        return {"search": "index", "recall": recall, "sampled": self.rows, "sampled_pairs": self.exact}


@dataclass(frozen=True)
class Neighbours:
    """The nearest rows of each row.

    Attributes
    ----------
    indices, similarity
        As `tanimoto_top_k` returns them.
    recall
        Measured on a sample if an index was asked; None if the search was exact.
    """

    indices: NDArray[np.int32]
    similarity: NDArray[np.float32]
    recall: Recall | None

    def text(self) -> str:
        """Return in words how they were found."""
        if self.recall is None:
            return "exact, all pairs"
        return f"index, recall {self.recall.value:.3f} on {self.recall.rows} molecules"


def sample_rows(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rows on which an index is compared with the exact search, rising; always the same."""
    chosen = np.random.default_rng(0).choice(len(rows), min(_SAMPLE, len(rows)), replace=False)
    return np.sort(rows[chosen])


def structural_neighbours(
    packed: NDArray[np.uint8], k: int, search: SimilaritySearch | None = None
) -> Neighbours:
    """Return the k most similar other rows of each row, exactly or from the index, by size.

    Parameters
    ----------
    packed
        Packed fingerprints, uint8, shape (n, bits / 8).
    k
        Neighbours wanted.
    search
        How they are found; None takes the defaults.
    """
    filled = np.flatnonzero(packed.any(axis=1))
    if not (search or SimilaritySearch()).indexed(len(filled)):
        return Neighbours(*tanimoto_top_k(packed, k), None)
    indices, similarity = indexed_top_k(packed, k)
    sample = sample_rows(filled)
    # With itself among the rows, a row's own 1 comes first, or that of an equal row, which is as good.
    exact = tanimoto_top_k(packed, k + 1, queries=packed[sample])[1][:, 1:]
    # Of neighbours equally similar any will do, so it is the similarities that are compared.
    last = np.min(exact, axis=1, where=exact > 0, initial=2)
    found = int((similarity[sample] >= last[:, None]).sum())
    return Neighbours(indices, similarity, Recall(found, int((exact > 0).sum()), len(sample)))
