"""Numbers that by the look of them stand for nothing measured: -1 among 0 and 1, -999 among others."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["looks_missing", "minus_one_among_classes"]

_FEWEST = 3  # rows in which a value stands before it can be a code
_SHARE = 0.01  # of the measured rows
_FAR = 3.0  # ranges of the other values that lie between them and a code
_REPEATED = frozenset("6789")


def minus_one_among_classes(numbers: NDArray[np.float64]) -> int:
    """Return in how many rows -1 stands among 0, or among 0 and 1; 0 where it does not.

    -1 and 1 alone may be two classes.
    """
    values = set(np.unique(numbers[~np.isnan(numbers)]).tolist())
    if values in ({-1.0, 0.0}, {-1.0, 0.0, 1.0}):
        return int((numbers == -1).sum())
    return 0


def looks_missing(numbers: NDArray[np.float64]) -> dict[float, int]:
    """Return the values that look like a code for nothing measured, each with its number of rows.

    Such is a value like -999 or 9999 that stands twice or more outside all others by more than their range;
    any value that stands in many rows and outside all others by three times their range; and -1 in many
    rows where no other value is negative.

    Parameters
    ----------
    numbers
        Values, NaN where not measured, shape (rows,).
    """
    values, counts = np.unique(numbers[~np.isnan(numbers)], return_counts=True)
    if len(values) < 3:
        return {}
    many = max(_FEWEST, math.ceil(_SHARE * counts.sum()))
    like = np.array([count >= 2 and _like_a_code(value) for value, count in zip(values, counts, strict=True)])
    found: dict[float, int] = {}
    rest = values[~like]
    for value, count in zip(values[like], counts[like], strict=True):
        if len(rest) > 1 and _distance(value, rest) > np.ptp(rest):
            found[float(value)] = int(count)
    for value, count in ((values[0], counts[0]), (values[-1], counts[-1])):
        others = np.array([other for other in values if other != value and other not in found])
        far = len(others) > 1 and _distance(value, others) > _FAR * np.ptp(others)
        lone = value == -1 and (others >= 0).all()
        if count >= many and (far or lone):
            found[float(value)] = int(count)
    return found


def _like_a_code(value: float) -> bool:
    """Tell whether a value is a digit from 6 to 9 twice or more, such as -999, or a huge round number."""
    if not float(value).is_integer():
        return False
    digits = f"{abs(int(value))}"
    if len(digits) > 9:
        return digits.rstrip("0") == "1" or abs(int(value)) in {2**31 - 1, 2**31, 2**63}
    return len(digits) > 1 and len(set(digits)) == 1 and digits[0] in _REPEATED


def _distance(value: float, others: NDArray[np.float64]) -> float:
    return float(np.abs(others - value).min())
