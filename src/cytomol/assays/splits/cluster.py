"""Cluster split: molecules that resemble each other stay together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.splits.base import Molecules, splitters
from cytomol.assays.splits.fill import fill_largest_first

__all__ = ["ClusterSplit"]


class ClusterSplit:
    """Largest clusters first: fill train, then valid; what is left is test. No cluster is divided.

    Clusters are Butina's, of Morgan bits (radius 2).

    Parameters
    ----------
    similarity
        Tanimoto similarity to a cluster's centre from which a molecule belongs to it.

    References
    ----------
    Butina, J. Chem. Inf. Comput. Sci. 39, 747 (1999).
    """

    fractions = (0.8, 0.1, 0.1)
    as_published = False
    bits = 2048
    radius = 2

    def __init__(self, similarity: float = 0.4) -> None:
        self.similarity = similarity

    def __call__(
        self, molecules: Molecules, *, fractions: tuple[float, float, float], seed: int
    ) -> NDArray[np.str_]:
        """Return the fold of every molecule, shape (n,); the rule has no chance in it."""
        del seed
        return fill_largest_first(self.blocks(molecules), molecules.rows, fractions)

    def blocks(self, molecules: Molecules) -> NDArray[np.int64]:
        """Return the cluster of every molecule, shape (n,)."""
        from cytomol.chem.similarity import butina_clusters

        return butina_clusters(self._fingerprints(molecules), self.similarity)

    def _fingerprints(self, molecules: Molecules) -> NDArray[np.uint8]:
        """Return packed Morgan bits, uint8, shape (n, bits / 8)."""
        from cytomol.chem.fingerprints import morgan_packed
        from cytomol.chem.parse import parse_smiles, without_atom_maps

        packed = np.zeros((len(molecules), self.bits // 8), np.uint8)
        for at, text in enumerate(molecules.smiles):
            mol = parse_smiles(without_atom_maps(text)).mol
            if mol is not None:
                packed[at] = np.frombuffer(morgan_packed(mol, self.radius, self.bits), np.uint8)
        return packed


splitters.register("cluster")(ClusterSplit())
