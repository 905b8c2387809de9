"""MACCS keys without some atoms: matches of a key that hold one of them no longer count."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import MACCSkeys, rdMolDescriptors

from cytomol.chem.fingerprints import MACCS_BITS

__all__ = ["KeyMatches", "key_matches"]

_AROMATIC_RINGS, _PARTS = 125, 166  # keys that RDKit counts by program: more than one of each
_definitions: Any = MACCSkeys


class KeyMatches:
    """Where the keys that a molecule has are found in it.

    Attributes
    ----------
    holds
        Key -> atoms of each of its matches, bool, shape (matches, atoms).
    beyond
        Key -> number of matches that it must exceed.
    whole
        Keys that are set and have no place (none of today's RDKit).
    """

    def __init__(self, holds: dict[int, NDArray[np.bool_]], beyond: dict[int, int], whole: list[int]) -> None:
        self.holds, self.beyond, self.whole = holds, beyond, whole

    def bits(self, masks: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """Return the keys that are left, uint8, shape (rows, 167), for masks of shape (rows, atoms)."""
        result = np.zeros((len(masks), MACCS_BITS), np.uint8)
        hidden = masks.astype(np.int32).T
        for key, holds in self.holds.items():
            if key == _PARTS:  # a part of a mixture is left while one of its atoms is
                left = (holds.astype(np.int32) @ (1 - hidden)) > 0
            else:
                left = (holds.astype(np.int32) @ hidden) == 0
            result[:, key] = left.sum(axis=0) > self.beyond[key]
        result[:, self.whole] = 1
        return result

    def shares(self, atoms: int) -> NDArray[np.float64]:
        """Return how each key is shared among atoms, each row of a key with matches adds up to 1.

        A key belongs to its matches in equal parts, and a match to its atoms, shape (167, atoms).
        """
        shares = np.zeros((MACCS_BITS, atoms))
        for key, holds in self.holds.items():
            shares[key] = (holds / holds.sum(axis=1, keepdims=True)).mean(axis=0)
        return shares


def key_matches(mol: Chem.Mol) -> KeyMatches:
    """Return where the MACCS keys of a molecule are.

    Examples
    --------
    >>> import numpy as np
    >>> from rdkit import Chem
    >>> found = key_matches(Chem.MolFromSmiles("CC(=O)O"))  # key 154 is C=O
    >>> no_atom, carbonyl = np.zeros(4, bool), np.array([False, False, True, False])
    >>> found.bits(np.stack([no_atom, carbonyl]))[:, 154].tolist()
    [1, 0]
    """
    atoms = mol.GetNumAtoms()
    holds, beyond, whole = {}, {}, []
    for key in rdMolDescriptors.GetMACCSKeysFingerprint(mol).GetOnBits():
        groups: list[Any]
        if key == _AROMATIC_RINGS:
            groups, beyond[key] = _aromatic_rings(mol), 1
        elif key == _PARTS:
            groups, beyond[key] = list(Chem.GetMolFrags(mol)), 1
        elif key in (known := _patterns()):
            pattern, beyond[key] = known[key]
            groups = list(mol.GetSubstructMatches(pattern))
        else:
            whole.append(key)
            continue
        holds[key] = np.zeros((len(groups), atoms), bool)
        for row, group in enumerate(groups):
            holds[key][row, list(group)] = True
    return KeyMatches(holds, beyond, whole)


@cache
def _patterns() -> dict[int, tuple[Chem.Mol, int]]:
    """Return the pattern of each key, and how many matches do not yet set it."""
    return {
        key: (Chem.MolFromSmarts(smarts), beyond)
        for key, (smarts, beyond) in _definitions.smartsPatts.items()
        if smarts != "?"
    }


def _aromatic_rings(mol: Chem.Mol) -> list[tuple[int, ...]]:
    info = mol.GetRingInfo()
    return [
        atoms
        for atoms, bonds in zip(info.AtomRings(), info.BondRings(), strict=True)
        if all(mol.GetBondWithIdx(bond).GetIsAromatic() for bond in bonds)
    ]
