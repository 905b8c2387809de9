"""Axes on which what is predicted of molecules and what is measured agree: canonical correlation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.checked import Checked
from cytomol.counted import counted
from cytomol.errors import InputError

__all__ = ["CanonicalAxes"]

Rows = NDArray[np.float64]
_FEWEST = 3


@dataclass(frozen=True, eq=False)
class CanonicalAxes:
    """Maps predicted and measured profiles to common axes of mean 0 and variance 1, the surest first.

    Regularised canonical correlation: both sides are whitened with a ridge added to their covariance. How far
    the two agree on each axis is measured on pairs that did not find it, so that an axis found by chance is
    not believed.

    Attributes
    ----------
    predicted_mean, measured_mean
        float64, shape (width,).
    predicted_map, measured_map
        float64, shape (width, axes).
    correlations
        Of each axis, between 0 and 0.95, float64, shape (axes,).

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
    >>> axes = CanonicalAxes.fit(predicted, measured, np.ones(300), np.arange(300) % 4)
    >>> bool(axes.correlations[0] > 0.9 > 0.3 > axes.correlations[1])
    True
    """

    predicted_mean: Rows
    measured_mean: Rows
    predicted_map: Rows
    measured_map: Rows
    correlations: Rows

    @classmethod
    def fit(
        cls,
        predicted: Rows,
        measured: Rows,
        weights: Rows,
        folds: NDArray[np.int64],
        *,
        ridges: tuple[float, float] = (3.0, 0.3),
    ) -> Self:
        """Find the axes.

        Parameters
        ----------
        predicted
            Predictions of molecules that their own profile did not teach, shape (n, width).
        measured
            What was measured, shape (n, width).
        weights
            How much each pair counts, shape (n,).
        folds
            Number of the fold of each pair: the correlations are measured fold by fold on axes that the
            other folds gave, shape (n,).
        ridges
            Added to the covariances of predicted and measured, as multiples of their mean variance.

        Raises
        ------
        InputError
            If there are fewer than three pairs.
        """
        if len(predicted) < _FEWEST:
            pairs = counted(len(predicted), "pair", comma=False)
            raise InputError(f"{pairs} of molecule and profile", hint="at least three")
        products = np.zeros((3, min(predicted.shape[1], measured.shape[1])))
        for fold in np.unique(folds):
            out = folds == fold
            maps = _axes(predicted[~out], measured[~out], weights[~out], ridges)
            left, right = (predicted[out] - maps[0]) @ maps[2], (measured[out] - maps[1]) @ maps[3]
            share = weights[out][:, None]
            products += [(share * left * right).sum(0), (share * left**2).sum(0), (share * right**2).sum(0)]
        agreed = products[0] / np.sqrt(np.maximum(products[1] * products[2], 1e-24))
        return cls(*_axes(predicted, measured, weights, ridges), np.clip(agreed, 0, 0.95))

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
        saved = Checked({}, arrays, "matcher")
        return cls(
            saved.array("predicted_mean", np.float64, "predicted", finite=True),
            saved.array("measured_mean", np.float64, "measured", finite=True),
            saved.array("predicted_map", np.float64, "predicted axes", finite=True),
            saved.array("measured_map", np.float64, "measured axes", finite=True),
            saved.array("correlations", np.float64, "axes", finite=True, low=0, high=0.999),
        )


def _axes(
    predicted: Rows, measured: Rows, weights: Rows, ridges: tuple[float, float]
) -> tuple[Rows, Rows, Rows, Rows]:
    """Return the means and the maps to axes of variance 1, those of the highest correlation first."""
    share = weights / weights.sum()
    means = share @ predicted, share @ measured
    root = np.sqrt(share)[:, None]
    left, right = (predicted - means[0]) * root, (measured - means[1]) * root
    whitened = _whitening(left.T @ left, ridges[0]), _whitening(right.T @ right, ridges[1])
    turn, _, turned = np.linalg.svd(whitened[0] @ (left.T @ right) @ whitened[1].T, full_matrices=False)
    maps = whitened[0].T @ turn, whitened[1].T @ turned.T
    lengths = [np.linalg.norm(rows @ into, axis=0) for rows, into in ((left, maps[0]), (right, maps[1]))]
    return *means, maps[0] / np.maximum(lengths[0], 1e-12), maps[1] / np.maximum(lengths[1], 1e-12)


def _whitening(covariance: Rows, ridge: float) -> Rows:
    """Return the inverse of the lower Cholesky factor of a covariance with a ridge, shape (width, width)."""
    width = len(covariance)
    scale = max(float(np.trace(covariance)) / width, 1e-12)
    factor = np.linalg.cholesky(covariance + ridge * scale * np.eye(width))
    return np.asarray(np.linalg.inv(factor))
