"""What the code may keep of its input."""

from __future__ import annotations

import math

from torch import Tensor

__all__ = ["minimality"]


def minimality(sample: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    """One-sample estimate of E[log N(z; mu, sigma^2) - log N(z; 0, I)], z ~ N(mu, sigma^2).

    Parameters
    ----------
    sample
        z, reparameterised, shape (n, d).
    mean, deviation
        mu and sigma, shape (n, d).

    Returns
    -------
    Sum over dimensions, mean over rows; zero for no rows.

    References
    ----------
    Liu et al., arXiv 2406.12056, minimality term (variational bound with prior N(0, I)).
    """
    half_log = 0.5 * math.log(2 * math.pi)
    posterior = -0.5 * ((sample - mean) / deviation) ** 2 - deviation.log() - half_log
    prior = -0.5 * sample**2 - half_log
    return (posterior - prior).sum() / max(len(sample), 1)
