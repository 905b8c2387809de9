"""The scaffold split of OGB, as published."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.splits.base import FOLDS, Molecules, splitters
from cytomol.assays.splits.fill import numbered

__all__ = ["ScaffoldOGBSplit", "scaffolds_as_written"]


def scaffolds_as_written(smiles: Sequence[str]) -> NDArray[np.int64]:
    """Return the Murcko scaffold of every row as a number, from 0 by first appearance, shape (n,).

    Stereo marks belong to it, a few scaffolds depend on how a molecule is written, and all molecules
    without a ring have the same one: so were the published splits made.
    """
    from cytomol.chem.scaffolds import murcko_scaffold

    return numbered([murcko_scaffold(text, chirality=True, as_written=True) for text in smiles])


class ScaffoldOGBSplit:
    """Largest scaffolds first: fill train, then valid; all that is left is test.

    References
    ----------
    Hu et al., "Open Graph Benchmark", NeurIPS 2020; Wu et al., "MoleculeNet", 2018.
    """

    fractions = (0.8, 0.1, 0.1)
    as_published = True

    def __call__(
        self, molecules: Molecules, *, fractions: tuple[float, float, float], seed: int
    ) -> NDArray[np.str_]:
        """Return the fold of every row, shape (n,); the rule has no chance in it."""
        del seed
        n = len(molecules)
        train_size, valid_size = fractions[0] * n, (fractions[0] + fractions[1]) * n
        folds = np.full(n, FOLDS[2], dtype="<U5")
        in_train = in_valid = 0
        blocks = self.blocks(molecules)
        groups = [np.flatnonzero(blocks == block) for block in range(blocks.max(initial=-1) + 1)]
        # equal sizes: the scaffold whose first row comes last goes first, as in OGB's sort
        for group in sorted(groups, key=lambda rows: (len(rows), rows[0]), reverse=True):
            if in_train + len(group) <= train_size:
                folds[group] = FOLDS[0]
                in_train += len(group)
            elif in_train + in_valid + len(group) <= valid_size:
                folds[group] = FOLDS[1]
                in_valid += len(group)
        return folds

    def blocks(self, molecules: Molecules) -> NDArray[np.int64]:
        """Return the scaffold of every row as a number, shape (n,)."""
        return scaffolds_as_written(molecules.smiles)


splitters.register("scaffold-ogb")(ScaffoldOGBSplit())
