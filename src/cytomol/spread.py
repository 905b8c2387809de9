"""Middle and spread of numbers that may have long tails."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["columns_middle_and_spread", "middle_and_spread", "quartile_spread"]

# A normal distribution has an interquartile range of 1.349 standard deviations.
_IQR_OF_NORMAL = 1.349


def quartile_spread(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the median and the interquartile range over 1.349, which for normal values is their deviation.

    Parameters
    ----------
    values
        One number or more, none of them NaN.

    Examples
    --------
    >>> middle, spread = quartile_spread(np.array([0.0, 1.0, 2.0, 3.0, 1000.0]))
    >>> middle, round(spread, 3)
    (2.0, 1.483)
    """
    first, median, third = np.quantile(values, [0.25, 0.5, 0.75])
    return float(median), float(third - first) / _IQR_OF_NORMAL


def middle_and_spread(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the median and a robust spread, which is 0 for a constant alone.

    Where half the values are equal, the interquartile range may be 0: then it is the standard deviation.

    Parameters
    ----------
    values
        Numbers, none of them NaN; the middle of none is 0, and so is their spread.
    """
    if len(values) == 0 or values.min() == values.max():
        return (float(values[0]) if len(values) else 0.0), 0.0
    median, spread = quartile_spread(values)
    return median, spread if spread > 0 else float(values.std())


def columns_middle_and_spread(
    values: NDArray[Any],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return :func:`middle_and_spread` of each column, float64, shape (width,) each.

    Parameters
    ----------
    values
        Shape (rows, width); what is not finite is left out.
    """
    middle, spread = np.zeros(values.shape[1]), np.zeros(values.shape[1])
    for j in range(values.shape[1]):
        column = values[:, j].astype(np.float64)
        middle[j], spread[j] = middle_and_spread(column[np.isfinite(column)])
    return middle, spread
