"""Axes on which what is predicted of molecules and what is measured agree: canonical correlation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.errors import InputError

__all__ = ["CanonicalAxes"]

Rows = NDArray[np.float64]
_FEWEST = 3


@dataclass(frozen=True, eq=False)
class CanonicalAxes:
    """Maps predicted and measured profiles to common axes, each as long as the two agree on it.

    Regularised canonical correlation: both sides are whitened with the ridge added to their covariance, and
    every axis is weighted with its correlation on both sides, so that an axis on which structure foretells
    nothing says nothing.

    Attributes
    ----------
    predicted_mean, measured_mean
        float64, shape (width,).
    predicted_map, measured_map
        float64, shape (width, axes).
    correlations
        Of each axis, at most 0.95, descending, float64, shape (axes,).

    References
    ----------
    Hotelling, "Relations between two sets of variates", Biometrika 1936; Vinod, "Canonical ridge and
    econometrics of joint production", Journal of Econometrics 1976.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> signal = rng.normal(size=(300, 1))
    >>> predicted = np.hstack([signal, rng.normal(size=(300, 1))])
    >>> measured = np.hstack([rng.normal(size=(300, 1)), signal])
    >>> axes = CanonicalAxes.fit(predicted, measured, np.ones(300), ridge=0.01)
    >>> bool(axes.correlations[0] > 0.9 > 0.3 > axes.correlations[1])
    True
    """

    predicted_mean: Rows
    measured_mean: Rows
    predicted_map: Rows
    measured_map: Rows
    correlations: Rows

    @classmethod
    def fit(cls, predicted: Rows, measured: Rows, weights: Rows, *, ridge: float = 1.0) -> Self:
        """Find the axes.

        Parameters
        ----------
        predicted
            Predictions of molecules that their own profile did not teach, shape (n, width).
        measured
            What was measured, shape (n, width).
        weights
            How much each pair counts, shape (n,).
        ridge
            Added to the covariances, as a multiple of their mean variance.

        Raises
        ------
        InputError
            If there are fewer than three pairs.
        """
        if len(predicted) < _FEWEST:
            raise InputError(f"{len(predicted)} pairs of molecule and profile", hint="at least three")
        share = weights / weights.sum()
        means = share @ predicted, share @ measured
        root = np.sqrt(share)[:, None]
        left, right = (predicted - means[0]) * root, (measured - means[1]) * root
        whitened = _whitening(left.T @ left, ridge), _whitening(right.T @ right, ridge)
        turn, found, turned = np.linalg.svd(
            whitened[0] @ (left.T @ right) @ whitened[1].T, full_matrices=False
        )
        found = np.clip(found, 0, 0.95)
        return cls(*means, whitened[0].T @ turn * found, whitened[1].T @ turned.T * found, found)

    def place_predicted(self, predicted: Rows) -> Rows:
        """Return predictions on the axes, (n, width) -> (n, axes)."""
        return np.asarray((predicted - self.predicted_mean) @ self.predicted_map)

    def place_measured(self, measured: Rows) -> Rows:
        """Return measured profiles on the axes, (n, width) -> (n, axes)."""
        return np.asarray((measured - self.measured_mean) @ self.measured_map)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the whole state as arrays, to be saved."""
        return dict(vars(self))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from :meth:`arrays`."""
        return cls(**{name: arrays[name] for name in cls.__dataclass_fields__})


def _whitening(covariance: Rows, ridge: float) -> Rows:
    """Return the inverse of the lower Cholesky factor of a covariance with a ridge, shape (width, width)."""
    width = len(covariance)
    scale = max(float(np.trace(covariance)) / width, 1e-12)
    factor = np.linalg.cholesky(covariance + ridge * scale * np.eye(width))
    return np.asarray(np.linalg.inv(factor))
