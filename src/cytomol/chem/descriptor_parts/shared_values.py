"""All descriptors that share intermediate results, as one table of values."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator

from cytomol.chem.descriptor_parts import UNDEFINED, charge_parts, distance_indices, druglikeness
from cytomol.chem.descriptor_parts.atom_table import AtomTable, outer_electrons
from cytomol.chem.descriptor_parts.crippen_memory import contributions
from cytomol.chem.descriptor_parts.path_indices import path_indices
from cytomol.chem.descriptor_parts.rotatable_bonds import strict_rotatable_bonds
from cytomol.chem.descriptor_parts.spacial_score import spacial_score

__all__ = ["shared_values"]

_WIDEST = 3  # radius of the Morgan fingerprints whose density is a descriptor


def shared_values(mol: Chem.Mol, *, largest_for_ipc: int) -> dict[str, float]:
    """Return descriptors by RDKit's name; those that are left out are for RDKit's own functions.

    A group that cannot be computed is left out as a whole, and so is a molecule of fewer than two atoms.
    RDKit keeps results on the molecule, so this works on a copy.

    Examples
    --------
    >>> from rdkit import Chem
    >>> shared_values(Chem.MolFromSmiles("CCO"), largest_for_ipc=150)["NumValenceElectrons"]
    20
    """
    if mol.GetNumAtoms() < 2:
        return {}
    own = Chem.Mol(mol)
    table = AtomTable.of(own)
    surfaces = charge_parts.atom_surfaces(own)
    values: dict[str, float] = {}
    for group in (_electrons, _fingerprints, path_indices, partial(_chemistry, surfaces=surfaces)):
        try:
            values |= group(own, table)
        except UNDEFINED:
            continue
    return values | _distances(own, table, surfaces, largest_for_ipc)


def _electrons(_mol: Chem.Mol, table: AtomTable) -> dict[str, float]:
    outer = sum(map(outer_electrons, table.numbers))
    return {
        "NumValenceElectrons": outer - sum(table.charges) + sum(table.hydrogens),
        "NumRadicalElectrons": sum(table.radicals),
    }


@cache
def _generator() -> Any:
    return rdFingerprintGenerator.GetMorganGenerator(_WIDEST)


def _fingerprints(mol: Chem.Mol, _table: AtomTable) -> dict[str, float]:
    """Return the densities of Morgan fingerprints of radius 1 to 3, all from one of radius 3.

    A fingerprint of a smaller radius holds the surroundings of up to that radius, each counted once.
    """
    heavy = mol.GetNumHeavyAtoms()
    output = rdFingerprintGenerator.AdditionalOutput()
    output.AllocateAtomToBits()
    _generator().GetSparseCountFingerprint(mol, additionalOutput=output)
    of_atoms = output.GetAtomToBits()  # in the order of their radii, none left out before the last
    counts = [
        len({bit for bits in of_atoms for bit in bits[: radius + 1]}) for radius in range(1, _WIDEST + 1)
    ]
    return {
        f"FpDensityMorgan{radius}": float(count) / heavy if heavy else 0.0
        for radius, count in enumerate(counts, 1)
    }


def _chemistry(mol: Chem.Mol, table: AtomTable, *, surfaces: NDArray[np.float64]) -> dict[str, float]:
    """Return what rests on substructures, charges and Crippen's contributions."""
    searches = druglikeness.Searches(mol, table)
    charges, known, values = charge_parts.partial_charges(mol, table)
    values |= searches.fragments()
    values["SPS"] = spacial_score(mol, table)
    values["MolLogP"], values["MolMR"], crippen = contributions(mol, table)
    values |= charge_parts.surface_bins(surfaces, charges, crippen)
    if druglikeness.strict_is_usual():
        rotatable = strict_rotatable_bonds(mol, table)
        values["NumRotatableBonds"] = rotatable
        # QED and BCUT read the molecule without hydrogens, sanitized anew: mostly the same molecule
        if 1 not in table.numbers and table.same_as(Chem.RemoveHs(mol)):
            values["qed"] = druglikeness.qed(mol, table, searches, values["MolLogP"], rotatable)
            values |= charge_parts.bcut(mol, table, charges if known else None, crippen)
    return values


def _distances(
    mol: Chem.Mol, table: AtomTable, surfaces: NDArray[np.float64], largest_for_ipc: int
) -> dict[str, float]:
    lengths = Chem.GetDistanceMatrix(mol)
    values: dict[str, float] = {}
    weighted = distance_indices.bond_order_distances(mol)
    states = distance_indices.estate_indices(table, lengths)
    values |= charge_parts.estate_bins(surfaces, states)
    values["BalabanJ"] = distance_indices.balaban_j(table, weighted)
    values["BertzCT"] = distance_indices.bertz_ct(mol, table, weighted)
    if len(table.numbers) <= largest_for_ipc:
        values["Ipc"], values["AvgIpc"] = distance_indices.information_content(mol, lengths)
    return values
