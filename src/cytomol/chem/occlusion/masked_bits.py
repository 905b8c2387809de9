"""Morgan fingerprints without some atoms: environments that hold one of them no longer count."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator

from cytomol.chem.fingerprints import morgan_generator

__all__ = ["Environments", "environments"]


class Environments:
    """The circular environments of a molecule.

    Attributes
    ----------
    bit
        Bit that each sets, int64, shape (environments,).
    holds
        Which atoms lie in it, bool, shape (environments, atoms).
    bits
        Width of the folded fingerprint.
    """

    def __init__(self, bit: NDArray[np.int64], holds: NDArray[np.bool_], bits: int) -> None:
        self.bit, self.holds, self.bits = bit, holds, bits

    def counts(self, masks: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """Return how often each bit occurs among the environments that hold no masked atom.

        Parameters
        ----------
        masks
            Masked atoms of each row, bool, shape (rows, atoms).

        Returns
        -------
        uint8, shape (rows, bits); 255 and more are 255.
        """
        left = (masks.astype(np.int32) @ self.holds.T.astype(np.int32)) == 0
        rows, which = np.nonzero(left)
        flat = np.bincount(rows * self.bits + self.bit[which], minlength=len(masks) * self.bits)
        return np.minimum(flat, 255).astype(np.uint8).reshape(len(masks), self.bits)

    def shares(self) -> NDArray[np.float64]:
        """Return how each bit is shared among the atoms, each row of a set bit adds up to 1.

        A bit belongs to its environments in equal parts, and an environment to its atoms; shape (bits,
        atoms).
        """
        shares = np.zeros((self.bits, self.holds.shape[1]))
        np.add.at(shares, self.bit, self.holds / self.holds.sum(axis=1, keepdims=True))
        return np.asarray(shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-300))


def environments(mol: Chem.Mol, radius: int, bits: int) -> Environments:
    """Return the environments that make up a molecule's Morgan fingerprint.

    As RDKit's similarity maps do, an environment is taken to hold every atom within its radius.

    References
    ----------
    Riniker & Landrum, "Similarity maps", J. Cheminform. 5, 43 (2013).

    Examples
    --------
    >>> import numpy as np
    >>> from rdkit import Chem
    >>> found = environments(Chem.MolFromSmiles("CCO"), radius=1, bits=64)
    >>> nothing, oxygen = np.zeros(3, bool), np.array([False, False, True])
    >>> found.counts(np.stack([nothing, oxygen])).sum(axis=1).tolist()
    [6, 3]
    """
    output = rdFingerprintGenerator.AdditionalOutput()
    output.AllocateBitInfoMap()
    morgan_generator(radius, bits).GetCountFingerprint(mol, additionalOutput=output)
    found = [
        (bit, centre, reach) for bit, places in output.GetBitInfoMap().items() for centre, reach in places
    ]
    table = np.array(found, dtype=np.int64).reshape(-1, 3)
    distance = Chem.GetDistanceMatrix(mol)
    holds = distance[table[:, 1]] <= table[:, 2][:, None]
    return Environments(table[:, 0], np.asarray(holds), bits)
