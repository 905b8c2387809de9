"""Scaffold split by the rule of OGB and MoleculeNet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cytomol.predict.splits.base import FOLDS, splitters

__all__ = ["ScaffoldSplit", "scaffold_groups"]


def scaffold_groups(smiles: Sequence[str]) -> list[list[int]]:
    """Group rows by Murcko scaffold with chirality, groups in order of first appearance."""
    from cytomol.chem.scaffolds import murcko_scaffold

    groups: dict[str, list[int]] = {}
    for row, molecule in enumerate(smiles):
        groups.setdefault(murcko_scaffold(molecule, chirality=True), []).append(row)
    return list(groups.values())


class ScaffoldSplit:
    """Largest scaffolds first: fill train, then valid; what is left is test. No scaffold is divided.

    References
    ----------
    Hu et al., "Open Graph Benchmark", NeurIPS 2020; Wu et al., "MoleculeNet", 2018.
    """

    fractions = (0.8, 0.1, 0.1)

    def __call__(
        self, smiles: Sequence[str], *, fractions: tuple[float, float, float], seed: int
    ) -> NDArray[np.str_]:
        """Return the fold of every molecule, shape (n,); the rule has no chance in it."""
        del seed
        n = len(smiles)
        train_size, valid_size = fractions[0] * n, (fractions[0] + fractions[1]) * n
        folds = np.full(n, FOLDS[2], dtype="<U5")
        in_train = in_valid = 0
        # equal sizes: the scaffold whose first row comes last goes first, as in OGB's sort
        for group in sorted(scaffold_groups(smiles), key=lambda rows: (len(rows), rows[0]), reverse=True):
            if in_train + len(group) <= train_size:
                folds[group] = FOLDS[0]
                in_train += len(group)
            elif in_train + in_valid + len(group) <= valid_size:
                folds[group] = FOLDS[1]
                in_valid += len(group)
        return folds


splitters.register("scaffold")(ScaffoldSplit())
