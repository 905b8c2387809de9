"""Scale features to [0, 1]: fitted on training rows, robust to tails, exactly invertible."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from cytomol.counted import counted
from cytomol.errors import ConfigError, InputError
from cytomol.spread import middle_and_spread

__all__ = ["FeatureScaler", "ScalingMethod"]

ScalingMethod = Literal["robust", "minmax"]

# Rows are transformed in blocks, in float64, so that the temporary stays small beside the table.
_BLOCK = 8192

_Change = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class FeatureScaler:
    """One monotone map per column, taking the training values of the column to [0, 1].

    ``minmax`` is the papers' map, ``(x - min) / (max - min)``. One outlier then squeezes all other
    values of its column together (L1000 z-scores reach 207, their bulk lies within 2). ``robust``
    compresses the tails first: ``t = asinh((x - median) / s)`` with ``s`` the interquartile range
    over 1.349, and then min-max of ``t``. It is linear near the median, logarithmic far from it, and
    nothing is clipped, so that it can be undone for any value.

    A column that is constant in training has no range: its value becomes 0.5, and other values lie at
    their distance from it (in units of the column). A column without any training value is treated as
    constant 0. NaN stays NaN.

    Attributes
    ----------
    method
        "robust" or "minmax".
    center, scale
        Median and spread of each column, float64, shape (width,); 0 and 1 for ``minmax``.
    low, span
        Minimum and range of the (compressed) training values, float64, shape (width,).

    Examples
    --------
    >>> scaler = FeatureScaler.fit(np.array([[0.0], [1.0], [2.0], [200.0]], np.float32))
    >>> scaler.transform(np.array([[0.0], [200.0]], np.float32)).ravel().tolist()
    [0.0, 1.0]
    """

    method: ScalingMethod
    center: NDArray[np.float64]
    scale: NDArray[np.float64]
    low: NDArray[np.float64]
    span: NDArray[np.float64]

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.center)

    @classmethod
    def fit(cls, values: NDArray[np.float32], method: ScalingMethod = "robust") -> Self:
        """Learn the map of each column.

        Parameters
        ----------
        values
            Training rows, shape (n, width); NaN where missing.
        method
            "robust" or "minmax".

        Raises
        ------
        InputError
            If a value is infinite or the table has no columns to speak of.
        ConfigError
            If the method is unknown.
        """
        if method not in get_args(ScalingMethod):
            raise ConfigError(
                f"unknown scaling {method!r}", hint=f"known: {', '.join(get_args(ScalingMethod))}"
            )
        if values.ndim != 2:
            raise InputError(
                f"features of shape {values.shape} cannot be scaled", hint="expected (rows, columns)"
            )
        if np.isinf(values).any():
            row, column = np.argwhere(np.isinf(values))[0]
            raise InputError("an infinite value cannot be scaled", where=f"row {row}, column {column}")
        width = values.shape[1]
        center, scale, low, span = np.zeros(width), np.ones(width), np.full(width, -0.5), np.ones(width)
        for j in range(width):
            column = values[:, j].astype(np.float64)
            column = column[~np.isnan(column)]
            if method == "robust":
                center[j], spread = middle_and_spread(column)
                scale[j] = spread or 1.0
                column = np.arcsinh((column - center[j]) / scale[j])
            if len(column):
                low[j], span[j] = _range(column)
        return cls(method, center, scale, low, span)

    @classmethod
    def affine(cls, center: NDArray[np.float64], spread: NDArray[np.float64]) -> Self:
        """Return the map (x - center) / spread of each column, shapes (width,)."""
        width = len(center)
        return cls("minmax", np.zeros(width), np.ones(width), center, spread)

    def transform(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return ``values`` scaled, float32, same shape; training values lie in [0, 1], NaN stays."""
        return self._by_block(values, self._forward)

    def inverse(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Undo :meth:`transform`, float32, same shape."""
        return self._by_block(values, self._backward)

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """Return the whole state as arrays, to be saved."""
        return {
            "center": self.center,
            "scale": self.scale,
            "low": self.low,
            "span": self.span,
            "robust": np.array([float(self.method == "robust")]),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[np.float64]]) -> Self:
        """Rebuild a scaler from :meth:`arrays`.

        Raises
        ------
        InputError
            If an array is missing or the lengths differ.
        """
        missing = sorted({"center", "scale", "low", "span", "robust"} - set(arrays))
        if missing:
            raise InputError(f"feature statistics lack {', '.join(missing)}")
        columns = [np.asarray(arrays[name], np.float64) for name in ("center", "scale", "low", "span")]
        if len({column.shape for column in columns}) != 1 or columns[0].ndim != 1:
            raise InputError(f"feature statistics have shapes {[column.shape for column in columns]}")
        if np.shape(arrays["robust"]) != (1,) or not all(np.isfinite(column).all() for column in columns[:1]):
            raise InputError("feature statistics hold no scaling")
        robust = bool(np.asarray(arrays["robust"]).ravel()[0])
        return cls("robust" if robust else "minmax", *columns)

    def _forward(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.method == "robust":
            block = np.arcsinh((block - self.center) / self.scale)
        return (block - self.low) / self.span

    def _backward(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        block = block * self.span + self.low
        return np.sinh(block) * self.scale + self.center if self.method == "robust" else block

    def _by_block(self, values: NDArray[np.float32], change: _Change) -> NDArray[np.float32]:
        if values.ndim != 2 or values.shape[1] != self.width:
            fitted = counted(self.width, "column", comma=False)
            raise InputError(f"features of shape {values.shape}, but the scaler was fitted on {fitted}")
        scaled = np.empty(values.shape, np.float32)
        for start in range(0, len(values), _BLOCK):
            rows = slice(start, start + _BLOCK)
            scaled[rows] = change(values[rows].astype(np.float64))
        return scaled


def _range(column: NDArray[np.float64]) -> tuple[float, float]:
    """Return minimum and range; a constant gets a range of one, with its value in the middle."""
    low, high = float(column.min()), float(column.max())
    return (low, high - low) if high > low else (low - 0.5, 1.0)
