"""Scaffold split by the rule of OGB and MoleculeNet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.splits.base import FOLDS, splitters

__all__ = ["ScaffoldSplit", "scaffold_groups"]


def scaffold_groups(smiles: Sequence[str], *, as_written: bool = False) -> list[list[int]]:
    """Group rows by Murcko scaffold with chirality, groups in order of first appearance.

    ``as_written`` is that of :func:`~cytomol.chem.scaffolds.murcko_scaffold`.
    """
    from cytomol.chem.scaffolds import murcko_scaffold

    groups: dict[str, list[int]] = {}
    for row, molecule in enumerate(smiles):
        scaffold = murcko_scaffold(molecule, chirality=True, as_written=as_written)
        groups.setdefault(scaffold, []).append(row)
    return list(groups.values())


class ScaffoldSplit:
    """Largest scaffolds first: fill train, then valid; what is left is test. No scaffold is divided.

    Parameters
    ----------
    as_written
        Take scaffolds as OGB does, where a few depend on how the molecule is written.

    References
    ----------
    Hu et al., "Open Graph Benchmark", NeurIPS 2020; Wu et al., "MoleculeNet", 2018.
    """

    fractions = (0.8, 0.1, 0.1)

    def __init__(self, *, as_written: bool = False) -> None:
        self.as_written = as_written

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
        groups = scaffold_groups(smiles, as_written=self.as_written)
        for group in sorted(groups, key=lambda rows: (len(rows), rows[0]), reverse=True):
            if in_train + len(group) <= train_size:
                folds[group] = FOLDS[0]
                in_train += len(group)
            elif in_train + in_valid + len(group) <= valid_size:
                folds[group] = FOLDS[1]
                in_valid += len(group)
        return folds


splitters.register("scaffold")(ScaffoldSplit())
splitters.register("scaffold-ogb")(ScaffoldSplit(as_written=True))
