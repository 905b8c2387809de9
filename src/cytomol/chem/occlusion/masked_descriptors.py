"""Descriptors of a molecule some of whose atoms have become dummies: bonded as before, of no element."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from cytomol.chem.descriptors import descriptors
from cytomol.chem.standardize import in_canonical_order

__all__ = ["masked_descriptors"]


def masked_descriptors(mol: Chem.Mol, masks: NDArray[np.bool_], *, canonical: bool) -> NDArray[np.float32]:
    """Return the descriptors of a molecule without its masked atoms.

    A masked atom becomes a dummy, which has no mass, charge, hydrogens, polar surface or lipophilicity, while
    rings and bonds stay. What has no value with dummies (partial charges) keeps that of the whole molecule.

    Parameters
    ----------
    mol
        Sanitized molecule.
    masks
        Masked atoms of each row, bool, shape (rows, atoms).
    canonical
        Read the atoms in canonical order, as features of canonical chirality are.

    Returns
    -------
    float32, shape (rows, descriptors).

    Examples
    --------
    >>> from cytomol.chem.descriptors import DESCRIPTOR_NAMES
    >>> ethanol = Chem.MolFromSmiles("CCO")
    >>> polar = DESCRIPTOR_NAMES.index("TPSA")
    >>> rows = masked_descriptors(ethanol, np.array([[0, 0, 0], [0, 0, 1]], bool), canonical=True)
    >>> [round(float(value), 2) for value in rows[:, polar]]
    [20.23, 0.0]
    """
    if canonical:
        mol, masks = _reordered(mol, masks)
    whole = descriptors(mol)
    rows = np.empty((len(masks), len(whole)), np.float32)
    for row, mask in enumerate(masks):
        rows[row] = descriptors(_with_dummies(mol, np.flatnonzero(mask))) if mask.any() else whole
    return np.where(np.isnan(rows), whole, rows)


def _reordered(mol: Chem.Mol, masks: NDArray[np.bool_]) -> tuple[Chem.Mol, NDArray[np.bool_]]:
    """Return the molecule in canonical order, with the masks in that order too."""
    again = in_canonical_order(mol)
    if again is mol:  # it did not survive being written
        return mol, masks
    order = [int(atom) for atom in mol.GetProp("_smilesAtomOutputOrder").strip("[],").split(",")]
    return again, masks[:, order]


def _with_dummies(mol: Chem.Mol, atoms: NDArray[np.int64]) -> Chem.Mol:
    editable: Any = Chem.RWMol(mol)
    editable.ClearComputedProps()  # RDKit keeps the polar surface of the whole molecule and others
    for place in atoms:
        atom = editable.GetAtomWithIdx(int(place))
        atom.SetAtomicNum(0)
        atom.SetFormalCharge(0)
        atom.SetIsotope(0)
        atom.SetNumExplicitHs(0)
        atom.SetNumRadicalElectrons(0)
        atom.SetNoImplicit(True)
    editable.UpdatePropertyCache(strict=False)
    Chem.GetSymmSSSR(editable)
    changed: Chem.Mol = editable.GetMol()
    return changed
