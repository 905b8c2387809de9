"""How well the wells of one molecule or gene agree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["replicate_correlations"]

_MOST = 1000  # wells of one molecule whose pairs are looked at


def replicate_correlations(
    rows: NDArray[np.int64], values: NDArray[np.float32]
) -> NDArray[np.float32] | None:
    """Return the median correlation between any two wells of each molecule or gene.

    Features are brought to mean 0 and variance 1 over all wells first; a missing value counts as the mean.
    Of more than 1,000 wells (a compound that stands on every plate) 1,000 in even steps are looked at.

    Parameters
    ----------
    rows
        Molecule or gene of each well, int64, shape (wells,).
    values
        Float32, shape (wells, width); NaN where not measured.

    Returns
    -------
    One for each molecule or gene, in their order, float32; NaN for one with a single well. None where all
    have a single well.

    Examples
    --------
    >>> values = np.array([[0, 1, 5], [0, 2, 9], [7, 1, 0]], np.float32)
    >>> [round(float(r), 2) for r in replicate_correlations(np.array([4, 4, 2]), values)]
    [nan, 0.41]
    """
    entities, group, counts = np.unique(rows, return_inverse=True, return_counts=True)
    if (counts < 2).all():
        return None
    units = _units(values)
    found = np.full(len(entities), np.nan, np.float32)
    wells = np.split(np.argsort(group, kind="stable"), np.cumsum(counts)[:-1])
    for place in np.flatnonzero(counts > 1):
        own = units[_some(wells[place])]
        pairs = (own @ own.T)[np.triu_indices(len(own), 1)]
        found[place] = np.clip(np.median(pairs), -1, 1)
    return found


def _some(wells: NDArray[np.int64]) -> NDArray[np.int64]:
    if len(wells) <= _MOST:
        return wells
    return wells[np.linspace(0, len(wells) - 1, _MOST).round().astype(np.int64)]


def _units(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return wells as rows whose product is their correlation over features."""
    measured = ~np.isnan(values)
    count = np.maximum(measured.sum(axis=0), 1)
    filled = np.where(measured, values, 0).astype(np.float64)
    apart = np.where(measured, filled - filled.sum(axis=0) / count, 0)
    spread = np.sqrt(np.square(apart).sum(axis=0) / count)
    scaled = apart / np.where(spread > 0, spread, 1)
    scaled -= scaled.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(scaled, axis=1, keepdims=True)
    return np.asarray(scaled / np.where(norms > 0, norms, 1))
