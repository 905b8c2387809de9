"""Cosine similarity between profiles: over all pairs, inside clusters, or from an index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.similarity import INDEX_NEIGHBOURS, distinct_pairs, nearest_rows
from cytomol.corpus.scaling import FeatureScaler

__all__ = [
    "cluster_profiles",
    "comparable_values",
    "complete",
    "cosine_histogram",
    "cosine_pairs",
    "cosine_row_histogram",
    "count_by_similarity",
    "indexed_cosine_pairs",
    "standardise_rows",
]

_BLOCK = 1024  # rows of one side of a block of similarities: 4 MB of float32
_UNITS = 30.0  # times; spreads of normalised features differ by 10 at most, those of raw ones by 10,000
_SAMPLED = 4096  # rows by which the units are judged
_FEW = 3  # features of which one cannot say which is the odd one
_GATHERED = 64  # rows whose neighbours are gathered at a time: 16 MB of float32 for 1,000 features


def complete(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Replace what is not finite by the mean of its column (0 in a column without any value).

    Parameters
    ----------
    values
        Profiles, shape (profiles, width); not written to.
    """
    finite = np.isfinite(values)
    if finite.all():
        return values
    count = np.maximum(finite.sum(axis=0), 1)
    mean = (np.where(finite, values, 0).sum(axis=0, dtype=np.float64) / count).astype(np.float32)
    return np.where(finite, values, mean)


