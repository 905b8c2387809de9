"""Scaffold split: molecules of one scaffold stay together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.splits.base import Molecules, splitters
from cytomol.assays.splits.fill import fill_largest_first, numbered

__all__ = ["ScaffoldSplit"]


class ScaffoldSplit:
    """Largest scaffolds first: fill train, then valid; what is left is test. No scaffold is divided.

    The rule is that of MoleculeNet and OGB, but that stereo marks make no other scaffold, and that molecules
    without a ring, which have no scaffold, are told apart by their skeletons: chains of one length and
    branching are one block, whatever their atoms, where the published rule makes one block of all.
    """

    fractions = (0.8, 0.1, 0.1)
    as_published = False

    def __call__(
        self, molecules: Molecules, *, fractions: tuple[float, float, float], seed: int
    ) -> NDArray[np.str_]:
        """Return the fold of every molecule, shape (n,); the rule has no chance in it."""
        del seed
        return fill_largest_first(self.blocks(molecules), molecules.rows, fractions)

    def blocks(self, molecules: Molecules) -> NDArray[np.int64]:
        """Return the scaffold or skeleton of every molecule as a number, shape (n,)."""
        from cytomol.chem.scaffolds import bare_skeleton, murcko_scaffold

        return numbered(
            [murcko_scaffold(text) or f"chain {bare_skeleton(text)}" for text in molecules.smiles]
        )


splitters.register("scaffold")(ScaffoldSplit())
