"""How near expected profiles come to measured ones: explained variance, correlation, discrimination.

All are taken in units of the training spread, less the training mean, so that every feature counts alike and
a model that knows nothing scores 0 (or 0.5, for discrimination).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytomol.errors import InputError

__all__ = ["METRICS", "ProfileScores", "reliability"]

METRICS = ("r2", "r2_pooled", "profile_correlation", "feature_correlation", "discrimination")

_Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ProfileScores:
    """Expected profiles held against measured ones, molecule by molecule.

    Attributes
    ----------
    measured, expected
        Standardised, float64, shape (n, width); NaN where not measured.

    Examples
    --------
    >>> measured = np.array([[1.0, -1.0], [-1.0, 1.0], [2.0, 0.0]])
    >>> ProfileScores.of(measured, measured / 2).values()["r2_pooled"]
    0.75
    """

    measured: _Matrix
    expected: _Matrix

    @classmethod
    def of(cls, measured: _Matrix, expected: _Matrix) -> ProfileScores:
        """Check shapes and return the scores.

        Raises
        ------
        InputError
            If the two differ in shape or an expected value is missing.
        """
        if measured.shape != expected.shape or measured.ndim != 2:
            raise InputError(
                f"measured profiles of shape {measured.shape}, expected ones of {expected.shape}"
            )
        if np.isnan(expected).any():
            raise InputError("an expected profile has no value for a feature")
        return cls(measured.astype(np.float64), expected.astype(np.float64))

    def profile_correlations(self) -> NDArray[np.float64]:
        """Return Pearson's r over the features of each molecule, shape (n,); 0 where either is constant."""
        mask = ~np.isnan(self.measured)
        return np.asarray((_unit(self.measured, mask) * _unit(self.expected, mask)).sum(axis=1))

    def discriminations(self) -> NDArray[np.float64]:
        """Return of each molecule how well its expected profile finds its measured one, shape (n,).

        The share of the other molecules whose measured profile correlates less with it, ties as half: the
        area under the ROC curve of the one right answer. 0.5 is chance.
        """
        mask = np.ones_like(self.measured, dtype=np.bool_)
        alike = _unit(self.expected, mask) @ _unit(np.nan_to_num(self.measured), mask).T
        own = np.diag(alike)[:, None]
        tie = np.abs(alike - own) <= 1e-12
        wins = np.where(tie, 0.5, alike < own)
        np.fill_diagonal(wins, 0.0)
        return np.asarray(wins.sum(axis=1) / max(len(own) - 1, 1))

    def values(
        self, rows: NDArray[np.bool_] | None = None, weight: NDArray[np.float64] | None = None
    ) -> dict[str, float]:
        """Return the scores of :data:`METRICS`.

        ``r2``: 1 - squared error / squared error of the training mean for each feature, then the average over
        features that vary. ``r2_pooled``: the same of all features together. ``profile_correlation``:
        Pearson's r over features, averaged over molecules; ``feature_correlation`` over molecules, averaged
        over features. ``discrimination``: see :meth:`discriminations`, among all the molecules.

        Parameters
        ----------
        rows
            Molecules that count, bool, shape (n,); None takes all.
        weight
            How often each of them counts (a bootstrap sample), shape (molecules that count,).
        """
        chosen = np.ones(len(self.measured), np.bool_) if rows is None else rows
        w = np.ones(int(chosen.sum())) if weight is None else weight
        if w.sum() == 0:
            return dict.fromkeys(METRICS, float("nan"))
        truth, told = self.measured[chosen], self.expected[chosen]
        mask = ~np.isnan(truth)
        truth = np.where(mask, truth, 0.0)
        error = w @ np.where(mask, (truth - told) ** 2, 0.0)
        total = w @ truth**2
        varies = total > 0
        r2 = 1 - error[varies] / total[varies]
        return {
            "r2": _mean(r2),
            "r2_pooled": float(1 - error.sum() / total.sum()) if total.sum() > 0 else float("nan"),
            "profile_correlation": float(w @ self._by_molecule[0][chosen] / w.sum()),
            "feature_correlation": _mean(_correlations(truth, np.where(mask, told, 0.0), mask * w[:, None])),
            "discrimination": float(w @ self._by_molecule[1][chosen] / w.sum()),
        }

    @property
    def _by_molecule(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Correlation and discrimination of each molecule, computed once."""
        kept = self.__dict__.get("_kept")
        if kept is None:
            kept = (self.profile_correlations(), self.discriminations())
            object.__setattr__(self, "_kept", kept)
        return kept


def reliability(correlation: NDArray[np.float64], replicates: int) -> NDArray[np.float64]:
    """Return how reliable the mean of replicates is, by the Spearman-Brown formula, same shape.

    With a correlation r between single replicates, the mean of k of them correlates with the mean of k others
    by k r / (1 + (k - 1) r). Its square root is the correlation with the noiseless profile, so the most that
    any prediction can reach. Negative correlations count as 0.

    References
    ----------
    Spearman, British Journal of Psychology 3, 271 (1910); Brown, ibid. 296.

    Examples
    --------
    >>> reliability(np.array([0.0, 0.5, 1.0]), 4).tolist()
    [0.0, 0.8, 1.0]
    """
    r = np.maximum(correlation, 0.0)
    return np.asarray(replicates * r / (1 + (replicates - 1) * r))


def _unit(rows: _Matrix, mask: NDArray[np.bool_]) -> _Matrix:
    """Return rows less their mean over the masked entries, at length 1; 0 outside and where constant."""
    count = np.maximum(mask.sum(axis=1, keepdims=True), 1)
    filled = np.where(mask, rows, 0.0)
    apart = np.where(mask, filled - filled.sum(axis=1, keepdims=True) / count, 0.0)
    length = np.linalg.norm(apart, axis=1, keepdims=True)
    size = np.abs(filled).max(axis=1, keepdims=True, initial=0.0)
    some = length > 1e-9 * np.maximum(size, 1e-300)
    return np.asarray(np.where(some, apart / np.where(some, length, 1.0), 0.0))


def _correlations(truth: _Matrix, told: _Matrix, weight: _Matrix) -> NDArray[np.float64]:
    """Return Pearson's r of each column that varies in truth, weighted; 0 where ``told`` is constant."""
    total = np.maximum(weight.sum(axis=0), 1e-300)
    x = truth - (weight * truth).sum(axis=0) / total
    y = told - (weight * told).sum(axis=0) / total
    xx, yy, xy = ((weight * one).sum(axis=0) / total for one in (x * x, y * y, x * y))
    varies = xx > 1e-12
    known = varies & (yy > 1e-18)
    r = np.where(known, xy / np.sqrt(np.where(known, xx * yy, 1.0)), 0.0)
    return np.asarray(r[varies])


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else float("nan")
