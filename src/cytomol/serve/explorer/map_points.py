"""Molecules as points of a plane: like molecules lie together, and a new one has its place at once.

A molecule is described by how like it is to a few hundred landmarks, molecules of the library chosen by
chance (Tanimoto coefficients of Morgan fingerprints), and the plane is that of the two principal components
of these likenesses. The same arithmetic places a molecule of the library and one that was drawn a moment ago.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.counted import counted
from cytomol.errors import InputError

__all__ = ["MapPlane"]

LANDMARKS = 512
_FITTED = 20_000  # molecules that the plane is fitted to
_CHUNK = 8192

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class MapPlane:
    """Where a molecule lies.

    Attributes
    ----------
    landmarks
        Packed fingerprints, uint8, shape (landmarks, bits / 8).
    mean
        Mean likeness to each landmark, float64, shape (landmarks,).
    axes
        The two directions, float64, shape (2, landmarks).
    explained
        Share of the variance of the likenesses that each direction holds, float64, shape (2,).

    Examples
    --------
    >>> bits = np.random.default_rng(0).integers(0, 256, (40, 256), dtype=np.uint8)
    >>> plane = MapPlane.fit(bits)
    >>> plane.place(bits[:3]).shape
    (3, 2)
    """

    landmarks: NDArray[np.uint8]
    mean: NDArray[np.float64]
    axes: NDArray[np.float64]
    explained: NDArray[np.float64]

    @classmethod
    def fit(cls, bits: NDArray[np.uint8], *, landmarks: int = LANDMARKS, seed: int = 0) -> Self:
        """Find the plane of some molecules.

        Parameters
        ----------
        bits
            Packed fingerprints, uint8, shape (n, bits / 8); rows of zeros are no molecules.
        landmarks
            How many molecules the others are compared with, at most.
        seed
            Which they are.

        Raises
        ------
        InputError
            If fewer than three rows are molecules.
        """
        there = np.flatnonzero(bits.any(axis=1))
        if len(there) < 3:
            raise InputError(f"a map of {counted(len(there), 'molecule')}", hint="give three or more")
        order = np.random.default_rng(seed).permutation(there)
        chosen = np.ascontiguousarray(bits[order[:landmarks]])
        likeness = _likeness(bits[order[:_FITTED]], chosen).astype(np.float64)
        mean = likeness.mean(axis=0)
        centred = likeness - mean
        spread, axes = np.linalg.eigh(centred.T @ centred)
        axes, largest = axes[:, ::-1][:, :2].T, spread[::-1][:2]
        # the sign of an axis means nothing: the landmark that it weighs most is on the right, or on top
        heaviest = np.abs(axes).argmax(axis=1)
        axes = axes * np.sign(axes[np.arange(2), heaviest])[:, None]
        return cls(chosen, mean, axes, largest / max(float(spread.clip(0).sum()), 1e-12))

    def place(self, bits: NDArray[np.uint8], *, progress: Progress | None = None) -> NDArray[np.float32]:
        """Place molecules, float32, shape (n, 2); NaN for rows of zeros."""
        places = np.full((len(bits), 2), np.nan, np.float32)
        for start in range(0, len(bits), _CHUNK):
            part = bits[start : start + _CHUNK]
            own = (_likeness(part, self.landmarks) - self.mean) @ self.axes.T
            own[~part.any(axis=1)] = np.nan
            places[start : start + len(part)] = own
            if progress is not None:
                progress(start + len(part), len(bits))
        return places

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what :meth:`restore` needs."""
        return {
            "landmarks": self.landmarks,
            "mean": self.mean,
            "axes": self.axes,
            "explained": self.explained,
        }

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from :meth:`arrays`."""
        return cls(arrays["landmarks"], arrays["mean"], arrays["axes"], arrays["explained"])


def _likeness(bits: NDArray[np.uint8], landmarks: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return Tanimoto coefficients, shape (n, landmarks)."""
    rows = np.unpackbits(bits, axis=1).astype(np.float32)
    others = np.unpackbits(landmarks, axis=1).astype(np.float32)
    common: NDArray[np.float32] = rows @ others.T
    union = rows.sum(axis=1)[:, None] + others.sum(axis=1)[None, :] - common
    return np.asarray(common / np.maximum(union, 1), dtype=np.float32)
