"""Profiles as a matcher reads them: robust scores, and how far from the middle the whole profile lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.checked import Checked

__all__ = ["ProfilePreparation"]

_LIMIT = 8.0
_NORM_WEIGHT = 3.0  # how much the norm counts beside one feature
_NORMAL = 1.4826  # a normal distribution's deviation in median absolute deviations


@dataclass(frozen=True, eq=False)
class ProfilePreparation:
    """Robust scores of the features, cut to [-8, 8], and beside them the log of the profile's norm.

    The norm says how strongly a treatment acts, whatever it does, and can be told from a structure better
    than any feature: so it has a column of its own.

    Attributes
    ----------
    middle, spread
        Median and scaled median absolute deviation of each feature, float64, shape (width,); the spread of a
        constant one is infinite, so it becomes 0.
    norm
        Mean and deviation of the log norm, float64, shape (2,).

    Examples
    --------
    >>> import numpy as np
    >>> values = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    >>> ProfilePreparation.fit(values).transform(values).shape
    (50, 4)
    """

    middle: NDArray[np.float64]
    spread: NDArray[np.float64]
    norm: NDArray[np.float64]

    @classmethod
    def fit(cls, values: NDArray[np.float32]) -> Self:
        """Learn from training profiles, shape (n, width); NaN where not measured."""
        wide = values.astype(np.float64)
        empty = np.isnan(wide).all(axis=0)
        wide[:, empty] = 0.0
        middle = np.nanmedian(wide, axis=0)
        spread = _NORMAL * np.nanmedian(np.abs(wide - middle), axis=0)
        # where more than half the values are equal
        spread = np.where(spread > 0, spread, np.nanstd(wide, axis=0))
        spread[spread <= 0] = np.inf
        logs = _log_norm(_scores(wide, middle, spread))
        deviation = float(logs.std())
        return cls(middle, spread, np.array([logs.mean(), deviation if deviation > 0 else np.inf]))

    @property
    def width(self) -> int:
        """Features of a profile."""
        return len(self.middle)

    def transform(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return prepared profiles, (n, width) -> (n, width + 1); what was not measured is typical (0)."""
        scores = _scores(values.astype(np.float64), self.middle, self.spread)
        norm = (_log_norm(scores) - self.norm[0]) / self.norm[1]
        return np.column_stack([np.clip(np.nan_to_num(scores), -_LIMIT, _LIMIT), _NORM_WEIGHT * norm])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the whole state as arrays, to be saved."""
        return {"middle": self.middle, "spread": self.spread, "norm": self.norm}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from :meth:`arrays`."""
        saved = Checked({}, arrays, "matcher")
        middle = saved.array("middle", np.float64, "width", finite=True)
        spread = saved.array("spread", np.float64, "width", missing=False)
        return cls(middle, spread, saved.array("norm", np.float64, "2", missing=False))


def _scores(
    values: NDArray[np.float64], middle: NDArray[np.float64], spread: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.asarray((values - middle) / spread)


def _log_norm(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log of the root mean square of scores, each cut to [-20, 20], shape (n,); 0 without any."""
    measured = ~np.isnan(scores)
    cut = np.clip(np.where(measured, scores, 0), -20, 20)
    mean = (cut**2).sum(axis=1) / np.maximum(measured.sum(axis=1), 1)
    return np.where(measured.any(axis=1), np.log(np.sqrt(mean) + 1e-3), 0.0)
