"""The scaffold split of InfoAlign's benchmarks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.splits.base import FOLDS, Molecules, splitters
from cytomol.assays.splits.scaffold_ogb import scaffolds_as_written

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
    as_published = True
    published_seed = 3

    def __call__(
        self, molecules: Molecules, *, fractions: tuple[float, float, float], seed: int
    ) -> NDArray[np.str_]:
        """Return the fold of every row, shape (n,); ``seed`` 0 stands for the published seed."""
        blocks = self.blocks(molecules)
        groups = [np.flatnonzero(blocks == block).tolist() for block in range(blocks.max(initial=-1) + 1)]
        # The legacy generator, since its stream is what the published splits come from.
        generator = np.random.RandomState(seed or self.published_seed)
        generator.shuffle(groups)
        order = np.fromiter((row for group in groups for row in group), dtype=np.int64, count=len(molecules))
        train_end = int(fractions[0] * len(molecules))
        valid_end = int(fractions[1] * len(molecules)) + train_end
        folds = np.full(len(molecules), FOLDS[2], dtype="<U5")
        folds[order[:valid_end]] = FOLDS[1]
        folds[order[:train_end]] = FOLDS[0]
        return folds

    def blocks(self, molecules: Molecules) -> NDArray[np.int64]:
        """Return the scaffold of every row as a number, shape (n,)."""
        return scaffolds_as_written(molecules.smiles)


splitters.register("scaffold-infoalign")(ScaffoldInfoAlignSplit())
