"""Scaling of the head's inputs, fitted on training rows and saved beside the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from cytomol.checked import Checked
from cytomol.errors import ModelDirectoryError
from cytomol.spread import columns_middle_and_spread

__all__ = ["AffineScaler", "ColumnScaler", "QuantileScaler", "fit_scaler", "scaler_from_arrays"]

Matrix = NDArray[np.float32]
_LIMIT = 5.0  # a column that nearly never varies in training must not send an input to infinity
_KNOTS = 101


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

    def transform(self, values: Matrix) -> Matrix:
        """Map values, shape (n, width), to normal scores in [-2.6, 2.6]."""
        levels = np.linspace(0, 1, len(self.knots))
        result = np.zeros(values.shape, dtype=np.float32)
        for column, knots in enumerate(self.knots.T):
            if not knots[0] < knots[-1]:
                continue
            # where quantiles coincide, the middle of their levels: mean of the two ways to interpolate
            cells = values[:, column].astype(np.float64)
            low = np.interp(cells, knots, levels)
            high = 1 - np.interp(-cells, -knots[::-1], levels)
            result[:, column] = ndtri(np.clip((low + high) / 2, 0.005, 0.995))
        return np.nan_to_num(result, nan=0.0)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what a new scaler is made of."""
        return {"knots": self.knots}


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
