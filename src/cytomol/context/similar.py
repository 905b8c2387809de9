"""Similar rows of one table: the pairs above the threshold, from all pairs or from the index.

The rows fall into groups, all in one unless the candidates are a shortcut, and only rows of a group are
compared. A group up to the stated size is compared pair by pair; a larger one is indexed, so that no step
grows faster than n log n beyond that size. The index finds a pair if either row is among the 64 nearest of
the other; the pairs found have their exact similarity. Bisection needs the number of all pairs, which those
found would understate: it is estimated from the exact similarities of a sample of rows to all others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.similarity import (
    bit_counts,
    indexed_pairs,
    tanimoto_histogram,
    tanimoto_pairs,
    tanimoto_row_histogram,
)
from cytomol.chem.similarity.search import Recall, SimilaritySearch, sample_rows
from cytomol.context.cosine import (
    cosine_histogram,
    cosine_pairs,
    cosine_row_histogram,
    indexed_cosine_pairs,
    standardise_rows,
)
from cytomol.context.shared import PartialProfiles
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

    def row_histogram(self, queries: NDArray[np.int64], edges: NDArray[np.float32]) -> NDArray[np.int64]:
        """Count the other rows by similarity to some rows, exactly."""
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

    def row_histogram(self, queries: NDArray[np.int64], edges: NDArray[np.float32]) -> NDArray[np.int64]:
        """See `tanimoto_row_histogram`."""
        return tanimoto_row_histogram(self.packed, queries, edges)

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
    def of(cls, values: NDArray[np.float32]) -> Profiles | PartialProfiles:
        """Standardise the rows of a table; one with gaps is compared on what two rows share."""
        if np.isfinite(values).all():
            return cls(standardise_rows(values))
        return PartialProfiles.of(values)

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

    def row_histogram(self, queries: NDArray[np.int64], edges: NDArray[np.float32]) -> NDArray[np.int64]:
        """See `cosine_row_histogram`."""
        return cosine_row_histogram(self.unit, queries, edges)

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
    samples = [_Sample.of(table, rows, grid) for rows in members]
    histogram += sum((sample.estimate() for sample in samples), np.zeros_like(histogram))
    candidates += sum(len(rows) * (len(rows) - 1) // 2 for rows in members)
    threshold = bisect_threshold(grid, histogram, candidates, drop_fraction)

    parts = [_within(table, rows, threshold.value) for rows in members]
    recall = _recall(samples, parts, int(np.searchsorted(grid, np.float32(threshold.value))))
    parts.append(table.pairs(threshold.value, small))
    i, j, similarity = _joined(parts)
    return SimilarPairs(i, j, similarity, replace(threshold, kept=len(i)), recall)


def _joined(parts: list[Pairs]) -> Pairs:
    """Return the pairs of all parts; of a single one that has any, without a copy."""
    filled = [part for part in parts if len(part[0])] or parts[:1]
    if len(filled) == 1:
        return filled[0]
    i, j, similarity = (np.concatenate(column) for column in zip(*filled, strict=True))
    return i, j, similarity


def _within(table: Comparable, rows: NDArray[np.int64], minimum: float) -> Pairs:
    """Return the pairs that the index finds among some rows."""
    i, j, similarity = table.take(rows).indexed_pairs(minimum)
    number = rows.astype(np.int32)
    return number[i], number[j], similarity


@dataclass(frozen=True)
class _Sample:
    """Some rows of an indexed group, compared with all of the group.

    rows: the sampled rows of the table; histogram: their similarities to the others, shape (points,);
    size: rows in the group.
    """

    rows: NDArray[np.int64]
    histogram: NDArray[np.int64]
    size: int

    @classmethod
    def of(cls, table: Comparable, rows: NDArray[np.int64], grid: NDArray[np.float32]) -> _Sample:
        places = sample_rows(np.arange(len(rows)))
        return cls(rows[places], table.take(rows).row_histogram(places, grid), len(rows))

    def estimate(self) -> NDArray[np.int64]:
        """Return about how many pairs the whole group has in each bin."""
        # Cumulated before rounding, so that thin bins do not all round to nothing.
        share = np.round(np.cumsum(self.histogram[::-1]) * (self.size / (2 * len(self.rows))))
        counts: NDArray[np.int64] = (share - np.append(0, share[:-1])).astype(np.int64)
        return counts[::-1]


def _recall(samples: list[_Sample], found: list[Pairs], point: int) -> Recall | None:
    """Compare the sampled rows' pairs from the index with all that they have above the threshold."""
    if not samples:
        return None
    rows = np.concatenate([sample.rows for sample in samples])
    ends = sum(int(np.isin(end, rows).sum()) for pairs in found for end in pairs[:2])
    return Recall(ends, sum(int(sample.histogram[point:].sum()) for sample in samples), len(rows))
