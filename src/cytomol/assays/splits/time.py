"""Time split: what was measured last is tested."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.splits.base import Molecules, splitters
from cytomol.assays.splits.fill import cut_in_order
from cytomol.errors import ConfigError

__all__ = ["TimeSplit"]


class TimeSplit:
    """Molecules in the order of their dates, cut by the fractions: the oldest train, the newest test.

    All molecules of one date are in one fold; those without a date are in none.

    References
    ----------
    Sheridan, J. Chem. Inf. Model. 53, 783 (2013).
    """

    fractions = (0.8, 0.1, 0.1)
    as_published = False

    def __call__(
        self, molecules: Molecules, *, fractions: tuple[float, float, float], seed: int
    ) -> NDArray[np.str_]:
        """Return the fold of every molecule, "" for those without a date, shape (n,)."""
        del seed
        blocks = self.blocks(molecules)
        dated = blocks >= 0
        sizes = np.bincount(blocks[dated], weights=molecules.rows[dated]).astype(np.int64)
        folds = np.full(len(molecules), "", dtype="<U5")
        folds[dated] = cut_in_order(np.arange(len(sizes)), sizes, fractions)[blocks[dated]]
        return folds

    def blocks(self, molecules: Molecules) -> NDArray[np.int64]:
        """Return the place of every molecule's date among the dates, -1 for none, shape (n,)."""
        if molecules.dates is None:
            raise ConfigError(
                "a split by time needs dates", where="split_type", hint="name their column with --time-col"
            )
        known = ~np.isnat(molecules.dates)
        blocks = np.full(len(molecules), -1, np.int64)
        blocks[known] = np.unique(molecules.dates[known], return_inverse=True)[1]
        return blocks


splitters.register("time")(TimeSplit())
