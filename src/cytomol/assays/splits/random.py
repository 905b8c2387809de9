"""Random split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.splits.base import FOLDS, splitters

__all__ = ["RandomSplit"]


class RandomSplit:
    """Rows in random order, cut by the fractions."""

    fractions = (0.8, 0.1, 0.1)

    def __call__(
        self, smiles: Sequence[str], *, fractions: tuple[float, float, float], seed: int
    ) -> NDArray[np.str_]:
        """Return the fold of every molecule, shape (n,)."""
        n = len(smiles)
        order = np.random.default_rng(seed).permutation(n)
        folds = np.full(n, FOLDS[2], dtype="<U5")
        train_end, valid_end = round(fractions[0] * n), round((fractions[0] + fractions[1]) * n)
        folds[order[:valid_end]] = FOLDS[1]
        folds[order[:train_end]] = FOLDS[0]
        return folds


splitters.register("random")(RandomSplit())
