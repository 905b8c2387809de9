"""Slopes of features on what sources say of them, each drawn towards the slope of all features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["STRENGTHS", "Grams"]

STRENGTHS = (0.0, 0.3, 1.0, 3.0, 10.0, 100.0)

_Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Grams:
    """Sums of products that least squares through the origin needs, for each feature.

    Attributes
    ----------
    among
        Of sources with sources, shape (sources, sources, width).
    truth
        Of sources with what was measured, shape (sources, width).

    Examples
    --------
    >>> told = np.array([[[1.0, 2.0], [2.0, 1.0]]])
    >>> Grams.of(told, 0.5 * told[0]).slopes(0.0).tolist()
    [[0.5, 0.5]]
    """

    among: _Array
    truth: _Array

    @classmethod
    def of(cls, told: _Array, truth: _Array) -> Self:
        """Return the sums.

        Parameters
        ----------
        told
            What one or two sources say, shape (sources, n, width).
        truth
            Measured, shape (n, width); NaN where not.
        """
        known = ~np.isnan(truth)
        masked = np.where(known, told, 0.0)
        return cls(
            np.einsum("snw,tnw->stw", masked, masked),
            np.einsum("snw,nw->sw", masked, np.where(known, truth, 0.0)),
        )

    def slopes(self, strength: float) -> _Array:
        """Return least-squares slopes, none below 0, shape (sources, width).

        Parameters
        ----------
        strength
            How much the slope that serves all features best counts beside a feature's own molecules: 0 is
            each feature by itself, 1 as much as its molecules.
        """
        among, truth = self.among.mean(axis=2), self.truth.mean(axis=1)
        pooled = _solve(among[:, :, None], truth[:, None])[:, 0]
        return _solve(
            self.among + strength * among[:, :, None], self.truth + strength * (among @ pooled)[:, None]
        )


def _solve(among: _Array, truth: _Array) -> _Array:
    """Return least-squares slopes that are not negative, of one or two sources, shape (sources, width)."""
    square = np.einsum("ssw->sw", among)
    single = np.maximum(truth / np.where(square > 0, square, 1.0), 0.0)
    if len(truth) == 1:
        return np.asarray(single)
    first, second = np.zeros_like(single), np.zeros_like(single)
    first[0], second[1] = single[0], single[1]
    # The gain of one source alone is slope x product; of two that are free, all of both.
    alone = np.where(single[0] * truth[0] >= single[1] * truth[1], first, second)
    determinant = square[0] * square[1] - among[0, 1] ** 2
    regular = determinant > 1e-9 * square[0] * square[1]
    divisor = np.where(regular, determinant, 1.0)
    both = np.stack(
        [square[1] * truth[0] - among[0, 1] * truth[1], square[0] * truth[1] - among[0, 1] * truth[0]]
    )
    both /= divisor
    return np.where(regular & (both >= 0).all(axis=0), both, alone)
