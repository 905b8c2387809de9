"""Molecules on a plane, alike ones near each other, to see how a split divides them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cytomol.predict.record.record_parts import MapFacts, numbers

__all__ = ["fingerprint_map"]

_MOST = 600  # molecules that are drawn: a second of work
_COMPONENTS = 30
_STEPS = 300


def fingerprint_map(
    fingerprints: NDArray[np.uint8],
    folds: NDArray[np.str_],
    similarity: NDArray[np.float64],
    *,
    seed: int = 0,
) -> MapFacts | None:
    """Lay out molecules by t-SNE of the leading components of their fingerprints; the same each time.

    Parameters
    ----------
    fingerprints
        Packed bits, uint8, shape (n, bytes).
    folds
        Fold of each, "" for none; these are left out.
    similarity
        Of the tested molecules to the nearest one learnt from; its median is told.
    seed
        Of the molecules that are drawn where there are more than 600, and of the layout.

    References
    ----------
    van der Maaten & Hinton, "Visualizing data using t-SNE", JMLR 9, 2579 (2008).

    Examples
    --------
    >>> bits = np.random.default_rng(0).integers(0, 255, (12, 8)).astype(np.uint8)
    >>> found = fingerprint_map(bits, np.array(["train"] * 8 + ["test"] * 4), np.array([0.5]))
    >>> len(found.x), found.total, found.likeness
    (12, 12, 0.5)
    """
    rows = np.flatnonzero((folds != "") & fingerprints.any(axis=1))
    total = len(rows)
    if total < 8:
        return None
    if total > _MOST:
        rows = np.sort(np.random.default_rng(seed).choice(rows, _MOST, replace=False))
    places = _layout(np.unpackbits(fingerprints[rows], axis=1).astype(np.float32), seed)
    known = similarity[~np.isnan(similarity)]
    return MapFacts(
        x=numbers(places[:, 0]),
        y=numbers(places[:, 1]),
        fold=folds[rows].tolist(),
        total=total,
        likeness=float(np.median(known)) if len(known) else None,
    )


def _layout(bits: NDArray[np.float32], seed: int) -> NDArray[np.float64]:
    """Return a place for each molecule, shape (n, 2), its middle at 0 and its spread 1."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    n = len(bits)
    parts = PCA(min(_COMPONENTS, n - 1), svd_solver="randomized", random_state=seed).fit_transform(bits)
    # molecules of one fingerprint would be one point, whose neighbourhood t-SNE cannot scale
    parts += np.random.default_rng(seed).normal(scale=1e-3, size=parts.shape)
    layout = TSNE(
        perplexity=min(30.0, (n - 1) / 3),
        init="random" if parts.shape[1] < 2 else parts[:, :2] * (1e-4 / max(float(parts[:, 0].std()), 1e-9)),
        random_state=seed,
        max_iter=_STEPS,
        n_jobs=1,
    ).fit_transform(parts)
    middled = layout - layout.mean(axis=0)
    spread = float(middled.std()) or 1.0
    return np.asarray(middled / spread, dtype=np.float64)
