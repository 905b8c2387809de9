"""Places of molecules and profiles whose cosine orders pairs by what one tells of the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.checked import Checked

__all__ = ["SharedInformation"]

Rows = NDArray[np.float64]
_CUT = 0.99  # share of the training rows whose lengths are kept as they are


@dataclass(frozen=True, eq=False)
class SharedInformation:
    """Turns canonical variates x of a molecule and y of a profile into rows of length 1.

    For normal variates that correlate by r on each axis, log p(x, y) / (p(x) p(y)) is, up to a constant, the
    sum over axes of ``r x y / (1 - r^2) - r^2 (x^2 + y^2) / (2 (1 - r^2))``. That is a product of two
    vectors, and a column that is 0 on the other side fills either up to length 1: so the cosine of two
    places orders the profiles for a molecule, and the molecules for a profile, as this does.

    Attributes
    ----------
    correlations
        Of each axis, below 1, float64, shape (axes,).
    lengths
        Lengths of molecules and of profiles at which they are cut, float64, shape (2,).

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(200, 2))
    >>> y = 0.8 * x + 0.6 * rng.normal(size=(200, 2))
    >>> shared = SharedInformation.fit(np.array([0.8, 0.8]), x, y)
    >>> scores = shared.molecules(x) @ shared.profiles(y).T
    >>> bool(np.diag(scores).mean() > scores.mean())
    True
    """

    correlations: Rows
    lengths: Rows

    @classmethod
    def fit(cls, correlations: Rows, x: Rows, y: Rows) -> Self:
        """Learn how long the vectors of training molecules x and profiles y are, shape (n, axes) each."""
        free = cls(correlations, np.ones(2))
        lengths = [np.linalg.norm(rows, axis=1) for rows in (free._left(x), free._right(y))]
        return cls(correlations, np.array([max(float(np.quantile(one, _CUT)), 1e-12) for one in lengths]))

    def information(self, x: Rows, y: Rows) -> Rows:
        """Return what molecules and profiles tell of each other, without the constant, shape (n, m)."""
        return np.asarray(self._left(x) @ self._right(y).T)

    def molecules(self, x: Rows) -> NDArray[np.float32]:
        """Place molecules, float32, shape (n, axes + 4)."""
        return self._filled(self._left(x), 0)

    def profiles(self, y: Rows) -> NDArray[np.float32]:
        """Place profiles, float32, shape (n, axes + 4)."""
        return self._filled(self._right(y), 1)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the whole state as arrays, to be saved."""
        return dict(vars(self))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from :meth:`arrays`."""
        saved = Checked({}, arrays, "matcher")
        correlations = saved.array("correlations", np.float64, "axes", finite=True, low=0, high=0.999)
        return cls(correlations, saved.array("lengths", np.float64, "2", finite=True, low=1e-300))

    def _left(self, x: Rows) -> Rows:
        return np.column_stack([x * self._root, -self._own(x), np.ones(len(x))])

    def _right(self, y: Rows) -> Rows:
        return np.column_stack([y * self._root, np.ones(len(y)), -self._own(y)])

    @property
    def _root(self) -> Rows:
        return np.sqrt(self.correlations / (1 - self.correlations**2))

    def _own(self, variates: Rows) -> Rows:
        """Return what is subtracted for a row that lies far out, less its expectation, shape (n,)."""
        square = self.correlations**2 / (2 * (1 - self.correlations**2))
        return np.asarray((variates**2 - 1) @ square)

    def _filled(self, rows: Rows, side: int) -> NDArray[np.float32]:
        rows = rows / self.lengths[side]
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        rows /= np.maximum(length, 1.0)
        fill = np.zeros((len(rows), 2))
        fill[:, side] = np.sqrt(np.maximum(1 - (rows**2).sum(axis=1), 0))
        return np.hstack([rows, fill]).astype(np.float32)
