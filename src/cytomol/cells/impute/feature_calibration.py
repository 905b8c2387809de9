"""How far a decoded feature can be trusted: learnt from molecules that the model has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cytomol.cells.impute.pooled_slopes import STRENGTHS, Grams
from cytomol.corpus.typical import TypicalProfile
from cytomol.counted import counted
from cytomol.errors import ConfigError, InputError

__all__ = ["FeatureCalibration", "deal_groups", "numbered", "standardised"]

_FOLDS = 5
_ROUNDING = 1e-9  # 1 - 0.9 is a little less than a tenth in binary

_Array = NDArray[np.float64]


def standardised(profiles: NDArray[np.float32], typical: TypicalProfile) -> _Array:
    """Return profiles less the training mean, in units of the training spread, shape (n, width).

    A feature that did not vary in training is 0; NaN stays.
    """
    spread = typical.spread.astype(np.float64)
    apart = profiles.astype(np.float64) - typical.mean
    return np.asarray(np.where(spread > 0, apart / np.where(spread > 0, spread, 1.0), 0.0 * apart))


@dataclass(frozen=True, eq=False)
class FeatureCalibration:
    """Expected value and half width of the interval of each feature, given what sources say of it.

    Expected value = mean + sum over sources of slope x (what it says - mean), with the mean of the training
    profiles. The first source is the decoder; ridge regression on fingerprints may be another. Slopes are
    fitted on the calibration molecules: below 1 where a source says more than it knows, and 0 for a source
    without which the error on other scaffolds is smaller. All are 0, and the
    interval is that of the mean, for a feature that is not predicted better than the mean: where the squared
    error on calibration molecules, by slopes fitted on other scaffolds, is not smaller.

    Attributes
    ----------
    typical
        Mean and spread of the training profiles.
    slope
        0 to any, float64, shape (sources, width).
    half_width
        Of the interval of a measured value, in measured units, float64, shape (width,); infinite where too
        few scaffolds hold the feature.
    coverage
        Share of measured values that intervals are to hold.
    molecules, scaffolds
        On how many it was calibrated; 0 where it was not.
    error
        Mean squared error on scaffolds that slopes were not fitted on, in units of the training spread; NaN
        without calibration.

    Notes
    -----
    Half widths are quantiles of the absolute errors of calibration molecules whose scaffolds were left out
    when slopes were fitted (five folds of scaffolds; Vovk's cross-conformal prediction). The rank is that of
    split conformal prediction with the number of scaffolds in place of molecules, since molecules of one
    scaffold are not independent. Coverage is an average over molecules like the calibration molecules, for
    each feature by itself. Without calibration it is the half width of the normal law with the spread of the
    training profiles, which promises nothing.

    References
    ----------
    Vovk, "Cross-conformal predictors", Annals of Mathematics and Artificial Intelligence 74, 9 (2015).
    """

    typical: TypicalProfile
    slope: _Array
    half_width: _Array
    coverage: float
    molecules: int = 0
    scaffolds: int = 0
    error: float = float("nan")

    @property
    def calibrated(self) -> bool:
        """Whether molecules with measured profiles stand behind it."""
        return self.molecules > 0

    @property
    def mean_alone(self) -> int:
        """For how many features nothing better than the mean is known."""
        return int((self.slope == 0).all(axis=0).sum())

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
        factor = NormalDist().inv_cdf((1 + coverage) / 2)
        slope = np.ones((1, len(typical.mean)))
        return cls(typical, slope, factor * typical.spread.astype(np.float64), coverage)

    @classmethod
    def fit(
        cls,
        sources: Sequence[NDArray[np.float32]],
        measured: NDArray[np.float32],
        groups: Sequence[str],
        typical: TypicalProfile,
        *,
        coverage: float = 0.9,
    ) -> Self:
        """Learn from molecules with measured profiles that the model has not seen.

        Parameters
        ----------
        sources
            What each source says, in measured units, shapes (n, width).
        measured
            In measured units, shape (n, width); NaN where not measured.
        groups
            Scaffold of each molecule, length n; "" is a scaffold of its own.
        typical
            Mean and spread of the training profiles.
        coverage
            Share of measured values that intervals are to hold.

        Raises
        ------
        InputError
            If there are too few scaffolds for an interval of this coverage.
        """
        _check_coverage(coverage)
        number = numbered(groups)
        scaffolds = int(number.max(initial=-1)) + 1
        needed = max(2 * _FOLDS, int(np.ceil(coverage / (1 - coverage) - _ROUNDING)))
        if scaffolds < needed:
            raise InputError(
                f"{counted(len(groups), 'molecule')} of {counted(scaffolds, 'scaffold')} cannot calibrate"
                f" intervals of coverage {coverage:g}",
                hint=f"give profiles of at least {needed} scaffolds that the model has not seen",
            )
        told = np.stack([standardised(source, typical) for source in sources])
        truth = standardised(measured, typical)
        answer, part, strength = _crossed(told, truth, deal_groups(number, _FOLDS))
        # what is not measured gains nothing; a feature has to gain by slopes fitted on other scaffolds
        better = np.nansum(truth**2 - (truth - answer) ** 2, axis=0) > 0
        slope = np.where(better, Grams.of(told * part, truth).slopes(strength), 0.0)
        best = np.where(better, answer, 0.0)
        errors = np.abs(measured.astype(np.float64) - typical.mean - best * typical.spread)
        half_width = _quantiles(errors, number, coverage)
        known = ~np.isnan(truth)
        error = float(((truth - best)[known] ** 2).mean()) if known.any() else float("nan")
        return cls(typical, slope, half_width, coverage, len(groups), scaffolds, error)

    def expected(self, sources: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return the expected profiles, in measured units, shape (n, width); NaN rows stay."""
        apart = sum(
            slope * (source - self.typical.mean) for slope, source in zip(self.slope, sources, strict=True)
        )
        return np.asarray(self.typical.mean + apart, dtype=np.float32)


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


def numbered(groups: Sequence[str]) -> NDArray[np.int64]:
    """Return a number for each group, shape (n,); every "" has its own."""
    names = np.array([group or f"\t{row}" for row, group in enumerate(groups)], dtype=str)
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def _crossed(told: _Array, truth: _Array, fold: NDArray[np.int64]) -> tuple[_Array, _Array, float]:
    """Return answers by slopes fitted on other folds, which sources they are from, and how pooled.

    Of all sources together and each alone, and of all strengths of pooling, those with the least error.
    """
    parts = [np.ones(len(told)), *(np.eye(len(told)) if len(told) > 1 else ())]
    best, least = None, np.inf
    for part in parts:
        chosen = told * part[:, None, None]
        answers = np.zeros((len(STRENGTHS), *truth.shape))
        for one in range(_FOLDS):
            grams, held = Grams.of(chosen[:, fold != one], truth[fold != one]), fold == one
            for place, strength in enumerate(STRENGTHS):
                answers[place, held] = np.einsum("sw,snw->nw", grams.slopes(strength), chosen[:, held])
        errors = np.nansum((truth - answers) ** 2, axis=(1, 2))
        if errors.min() < least:
            least = errors.min()
            best = answers[errors.argmin()], part[:, None, None], STRENGTHS[int(errors.argmin())]
    assert best is not None
    return best


def _quantiles(errors: _Array, number: NDArray[np.int64], coverage: float) -> _Array:
    """Return the conformal quantile of each feature's errors; infinite where too few scaffolds hold it.

    ``number`` says which scaffold each molecule has, shape (n,).
    """
    half = np.full(errors.shape[1], np.inf)
    for feature in range(errors.shape[1]):
        known = ~np.isnan(errors[:, feature])
        column, scaffolds = np.sort(errors[known, feature]), len(np.unique(number[known]))
        share = np.ceil((scaffolds + 1) * coverage - _ROUNDING) / max(scaffolds, 1)
        if scaffolds and share <= 1:
            half[feature] = column[int(np.ceil(share * len(column) - _ROUNDING)) - 1]
    return half


def _check_coverage(coverage: float) -> None:
    if not 0 < coverage < 1:
        raise ConfigError(f"coverage {coverage:g} is not between 0 and 1", hint="0.9 is usual")
