"""Random split."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.splits.base import Molecules, splitters
from cytomol.assays.splits.fill import cut_in_order

__all__ = ["RandomSplit"]


class RandomSplit:
    """Molecules in random order, cut by the fractions."""

    fractions = (0.8, 0.1, 0.1)
    as_published = False

    def __call__(
        self, molecules: Molecules, *, fractions: tuple[float, float, float], seed: int
    ) -> NDArray[np.str_]:
        """Return the fold of every molecule, shape (n,)."""
        order = np.random.default_rng(seed).permutation(len(molecules))
        return cut_in_order(order, molecules.rows, fractions)

    def blocks(self, molecules: Molecules) -> NDArray[np.int64]:
        """Return each molecule as a block of its own, shape (n,)."""
        return np.arange(len(molecules))


splitters.register("random")(RandomSplit())
