"""Similar rows of one table: the pairs above the threshold, from all pairs or from the index.

The rows fall into groups, all in one unless the candidates are a shortcut, and only rows of a group are
compared. A group up to the stated size is compared pair by pair; a larger one is indexed, so that no step
grows faster than n log n beyond that size. The index finds a pair if either row is among the 64 nearest of
the other; the pairs found have their exact similarity. Bisection then counts the pairs found instead of
all (a pair missed can lower the threshold, never raise it), still against all candidates, n (n - 1) / 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.similarity import (
    bit_counts,
    indexed_pairs,
    tanimoto_counts,
    tanimoto_histogram,
    tanimoto_pairs,
)
from cytomol.chem.similarity.search import Recall, SimilaritySearch, sample_rows
from cytomol.context.profiles import (
    cosine_counts,
    cosine_histogram,
    cosine_pairs,
    indexed_cosine_pairs,
    standardise_rows,
)
from cytomol.context.threshold import Threshold, bisect_threshold

__all__ = ["Comparable", "Fingerprints", "Profiles", "SimilarPairs", "similar_pairs"]

Pairs = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]


class Comparable(Protocol):
    """A table whose rows can be compared."""

    def usable(self) -> NDArray[np.bool_]:
        """Return which rows are similar to anything, shape (n,)."""
        ...

    def histogram(
        self, edges: NDArray[np.float32], groups: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], int]:
        """Count the pairs within groups by similarity, and all of them; negative groups are left out."""
        ...

    def pairs(self, minimum: float, groups: NDArray[np.int64]) -> Pairs:
        """Return every pair within groups that is at least so similar."""
        ...

    def indexed_pairs(self, minimum: float) -> Pairs:
        """Return the pairs at least so similar that the index finds."""
        ...

    def counts(self, queries: NDArray[np.int64], minimum: float) -> NDArray[np.int64]:
        """Count the rows at least so similar to each of some rows, exactly."""
        ...

    def take(self, rows: NDArray[np.int64]) -> Comparable:
        """Return some of the rows."""
        ...


@dataclass(frozen=True)
class Fingerprints:
    """Packed fingerprints under the Tanimoto coefficient.

    Attributes
    ----------
    packed
        uint8, shape (n, bits / 8).
    """

    packed: NDArray[np.uint8]

    def usable(self) -> NDArray[np.bool_]:
        """Return which rows have a bit set."""
        return bit_counts(self.packed) > 0

    def histogram(
        self, edges: NDArray[np.float32], groups: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], int]:
        """See `tanimoto_histogram`."""
        return tanimoto_histogram(self.packed, edges, groups=groups)

    def pairs(self, minimum: float, groups: NDArray[np.int64]) -> Pairs:
        """See `tanimoto_pairs`."""
        return tanimoto_pairs(self.packed, minimum, groups=groups)

    def indexed_pairs(self, minimum: float) -> Pairs:
        """See `cytomol.chem.similarity.indexed_pairs`."""
        return indexed_pairs(self.packed, minimum)

    def counts(self, queries: NDArray[np.int64], minimum: float) -> NDArray[np.int64]:
        """See `tanimoto_counts`."""
        return tanimoto_counts(self.packed, queries, minimum)

    def take(self, rows: NDArray[np.int64]) -> Fingerprints:
        """Return some of the rows."""
        return Fingerprints(self.packed[rows])


@dataclass(frozen=True)
class Profiles:
    """Profiles under the cosine of standardised rows.

    Attributes
    ----------
    unit
        Rows scaled by `standardise_rows`, float32, shape (n, width).
    """

    unit: NDArray[np.float32]

    @classmethod
    def of(cls, values: NDArray[np.float32]) -> Profiles:
        """Standardise the rows of a table."""
        return cls(standardise_rows(values))

    def usable(self) -> NDArray[np.bool_]:
        """Return which profiles are not constant."""
        return np.asarray(self.unit.any(axis=1))

    def histogram(
        self, edges: NDArray[np.float32], groups: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], int]:
        """See `cosine_histogram`."""
        return cosine_histogram(self.unit, edges, groups=groups)

    def pairs(self, minimum: float, groups: NDArray[np.int64]) -> Pairs:
        """See `cosine_pairs`."""
        return cosine_pairs(self.unit, minimum, groups=groups)

    def indexed_pairs(self, minimum: float) -> Pairs:
        """See `indexed_cosine_pairs`."""
        return indexed_cosine_pairs(self.unit, minimum)

    def counts(self, queries: NDArray[np.int64], minimum: float) -> NDArray[np.int64]:
        """See `cosine_counts`."""
        return cosine_counts(self.unit, queries, minimum)

    def take(self, rows: NDArray[np.int64]) -> Profiles:
        """Return some of the rows."""
        return self if len(rows) == len(self.unit) else Profiles(self.unit[rows])


@dataclass(frozen=True)
class SimilarPairs:
    """Pairs of rows of one table above the threshold.

    Attributes
    ----------
    i, j
        Rows of each pair, i < j, int32.
    similarity
        Their similarity, float32.
    threshold
        What bisection found.
    recall
        Share of the pairs above the threshold that the index found, on sampled rows; None if no group was
        indexed.
    """

    i: NDArray[np.int32]
    j: NDArray[np.int32]
    similarity: NDArray[np.float32]
    threshold: Threshold
    recall: Recall | None

    def report(self) -> dict[str, Any]:
        """Return the numbers for the report of the graph; an index is named, with its recall."""
        return {**self.threshold.report(), **(self.recall.report() if self.recall else {"search": "exact"})}


def similar_pairs(
    table: Comparable,
    grid: NDArray[np.float32],
    drop_fraction: float,
    search: SimilaritySearch,
    *,
    groups: NDArray[np.int64] | None = None,
) -> SimilarPairs:
    """Return the pairs of rows above the threshold that drops a fraction of the candidates.

    Parameters
    ----------
    table
        The rows.
    grid
        Similarities at which the threshold may lie, rising, shape (points,).
    drop_fraction
        Share of the candidates to drop.
    search
        Decides which groups are indexed.
    groups
        Only rows with the same label are compared, shape (n,); negative labels with nothing. None
        compares all rows.
    """
    usable = table.usable()
    label = np.zeros(len(usable), np.int64) if groups is None else groups
    sizes = np.bincount(label[usable & (label >= 0)], minlength=1)
    indexed = np.flatnonzero([search.indexed(size) for size in sizes.tolist()])
    large = np.isin(label, indexed)
    members = [np.flatnonzero(usable & (label == number)) for number in indexed]
    small = np.where(large, -1, label)

    histogram, candidates = table.histogram(grid, small)
    found = [_within(table, rows, float(grid[0])) for rows in members]
    for pairs in found:
        histogram += np.bincount(np.searchsorted(grid, pairs[2], side="right") - 1, minlength=len(grid))
    candidates += sum(len(rows) * (len(rows) - 1) // 2 for rows in members)
    threshold = bisect_threshold(grid, histogram, candidates, drop_fraction)

    parts = [table.pairs(threshold.value, small), *(_at_least(pairs, threshold.value) for pairs in found)]
    i, j, similarity = (np.concatenate(column) for column in zip(*parts, strict=True))
    recall = _recall(table, members, (i, j), threshold.value) if members else None
    return SimilarPairs(i, j, similarity, threshold, recall)


def _within(table: Comparable, rows: NDArray[np.int64], minimum: float) -> Pairs:
    """Return the pairs that the index finds among some rows."""
    i, j, similarity = table.take(rows).indexed_pairs(minimum)
    return rows[i].astype(np.int32), rows[j].astype(np.int32), similarity


def _at_least(pairs: Pairs, minimum: float) -> Pairs:
    kept = pairs[2] >= np.float32(minimum)
    return pairs[0][kept], pairs[1][kept], pairs[2][kept]


def _recall(
    table: Comparable, members: list[NDArray[np.int64]], pairs: tuple[NDArray[np.int32], ...], minimum: float
) -> Recall:
    """Compare the pairs of sampled rows of indexed groups with the exact count."""
    sample = sample_rows(np.concatenate(members))
    exact = 0
    for rows in members:
        asked = np.flatnonzero(np.isin(rows, sample))
        if len(asked):
            exact += int(table.take(rows).counts(asked, minimum).sum())
    found = sum(int(np.isin(ends, sample).sum()) for ends in pairs)
    return Recall(found, exact, len(sample))
