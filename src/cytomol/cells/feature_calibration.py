"""How far a decoded feature can be trusted: learnt from molecules that the model has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cytomol.corpus.typical import TypicalProfile
from cytomol.errors import ConfigError, InputError

__all__ = ["FeatureCalibration", "deal_groups"]

_FOLDS = 5
_ROUNDING = 1e-9  # 1 - 0.9 is a little less than a tenth in binary
_ERRORS = 1.0  # standard errors by which a feature must be predicted better than the mean

_Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FeatureCalibration:
    """Expected value and half width of the interval of each feature, given what was decoded.

    Expected value = mean + slope x (decoded - mean), with the mean of the training profiles. The slope is
    fitted on the calibration molecules; it is below 1 where the model says more than it knows. It is 0, and
    the interval that of the mean, for a feature that is not predicted better than the mean: where the
    squared error, by slopes fitted on other scaffolds, is not smaller by a standard error.

    Attributes
    ----------
    mean
        Of the training profiles, float64, shape (width,).
    slope
        0 to any, float64, shape (width,).
    half_width
        Of the interval of a measured value, float64, shape (width,); infinite where too few molecules hold
        the feature.
    coverage
        Share of measured values that intervals are to hold.
    molecules, scaffolds
        On how many it was calibrated; 0 where it was not.

    Notes
    -----
    Half widths are quantiles of the absolute errors of calibration molecules whose scaffolds were left out
    when the slope was fitted (five folds of scaffolds; Vovk's cross-conformal prediction). The rank is that
    of split conformal prediction with the number of scaffolds in place of molecules, since molecules of one
    scaffold are not independent. Coverage is an average over molecules like the calibration molecules, for
    each feature by itself. Without calibration it is the half width of the normal law with the spread of
    the training profiles, which promises nothing.

    References
    ----------
    Vovk, "Cross-conformal predictors", Annals of Mathematics and Artificial Intelligence 74, 9 (2015).
    """

    mean: _Vector
    slope: _Vector
    half_width: _Vector
    coverage: float
    molecules: int = 0
    scaffolds: int = 0

    @property
    def calibrated(self) -> bool:
        """Whether molecules with measured profiles stand behind it."""
        return self.molecules > 0

    @property
    def mean_alone(self) -> int:
        """For how many features nothing better than the mean is known."""
        return int((self.slope == 0).sum())

    @classmethod
    def from_spread(cls, typical: TypicalProfile, coverage: float = 0.9) -> Self:
        """Return what can be said without calibration molecules.

        Examples
        --------
        >>> typical = TypicalProfile(*np.array([[1.0], [2.0], [0.5]], np.float32), profiles=9)
        >>> FeatureCalibration.from_spread(typical, 0.9).half_width.round(2).tolist()
        [3.29]
        """
        _check_coverage(coverage)
        mean, factor = typical.mean.astype(np.float64), NormalDist().inv_cdf((1 + coverage) / 2)
        return cls(mean, np.ones_like(mean), factor * typical.spread.astype(np.float64), coverage)

    @classmethod
    def fit(
        cls,
        decoded: NDArray[np.float32],
        measured: NDArray[np.float32],
        groups: Sequence[str],
        typical: TypicalProfile,
        *,
        coverage: float = 0.9,
    ) -> Self:
        """Learn from molecules with measured profiles that the model has not seen.

        Parameters
        ----------
        decoded, measured
            In measured units, shape (n, width); NaN where not measured.
        groups
            Scaffold of each molecule, length n; "" is a scaffold of its own.
        typical
            Mean of the training profiles.
        coverage
            Share of measured values that intervals are to hold.

        Raises
        ------
        InputError
            If there are too few scaffolds for an interval of this coverage.
        """
        _check_coverage(coverage)
        number = _numbered(groups)
        scaffolds = int(number.max(initial=-1)) + 1
        needed = max(2 * _FOLDS, int(np.ceil(coverage / (1 - coverage) - _ROUNDING)))
        if scaffolds < needed:
            raise InputError(
                f"{len(groups):,} molecules of {scaffolds:,} scaffolds cannot calibrate intervals of coverage"
                f" {coverage:g}",
                hint=f"give profiles of at least {needed} scaffolds that the model has not seen",
            )
        mean = typical.mean.astype(np.float64)
        known, truth = decoded.astype(np.float64) - mean, measured.astype(np.float64) - mean
        fold = deal_groups(number, _FOLDS)
        answer = np.zeros_like(truth)
        for one in range(_FOLDS):
            answer[fold == one] = known[fold == one] * _slope(known[fold != one], truth[fold != one])
        slope = np.where(_better(truth, answer, number), _slope(known, truth), 0.0)
        errors = np.abs(truth - np.where(slope > 0, answer, 0.0))
        half_width = _quantiles(errors, scaffolds, coverage)
        return cls(mean, slope, half_width, coverage, len(groups), scaffolds)

    def expected(self, decoded: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the expected profiles, in measured units, shape (n, width); NaN rows stay."""
        return np.asarray(self.mean + self.slope * (decoded - self.mean), dtype=np.float32)


def deal_groups(number: NDArray[np.int64], folds: int) -> NDArray[np.int64]:
    """Deal whole groups to folds of about equal size, the largest first, shape as ``number``.

    Examples
    --------
    >>> deal_groups(np.array([0, 0, 0, 1, 1, 2]), 2).tolist()
    [0, 0, 0, 1, 1, 1]
    """
    sizes = np.bincount(number)
    place, total = np.zeros(len(sizes), np.int64), np.zeros(folds, np.int64)
    for group in np.argsort(-sizes, kind="stable"):
        place[group] = np.argmin(total)
        total[place[group]] += sizes[group]
    return place[number]


def _numbered(groups: Sequence[str]) -> NDArray[np.int64]:
    """Return a number for each group; every "" has its own."""
    names = np.array([group or f"\t{row}" for row, group in enumerate(groups)], dtype=str)
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def _slope(known: _Vector, truth: _Vector) -> _Vector:
    """Return the slope through the mean of each feature, at least 0, shape (width,)."""
    both = ~np.isnan(truth) & ~np.isnan(known)
    product = np.where(both, known * truth, 0.0).sum(axis=0)
    square = np.where(both, known * known, 0.0).sum(axis=0)
    return np.asarray(np.maximum(product / np.where(square > 0, square, 1.0), 0.0))


def _better(truth: _Vector, answer: _Vector, number: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which features are predicted better than the mean, by a standard error over scaffolds."""
    gain = truth**2 - (truth - answer) ** 2
    measured = ~np.isnan(gain)
    count = np.zeros((int(number.max()) + 1, truth.shape[1]))
    total = np.zeros_like(count)
    np.add.at(count, number, measured.astype(np.float64))
    np.add.at(total, number, np.where(measured, gain, 0.0))
    average = total.sum(axis=0) / np.maximum(count.sum(axis=0), 1)
    error = np.sqrt(((total - count * average) ** 2).sum(axis=0))
    return np.asarray(total.sum(axis=0) > _ERRORS * error)


def _quantiles(errors: _Vector, scaffolds: int, coverage: float) -> _Vector:
    """Return the conformal quantile of each feature's errors; infinite where there are too few."""
    share = np.ceil((scaffolds + 1) * coverage - _ROUNDING) / scaffolds
    width = errors.shape[1]
    half = np.full(width, np.inf)
    for feature in range(width):
        column = np.sort(errors[~np.isnan(errors[:, feature]), feature])
        if share <= 1 and len(column) >= np.ceil(coverage / (1 - coverage) - _ROUNDING):
            half[feature] = column[int(np.ceil(share * len(column) - _ROUNDING)) - 1]
    return half


def _check_coverage(coverage: float) -> None:
    if not 0 < coverage < 1:
        raise ConfigError(f"coverage {coverage:g} is not between 0 and 1", hint="0.9 is usual")