def comparable_values(
    values: NDArray[np.float32], how: Literal["auto", "scaled", "stored", "filled"]
) -> NDArray[np.float32]:
    """Return profiles whose features are in comparable units.

    A feature in large units (an area in pixels beside a correlation) would otherwise decide alone which
    profiles are alike.

    Parameters
    ----------
    values
        Profiles, shape (profiles, width); NaN where not measured.
    how
        "scaled": each feature less its median, in robust standard deviations; "stored": as they are; "auto":
        scaled where the spreads of features differ by more than 30 times, as those of normalised tables do
        not; "filled": as they are, with the mean of its column where nothing was measured.
    """
    if how == "filled":
        return complete(values)
    if how == "stored" or not values.size:
        return values
    if how == "auto" and not _in_different_units(values[:: max(1, len(values) // _SAMPLED)]):
        return values
    finite = np.where(np.isfinite(values), values, np.float32(np.nan))
    scaler = FeatureScaler.fit(finite)
    scaled = np.empty_like(values)
    for first in range(0, len(values), _BLOCK):
        block = finite[first : first + _BLOCK].astype(np.float64)
        scaled[first : first + _BLOCK] = (block - scaler.center) / scaler.scale
    return scaled


def _in_different_units(values: NDArray[np.float32]) -> bool:
    """Return whether features are in different units, by their spreads."""
    finite = np.where(np.isfinite(values), values, np.float32(np.nan))
    moving = np.fmax.reduce(finite) > np.fmin.reduce(finite)
    spreads = FeatureScaler.fit(finite[:, moving]).scale
    if len(spreads) < _FEW:
        return False
    low, middle, high = np.quantile(spreads, [0.05, 0.5, 0.95])
    return bool(high > _UNITS * low or spreads.max() > _UNITS * middle)


def standardise_rows(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale each profile to mean 0 and length 1, so that a dot product is the cosine of standardised rows.

    Parameters
    ----------
    values
        Profiles, shape (profiles, width); missing entries count as the mean of their column.

    Returns
    -------
    NDArray
        float32, shape (profiles, width); a profile whose entries are all equal becomes zeros, similar to
        nothing.
    """
    unit = np.empty(values.shape, np.float32)
    values = complete(values)
    for first in range(0, len(values), _BLOCK):
        rows = values[first : first + _BLOCK].astype(np.float64)
        size = np.abs(rows).max(axis=1, keepdims=True, initial=0)
        rows -= rows.mean(axis=1, keepdims=True) if rows.shape[1] else 0
        length = np.sqrt((rows**2).sum(axis=1, keepdims=True))
        # Rounding leaves a constant profile with a length of the order of the last digit of its values.
        flat = length <= size * 1e-12 * np.sqrt(max(rows.shape[1], 1))
        unit[first : first + _BLOCK] = np.where(flat, 0, rows / np.where(flat, 1, length))
    return unit


def cluster_profiles(
    values: NDArray[np.float32], *, clusters: int = 100, components: int = 2
) -> NDArray[np.int64]:
    """Return the k-means cluster of each profile in its first principal components.

    This is the shortcut of the published code, kept to reproduce it: profiles in different clusters are
    never compared.
    """
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA

    values = complete(values)
    if not values.size or (values == values[:1]).all():
        return np.zeros(len(values), np.int64)
    components = min(components, *values.shape)
    reduced = PCA(n_components=components, random_state=0).fit_transform(values)
    clusters = min(clusters, len(np.unique(reduced, axis=0)))
    labels: NDArray[np.int64] = KMeans(n_clusters=clusters, n_init=1, random_state=0).fit_predict(reduced)
    return labels.astype(np.int64)


def _similarity_blocks(
    unit: NDArray[np.float32], groups: NDArray[np.int64] | None
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]]:
    """Yield rows, columns and their similarities; -1 marks the pairs with i >= j."""
    usable = np.flatnonzero(unit.any(axis=1))
    labels = np.zeros(len(usable), np.int64) if groups is None else groups[usable]
    for label in np.unique(labels[labels >= 0]):
        members = usable[labels == label]
        for top in range(0, len(members), _BLOCK):
            rows = members[top : top + _BLOCK]
            for start in range(top, len(members), _BLOCK):
                columns = members[start : start + _BLOCK]
                similarity = np.minimum(unit[rows] @ unit[columns].T, 1)
                if start == top:
                    similarity[np.tril_indices(len(rows))] = -1
                yield rows, columns, similarity


def cosine_histogram(
    unit: NDArray[np.float32], edges: NDArray[np.float32], *, groups: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], int]:
    """Count all pairs of profiles by similarity, without storing them.

    Parameters
    ----------
    unit
        Profiles scaled by `standardise_rows`, shape (profiles, width).
    edges
        Rising similarities, shape (bins,). Bin b counts the pairs with edges[b] <= similarity <
        edges[b + 1]; the last bin is open above.
    groups
        Compare only profiles with the same label, shape (profiles,); negative labels are compared with
        nothing.

    Returns
    -------
    histogram
        int64, shape (bins,).
    candidates
        Number of pairs compared.
    """
    histogram = np.zeros(len(edges), np.int64)
    candidates = 0
    for rows, columns, similarity in _similarity_blocks(unit, groups):
        same = rows[0] == columns[0]
        candidates += len(rows) * (len(rows) - 1) // 2 if same else len(rows) * len(columns)
        histogram += count_by_similarity(similarity, edges)
    return histogram, candidates


def count_by_similarity(similarity: NDArray[np.float32], edges: NDArray[np.float32]) -> NDArray[np.int64]:
    """Count similarities in bins from each edge to the next, the last open above; shape (bins,)."""
    strong = similarity[similarity >= edges[0]]
    counts = np.bincount(np.searchsorted(edges, strong, side="right") - 1, minlength=len(edges))
    return counts.astype(np.int64)


def cosine_pairs(
    unit: NDArray[np.float32], minimum: float, *, groups: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    """Return every pair of profiles whose similarity is at least ``minimum``.

    Parameters
    ----------
    unit
        Profiles scaled by `standardise_rows`, shape (profiles, width).
    minimum
        Smallest similarity kept.
    groups
        Compare only profiles with the same label, shape (profiles,); negative labels are compared with
        nothing.

    Returns
    -------
    i, j
        Profiles of each pair, i < j, int32.
    similarity
        Cosine of the row-standardised profiles, at most 1, float32.
    """
    left, right, weights = [np.empty(0, np.int32)], [np.empty(0, np.int32)], [np.empty(0, np.float32)]
    for rows, columns, similarity in _similarity_blocks(unit, groups):
        i, j = np.nonzero(similarity >= np.float32(minimum))
        left.append(rows[i].astype(np.int32))
        right.append(columns[j].astype(np.int32))
        weights.append(similarity[i, j])
    return np.concatenate(left), np.concatenate(right), np.concatenate(weights)


def indexed_cosine_pairs(
    unit: NDArray[np.float32], minimum: float
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    """Return pairs of profiles at least ``minimum`` similar: `cosine_pairs` from the index.

    A pair is found if either profile is among the 64 nearest of the other.

    Parameters
    ----------
    unit
        Profiles scaled by `standardise_rows`, shape (profiles, width).
    minimum
        Smallest similarity kept.

    Returns
    -------
    i, j
        Profiles of each pair, i < j, int32, sorted by (i, j).
    similarity
        Cosine of the row-standardised profiles, computed anew in full precision, float32.
    """
    nearest = nearest_rows(unit, INDEX_NEIGHBOURS, "cosine")
    parts = []
    for first in range(0, len(unit), _GATHERED):
        others = nearest[first : first + _GATHERED]
        similarity = (unit[others] @ unit[first : first + _GATHERED, :, None])[:, :, 0]
        row, place = np.nonzero((others >= 0) & (similarity >= np.float32(minimum)))
        rows = (first + row).astype(np.int32)
        parts.append((rows, others[row, place], np.minimum(similarity[row, place], 1)))
    return distinct_pairs(parts, len(unit), "first")


def cosine_row_histogram(
    unit: NDArray[np.float32], queries: NDArray[np.int64], edges: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Count the other profiles by their similarity to some profiles, exactly.

    Parameters
    ----------
    unit
        Profiles scaled by `standardise_rows`, shape (profiles, width).
    queries
        Rows asked for, shape (m,).
    edges
        As in `cosine_histogram`.

    Returns
    -------
    NDArray
        Summed over the queries, int64, shape (bins,).
    """
    histogram = np.zeros(len(edges), np.int64)
    for first in range(0, len(unit), _BLOCK):
        similarity = unit[queries] @ unit[first : first + _BLOCK].T
        similarity[queries[:, None] == np.arange(first, first + similarity.shape[1])] = -2
        histogram += count_by_similarity(similarity, edges)
    return histogram
