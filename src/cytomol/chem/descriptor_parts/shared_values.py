"""All descriptors that share intermediate results, as one table of values."""

from __future__ import annotations

from functools import cache
from typing import Any

from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator, rdMolDescriptors

from cytomol.chem.descriptor_parts import charge_parts, distance_indices, druglikeness
from cytomol.chem.descriptor_parts.atom_table import AtomTable, outer_electrons
from cytomol.chem.descriptor_parts.crippen_memory import contributions
from cytomol.chem.descriptor_parts.path_indices import path_indices

__all__ = ["UNDEFINED", "shared_values"]

_BARE = int(Chem.PropertyPickleOptions.NoProps)
UNDEFINED = (ArithmeticError, ValueError, RuntimeError, TypeError, IndexError, KeyError)
"""What RDKit raises where a molecule has no such value (no atoms of a kind, no charges, no bonds)."""


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
    values: dict[str, float] = {}
    for group in (_electrons, _fingerprints, path_indices, _chemistry):
        try:
            values |= group(own, table)
        except UNDEFINED:
            continue
    return values | _distances(own, table, largest_for_ipc)


def _electrons(_mol: Chem.Mol, table: AtomTable) -> dict[str, float]:
    outer = sum(map(outer_electrons, table.numbers))
    return {
        "NumValenceElectrons": outer - sum(table.charges) + sum(table.hydrogens),
        "NumRadicalElectrons": sum(atom.GetNumRadicalElectrons() for atom in table.atoms),
    }


@cache
def _generators() -> tuple[Any, ...]:
    return tuple(rdFingerprintGenerator.GetMorganGenerator(radius) for radius in (1, 2, 3))


def _fingerprints(mol: Chem.Mol, _table: AtomTable) -> dict[str, float]:
    heavy = mol.GetNumHeavyAtoms()
    return {
        f"FpDensityMorgan{radius}": (
            float(len(generator.GetSparseCountFingerprint(mol).GetNonzeroElements())) / heavy
            if heavy
            else 0.0
        )
        for radius, generator in enumerate(_generators(), 1)
    }


def _chemistry(mol: Chem.Mol, table: AtomTable) -> dict[str, float]:
    """Return what rests on substructures, charges and Crippen's contributions."""
    searches = druglikeness.Searches(mol, table)
    charges, known, values = charge_parts.partial_charges(mol, table)
    values |= searches.fragments()
    values["SPS"] = druglikeness.spacial_score(mol, table)
    values["MolLogP"], values["MolMR"], crippen = contributions(mol, table)
    values |= charge_parts.surface_bins(mol, charge_parts.atom_surfaces(mol), crippen)
    if druglikeness.strict_is_usual():
        values["NumRotatableBonds"] = rdMolDescriptors.CalcNumRotatableBonds(mol)
        # QED and BCUT read the molecule without hydrogens, sanitized anew: mostly the same molecule
        if 1 not in table.numbers and Chem.RemoveHs(mol).ToBinary(_BARE) == mol.ToBinary(_BARE):
            rotatable = int(values["NumRotatableBonds"])
            values["qed"] = druglikeness.qed(mol, searches, values["MolLogP"], rotatable)
            values |= charge_parts.bcut(mol, table, charges if known else None, crippen)
    return values


def _distances(mol: Chem.Mol, table: AtomTable, largest_for_ipc: int) -> dict[str, float]:
    lengths = Chem.GetDistanceMatrix(mol)
    values: dict[str, float] = {}
    weighted = distance_indices.bond_order_distances(mol)
    states = distance_indices.estate_indices(table, lengths)
    values |= charge_parts.estate_bins(charge_parts.atom_surfaces(mol), states)
    values["BalabanJ"] = distance_indices.balaban_j(table, weighted)
    values["BertzCT"] = distance_indices.bertz_ct(mol, table, weighted)
    if len(table.numbers) <= largest_for_ipc:
        values["Ipc"], values["AvgIpc"] = distance_indices.information_content(mol, lengths)
    return values
