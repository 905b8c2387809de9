"""The scaffold split of InfoAlign's benchmarks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.splits.base import FOLDS, splitters
from cytomol.assays.splits.scaffold import scaffold_groups

__all__ = ["ScaffoldInfoAlignSplit"]


class ScaffoldInfoAlignSplit:
    """Scaffolds in random order, rows cut by number: the split of chembl2k, broad6k and biogenadme.

    The cut goes by rows, so the two scaffolds that lie on it may stand on both sides.

    Notes
    -----
    With seed 3 and fractions 0.60, 0.15, 0.25 it gives the published splits exactly.

    References
    ----------
    Liu et al., "Learning Molecular Representation in a Cell", ICLR 2025 (the authors' code).
    """

    fractions = (0.6, 0.15, 0.25)
    published_seed = 3

    def __call__(
        self, smiles: Sequence[str], *, fractions: tuple[float, float, float], seed: int
    ) -> NDArray[np.str_]:
        """Return the fold of every molecule, shape (n,); ``seed`` 0 stands for the published seed."""
        groups = scaffold_groups(smiles, as_written=True)
        # The legacy generator, since its stream is what the published splits come from.
        generator = np.random.RandomState(seed or self.published_seed)
        generator.shuffle(groups)
        order = np.fromiter((row for group in groups for row in group), dtype=np.int64, count=len(smiles))
        train_end = int(fractions[0] * len(smiles))
        valid_end = int(fractions[1] * len(smiles)) + train_end
        folds = np.full(len(smiles), FOLDS[2], dtype="<U5")
        folds[order[:valid_end]] = FOLDS[1]
        folds[order[:train_end]] = FOLDS[0]
        return folds


splitters.register("scaffold-infoalign")(ScaffoldInfoAlignSplit())
