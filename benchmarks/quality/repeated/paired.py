"""How sure differences of models over folds are: analysis of variance, Tukey, resampled t-test, effect size.

As Ash and others ask ("Practically significant method comparison protocols for machine learning in small
molecule drug discovery", 2025): folds are the subjects of repeated measures. Folds of cross-validation share
training rows, so Tukey's test is too sure; the t-test of Nadeau and Bengio (2003) widens the variance for it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEVEL", "Anova", "Resampled", "Tukey", "anova", "resampled", "tukey"]

LEVEL = 0.05
"""What p is below where a difference is called significant; intervals leave out as much."""

_NAN = float("nan")
_NOTHING = 1e-12
Matrix = NDArray[np.float64]


class Anova(NamedTuple):
    """Repeated-measures analysis of variance: F of the models, its p, error mean square and its freedom."""

    f: float
    p: float
    error: float
    freedom: int


class Tukey(NamedTuple):
    """A difference of two models: ends of its simultaneous interval, and p over all pairs."""

    low: float
    high: float
    p: float


class Resampled(NamedTuple):
    """A mean difference over folds that share training rows.

    Attributes
    ----------
    difference, p
        Mean over folds, and its two-sided p.
    low, high
        Interval of it.
    d, d_low, d_high
        The difference in standard deviations of itself over folds (paired Cohen's d), with a 95% interval.
    """

    difference: float
    p: float
    low: float
    high: float
    d: float
    d_low: float
    d_high: float


def anova(values: Matrix) -> Anova:
    """Tell whether models differ at all once what a fold does to all of them is taken off.

    Parameters
    ----------
    values
        Scores, shape (folds, models).

    Returns
    -------
    Anova
        NaN where there are fewer than two folds or models, or where nothing is left to chance.
    """
    folds, models = values.shape
    freedom = (folds - 1) * (models - 1)
    if freedom == 0:
        return Anova(_NAN, _NAN, _NAN, freedom)
    by_model = values.mean(axis=0)
    left = values - by_model - values.mean(axis=1, keepdims=True) + values.mean()
    error = float((left**2).sum()) / freedom
    if np.sqrt(error) <= _NOTHING * max(1.0, float(np.abs(values).max())):
        return Anova(_NAN, _NAN, 0.0, freedom)
    between = folds * float(((by_model - by_model.mean()) ** 2).sum()) / (models - 1)
    from scipy.stats import f as distribution

    ratio = between / error
    return Anova(ratio, float(distribution.sf(ratio, models - 1, freedom)), error, freedom)


def tukey(values: Matrix) -> dict[tuple[int, int], Tukey]:
    """Compare every two models by Tukey's honestly significant difference, on the error of :func:`anova`.

    Parameters
    ----------
    values
        Scores, shape (folds, models).

    Returns
    -------
    dict
        By pair of columns, the first before the second: the difference is first less second. NaN where
        the analysis of variance has no error.
    """
    from scipy.stats import studentized_range

    folds, models = values.shape
    _, _, error, freedom = anova(values)
    pairs = [(i, j) for i in range(models) for j in range(i + 1, models)]
    if not error > 0:
        return dict.fromkeys(pairs, Tukey(_NAN, _NAN, _NAN))
    one = np.sqrt(error / folds)
    means = values.mean(axis=0)
    gaps = np.array([means[i] - means[j] for i, j in pairs])
    half = float(studentized_range.ppf(1 - LEVEL, models, freedom)) * one
    p = studentized_range.sf(np.abs(gaps) / one, models, freedom)
    return {
        pair: Tukey(float(gap - half), float(gap + half), float(value))
        for pair, gap, value in zip(pairs, gaps, np.clip(p, 0.0, 1.0), strict=True)
    }


def resampled(differences: Matrix, ratio: float, *, comparisons: int = 1) -> Resampled:
    """Test a mean difference over folds, corrected for the rows that folds share in training.

    Parameters
    ----------
    differences
        First less second model, shape (folds,).
    ratio
        Test rows for each row that is learnt from; 0 is Student's paired t-test.
    comparisons
        Intervals that are to hold together (Bonferroni); p is not corrected.

    Returns
    -------
    Resampled
        Of variance ``(1 / folds + ratio)`` times that over folds. With a single fold only the difference; two
        models without any difference have p = 1, and a difference without chance has none.
    """
    from scipy.stats import t as student

    mean, folds = float(differences.mean()), len(differences)
    if folds < 2:
        return Resampled(mean, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN)
    if np.ptp(differences) <= _NOTHING * max(1.0, float(np.abs(differences).max())):
        same = abs(mean) <= _NOTHING
        return Resampled(mean, 1.0 if same else _NAN, _NAN, _NAN, _NAN, _NAN, _NAN)
    spread, factor = float(differences.std(ddof=1)), np.sqrt(1 / folds + ratio)
    d = mean / spread
    half = float(student.ppf(1 - LEVEL / 2 / comparisons, folds - 1)) * factor * spread
    p = 2 * float(student.sf(abs(d) / factor, folds - 1))
    low, high = _noncentral(d / factor, folds - 1)
    return Resampled(mean, p, mean - half, mean + half, d, low * factor, high * factor)


def _noncentral(t: float, freedom: int) -> tuple[float, float]:
    """Return the noncentralities under which a t as low, or as high, is seen once in forty times."""
    from scipy.optimize import brentq
    from scipy.stats import nct

    def end(share: float) -> float:
        def beyond(centre: float) -> float:
            return float(nct.cdf(t, freedom, centre)) - share

        low = high = (
            t  # far from t the distribution function of scipy is NaN, so ends are looked for stepwise
        )
        while beyond(low) < 0:
            low -= 0.5 + 0.1 * abs(t)
        while beyond(high) > 0:
            high += 0.5 + 0.1 * abs(t)
        found: float = brentq(beyond, low, high, xtol=1e-9)
        return found

    return end(1 - LEVEL / 2), end(LEVEL / 2)
