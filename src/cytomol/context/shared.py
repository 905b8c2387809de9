"""Profiles with gaps, compared on the features that both of a pair have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.similarity import INDEX_NEIGHBOURS, distinct_pairs, nearest_rows
from cytomol.context.cosine import count_by_similarity

__all__ = ["FEWEST_SHARED", "SHARE_SHARED", "PartialProfiles", "shared_similarity"]

Pairs = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]

FEWEST_SHARED = 3  # features; two rows of two values are always alike or opposite
SHARE_SHARED = 0.1  # of all features, at least, for two profiles to be compared
_BLOCK = 512  # rows of one side of a block of similarities: 2 MB of float64
_SCALED = 8192  # rows scaled at a time
_GATHERED = 16  # rows whose neighbours are gathered at a time
_NOT_COMPARED = np.float32(-2)


@dataclass(frozen=True)
class PartialProfiles:
    """Profiles with gaps, compared by correlation over the features that both have.

    Pairs of profiles that share fewer than three features, or fewer than a tenth of all, are not compared,
    nor are profiles that are constant in what they share.

    Attributes
    ----------
    rows
        Profiles scaled to mean 0 and length 1 over what is measured, 0 elsewhere, float64, shape (n, width).
    measured
        What is measured, bool, shape (n, width).
    """

    rows: NDArray[np.float64]
    measured: NDArray[np.bool_]
    _known: dict[bytes, NDArray[np.float32]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, values: NDArray[np.float32]) -> PartialProfiles:
        """Scale the rows of a table; what is not finite is not measured."""
        rows, measured = np.empty(values.shape), np.isfinite(values)
        for first in range(0, len(values), _SCALED):
            part = slice(first, first + _SCALED)
            rows[part] = _unit_rows(values[part], measured[part])
        return cls(rows, measured)

    @property
    def least(self) -> int:
        """Features that two profiles must share."""
        return max(FEWEST_SHARED, int(np.ceil(SHARE_SHARED * self.rows.shape[1])))

    def usable(self) -> NDArray[np.bool_]:
        """Return which profiles have enough values, not all equal."""
        return np.asarray((self.measured.sum(axis=1) >= self.least) & self.rows.any(axis=1))

    def histogram(
        self, edges: NDArray[np.float32], groups: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], int]:
        """Count the pairs within groups by similarity, and all that were compared."""
        histogram, candidates = np.zeros(len(edges), np.int64), 0
        for _, _, similarity in self._blocks(groups):
            candidates += int((similarity > _NOT_COMPARED).sum())
            histogram += count_by_similarity(similarity, edges)
        return histogram, candidates

    def pairs(self, minimum: float, groups: NDArray[np.int64]) -> Pairs:
        """Return every pair within groups that is at least so similar, i < j."""
        parts = []
        for rows, columns, similarity in self._blocks(groups):
            i, j = np.nonzero(similarity >= np.float32(minimum))
            parts.append((rows.astype(np.int32)[i], columns.astype(np.int32)[j], similarity[i, j]))
        return distinct_pairs(parts, len(self.rows), "first")

    def indexed_pairs(self, minimum: float) -> Pairs:
        """Return the pairs at least so similar that the index finds, with gaps taken for the row's mean.

        The index only proposes; the similarity of what it finds is computed on what the two rows share.
        """
        nearest = nearest_rows(self.rows.astype(np.float32), INDEX_NEIGHBOURS, "cosine")
        parts = []
        for first in range(0, len(self.rows), _GATHERED):
            others = nearest[first : first + _GATHERED]
            here = np.arange(first, first + len(others))[:, None]
            similarity = shared_similarity(
                self.rows[here], self.measured[here], self.rows[others], self.measured[others], self.least
            )[:, 0]
            row, place = np.nonzero((others >= 0) & (similarity >= np.float32(minimum)))
            parts.append(((first + row).astype(np.int32), others[row, place], similarity[row, place]))
        return distinct_pairs(parts, len(self.rows), "first")

    def row_histogram(self, queries: NDArray[np.int64], edges: NDArray[np.float32]) -> NDArray[np.int64]:
        """Count the other rows by similarity to some rows, exactly."""
        histogram = np.zeros(len(edges), np.int64)
        for first in range(0, len(self.rows), _BLOCK):
            columns = np.arange(first, min(first + _BLOCK, len(self.rows)))
            similarity = self._similarity(queries, columns)
            similarity[queries[:, None] == columns] = _NOT_COMPARED
            histogram += count_by_similarity(similarity, edges)
        return histogram

    def take(self, rows: NDArray[np.int64]) -> PartialProfiles:
        """Return some of the rows."""
        if np.array_equal(rows, np.arange(len(self.rows))):
            return self
        return PartialProfiles(self.rows[rows], self.measured[rows])

    def _similarity(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the similarity of each of some rows to each of others, shape (rows, columns)."""
        if self.measured[rows].all() and self.measured[columns].all():
            return np.minimum(self.rows[rows] @ self.rows[columns].T, 1).astype(np.float32)
        return shared_similarity(
            self.rows[rows], self.measured[rows], self.rows[columns], self.measured[columns], self.least
        )

    def _block(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the similarities of a block; a small table keeps them, for they are asked for twice."""
        if len(self.rows) > _BLOCK:
            return self._similarity(rows, columns)
        key = rows.tobytes()  # the only block with these rows, which are the columns too
        if key not in self._known:
            self._known[key] = self._similarity(rows, columns)
        return self._known[key]

    def _blocks(
        self, groups: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]]:
        """Yield rows, columns and their similarities; -2 marks pairs that are not compared (again)."""
        usable = np.flatnonzero(self.usable())
        # complete profiles first: blocks of these alone need one product, not six
        usable = usable[np.argsort(~self.measured[usable].all(axis=1), kind="stable")]
        labels = groups[usable]
        for label in np.unique(labels[labels >= 0]):
            members = usable[labels == label]
            for top in range(0, len(members), _BLOCK):
                rows = members[top : top + _BLOCK]
                for start in range(top, len(members), _BLOCK):
                    columns = members[start : start + _BLOCK]
                    similarity = self._block(rows, columns)
                    if start == top:
                        similarity[np.tril_indices(len(rows))] = _NOT_COMPARED
                    yield rows, columns, similarity


def _unit_rows(values: NDArray[np.float32], measured: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Scale rows to mean 0 and length 1 over what is measured, 0 elsewhere."""
    rows = np.where(measured, values, 0).astype(np.float64)
    size = np.abs(rows).max(axis=1, keepdims=True, initial=0)
    count = np.maximum(measured.sum(axis=1, keepdims=True), 1)
    rows = np.where(measured, rows - rows.sum(axis=1, keepdims=True) / count, 0)
    length = np.sqrt((rows**2).sum(axis=1, keepdims=True))
    flat = length <= size * 1e-12 * np.sqrt(count)
    return np.where(flat, 0, rows / np.where(flat, 1, length))


def shared_similarity(
    left: NDArray[np.float64],
    left_measured: NDArray[np.bool_],
    right: NDArray[np.float64],
    right_measured: NDArray[np.bool_],
    least: int,
) -> NDArray[np.float32]:
    """Return the correlation of each left with each right row over the columns that both have.

    Parameters
    ----------
    left, right
        Rows, 0 where not measured, float64, shapes (..., n, width) and (..., m, width).
    left_measured, right_measured
        What is measured, bool, same shapes.
    least
        Columns that two rows must share.

    Returns
    -------
    NDArray
        float32, shape (..., n, m); -2 where too little is shared or a row is constant in what is shared.
    """
    here, there = left_measured.astype(np.float64), np.swapaxes(right_measured.astype(np.float64), -1, -2)
    other = np.swapaxes(right, -1, -2)
    count = here @ there
    few = np.maximum(count, 1)
    left_sum, right_sum = left @ there, here @ other
    left_squares, right_squares = left**2 @ there, here @ other**2
    left_variance = left_squares - left_sum**2 / few
    right_variance = right_squares - right_sum**2 / few
    product = left_variance * right_variance
    # Rounding leaves a constant row with a variance of the order of the last digit of its squares.
    flat = (left_variance <= 1e-13 * left_squares) | (right_variance <= 1e-13 * right_squares)
    compared = (count >= least) & ~flat & (product > 0)
    covariance = left @ other - left_sum * right_sum / few
    similarity = covariance / np.sqrt(np.where(compared, product, 1))
    return np.where(compared, np.clip(similarity, -1, 1), _NOT_COMPARED).astype(np.float32)
