"""An error that grows with what is known: a log-linear regression whose slopes do not fall."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["expected_error", "fit_rising"]

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

_RIDGE = 1e-3  # of slopes for standardised clues and errors of mean 1: keeps collinear clues apart


def fit_rising(errors: Vector, clues: Matrix) -> Vector | None:
    """Fit ``E|error| = exp(b0 + clues @ b)`` with no slope below 0.

    It maximises Poisson's quasi-likelihood, which is consistent for the mean whatever the spread of the
    errors (Gourieroux et al., Econometrica 1984, 52, 681) and, unlike a regression on the logarithm, does
    not hang on the errors that happen to be nearly 0.

    Parameters
    ----------
    errors
        Absolute errors, shape (n,).
    clues
        What they may grow with, shape (n, clues).

    Returns
    -------
    NDArray or None
        ``b0`` and the slopes, float64, shape (1 + clues,); None if all errors are 0 or a clue never varies.
    """
    from scipy.optimize import minimize

    mean, center, unit = float(errors.mean()), clues.mean(axis=0), clues.std(axis=0)
    if not np.isfinite(clues).all() or not mean > 0 or not (unit > 1e-12 * (1 + np.abs(center))).all():
        return None
    x = np.column_stack([np.ones(len(errors)), (clues - center) / unit])
    y = errors / mean

    def loss(b: Vector) -> tuple[float, Vector]:
        rate = np.exp(np.minimum(x @ b, 30.0))
        slopes = np.concatenate([[0.0], b[1:]])
        value = float((rate - y * (x @ b)).mean() + _RIDGE / 2 * slopes @ slopes)
        return value, np.asarray(x.T @ (rate - y) / len(y) + _RIDGE * slopes)

    bounds = [(-30.0, 30.0)] + [(0.0, 10.0)] * clues.shape[1]
    found = minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds).x
    slopes = found[1:] / unit
    return np.concatenate([[float(np.log(mean) + found[0] - slopes @ center)], slopes])


def expected_error(values: Vector, clues: Matrix) -> Vector:
    """Return ``exp(b0 + clues @ b)``, shape (n,)."""
    return np.asarray(np.exp(values[0] + clues @ values[1:]), dtype=np.float64)
