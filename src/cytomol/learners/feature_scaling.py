"""Scaling of the head's inputs, fitted on training rows and saved beside the weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from cytomol.checked import Checked
from cytomol.errors import ModelDirectoryError
from cytomol.spread import columns_middle_and_spread

__all__ = [
    "AffineScaler",
    "ColumnScaler",
    "QuantileScaler",
    "fit_scaler",
    "same_scaling",
    "scaler_from_arrays",
]

Matrix = NDArray[np.float32]
_LIMIT = 5.0  # a column that nearly never varies in training must not send an input to infinity
_KNOTS = 101
_KEPT = 8 * 2**20  # bytes of values up to which an answer is kept: those of 9,000 molecules
_ROWS = 64  # at once: comparisons with all knots of all columns, a few megabytes


@dataclass(frozen=True)
class AffineScaler:
    """(value - center) / scale, cut to [-5, 5]; missing values become 0.

    Attributes
    ----------
    center, scale
        float32, shape (width,); the scale of a constant column is infinite, so it becomes 0.
    """

    center: Matrix
    scale: Matrix

    def transform(self, values: Matrix) -> Matrix:
        """Scale values, shape (n, width)."""
        scaled = (values - self.center) / self.scale
        return np.asarray(np.nan_to_num(np.clip(scaled, -_LIMIT, _LIMIT), nan=0.0), dtype=np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what a new scaler is made of."""
        return {"center": self.center, "scale": self.scale}


@dataclass(frozen=True)
class QuantileScaler:
    """Normal score of the value's quantile among the training rows; missing values become 0.

    Attributes
    ----------
    knots
        Quantiles of every column, float64, shape (101, width), not decreasing.
    """

    knots: NDArray[np.float64]
    _last: list[tuple[Matrix, Matrix]] = field(default_factory=list, repr=False, compare=False)

    def transform(self, values: Matrix) -> Matrix:
        """Map values, shape (n, width), to normal scores in [-2.6, 2.6].

        The last answer is kept: the members of an ensemble ask for the same one after the other.
        """
        for asked, answer in self._last[:1]:
            if np.array_equal(asked, values, equal_nan=True):
                return answer.copy()  # products of an array with itself are rounded in another way
        found = self._scores(values)
        if values.nbytes <= _KEPT:
            self._last[:] = [(values.copy(), found.copy())]
        return found

    def _scores(self, values: Matrix) -> Matrix:
        varied = np.flatnonzero(self.knots[0] < self.knots[-1])
        knots = self.knots[:, varied]
        result = np.zeros(values.shape, dtype=np.float32)
        for start in range(0, len(values), _ROWS):
            rows = slice(start, start + _ROWS)
            cells = values[rows, varied].astype(np.float64)
            # where quantiles coincide, the middle of their levels: mean of the two ways to interpolate
            low = _levels(cells, knots)
            high = 1 - _levels(-cells, -knots[::-1])
            result[rows, varied] = ndtri(np.clip((low + high) / 2, 0.005, 0.995))
        return np.nan_to_num(result, nan=0.0)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what a new scaler is made of."""
        return {"knots": self.knots}


def _levels(cells: NDArray[np.float64], knots: NDArray[np.float64]) -> NDArray[np.float64]:
    """Interpolate where cells lie between the knots of their column, 0 at the first, 1 at the last.

    All columns at once, step by step what `numpy.interp` does of one: a call for each column of a
    single molecule takes longer than all else that is asked of it.

    Parameters
    ----------
    cells, knots
        Shape (n, width), and (knots, width), not decreasing.
    """
    last = len(knots) - 1
    levels = np.linspace(0, 1, len(knots))
    passed = (cells[:, None, :] >= knots[None]).sum(axis=1) - 1  # the last knot that is not above
    at = np.clip(passed, 0, last - 1)
    columns = np.arange(knots.shape[1])
    x, y = knots[at, columns], levels[at]
    slope = (levels[at + 1] - y) / np.where(passed == at, knots[at + 1, columns] - x, 1.0)
    between = slope * (cells - x) + y
    result = np.where(passed < 0, 0.0, np.where(passed >= last, 1.0, between))
    return np.where(np.isnan(cells), np.nan, result)


ColumnScaler = AffineScaler | QuantileScaler


def fit_scaler(values: Matrix, method: str) -> ColumnScaler:
    """Fit a scaler on training rows, shape (n, width), NaN where a value is missing.

    Parameters
    ----------
    values
        Training rows.
    method
        "standard" (mean, standard deviation), "robust" (median, interquartile range, or where that
        is zero standard deviation) or "quantile".
    """
    finite = np.where(np.isfinite(values), values, np.nan).astype(np.float64)
    empty = np.isnan(finite).all(axis=0)
    finite[:, empty] = 0.0
    if method == "quantile":
        return QuantileScaler(np.nanquantile(finite, np.linspace(0, 1, _KNOTS), axis=0))
    if method == "standard":
        center, spread = np.nanmean(finite, axis=0), np.nanstd(finite, axis=0)
    else:
        center, spread = columns_middle_and_spread(finite)
    spread[spread <= 1e-6 * np.maximum(1.0, np.abs(center))] = np.inf
    return AffineScaler(center.astype(np.float32), spread.astype(np.float32))


def same_scaling(one: ColumnScaler, other: ColumnScaler) -> bool:
    """Return whether two scalers do the same."""
    mine, theirs = one.arrays(), other.arrays()
    return mine.keys() == theirs.keys() and all(np.array_equal(mine[name], theirs[name]) for name in mine)


def scaler_from_arrays(arrays: dict[str, NDArray[Any]]) -> ColumnScaler:
    """Make a scaler of what :meth:`arrays` gave.

    Raises
    ------
    ModelDirectoryError
        If it is no scaler.
    """
    saved = Checked({}, arrays, "scaling")
    if "knots" not in arrays:
        center = saved.array("center", np.float32, "width", finite=True)
        return AffineScaler(center, saved.array("scale", np.float32, "width", missing=False))
    knots = saved.array("knots", np.float64, "knots width", finite=True)
    if len(knots) < 2 or (np.diff(knots, axis=0) < 0).any():
        raise ModelDirectoryError("scaling: the quantiles of a column fall, or are fewer than two")
    return QuantileScaler(knots)
