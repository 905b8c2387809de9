"""Ridge regression from fingerprints to profiles: what structure alone says of cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.featurize import FeatureOptions, featurize

__all__ = ["PENALTIES", "StructureRidge", "fingerprint_matrix"]

PENALTIES = (30.0, 100.0, 300.0, 1000.0, 3000.0)
_BITS, _RADIUS = 2048, 2


def fingerprint_matrix(smiles: Sequence[str], *, workers: int | None = 1) -> NDArray[np.float32]:
    """Return Morgan fingerprints (radius 2, 2,048 bits), float32, shape (n, bits); 0 where invalid.

    Examples
    --------
    >>> fingerprint_matrix(["CCO", "no molecule"]).sum(axis=1).tolist()
    [6.0, 0.0]
    """
    options = FeatureOptions(graph=False, morgan_radius=_RADIUS, morgan_bits=_BITS, maccs=False)
    store = featurize(list(smiles), options, workers=workers, cache=None)
    return np.asarray(store.dense("morgan"), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class StructureRidge:
    """Linear map from fingerprints to standardised profiles.

    Attributes
    ----------
    weights
        Shape (bits, width).
    offset
        Shape (width,).
    """

    weights: NDArray[np.float32]
    offset: NDArray[np.float32]

    @classmethod
    def fit(
        cls,
        fingerprints: NDArray[np.float32],
        profiles: NDArray[np.float64],
        penalties: Sequence[float] = PENALTIES,
    ) -> list[Self]:
        """Return the ridge regression of each penalty; one factorisation serves all.

        Parameters
        ----------
        fingerprints
            Shape (n, bits).
        profiles
            Standardised, shape (n, width); NaN counts as the mean, 0.
        penalties
            Of the squared norm of the weights, above 0; the offset is not penalised.
        """
        middle = fingerprints.mean(axis=0, dtype=np.float64)
        x, target = fingerprints - middle, np.nan_to_num(profiles)
        average = target.mean(axis=0)
        target -= average
        # The smaller of the two Gram matrices; the other ones' eigenvectors follow from the data.
        tall = len(x) > x.shape[1]
        values, vectors = np.linalg.eigh(x.T @ x if tall else x @ x.T)
        values = np.maximum(values, 0.0)
        turned = vectors.T @ (x.T @ target if tall else target)
        fitted = []
        for penalty in penalties:
            solved = vectors @ (turned / (values + penalty)[:, None])
            weights = solved if tall else x.T @ solved
            offset = average - middle @ weights
            fitted.append(cls(weights.astype(np.float32), offset.astype(np.float32)))
        return fitted

    def expected(self, fingerprints: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return standardised profiles, shape (n, width)."""
        return np.asarray(fingerprints @ self.weights + self.offset, dtype=np.float32)
