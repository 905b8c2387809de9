"""Partial charges, BCUT and surface bins: charges, Crippen's contributions and surfaces computed once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import MolSurf, rdMolDescriptors, rdPartialCharges
from rdkit.Chem.EState import EState_VSA

from cytomol.chem.descriptor_parts.atom_table import AtomTable

__all__ = ["atom_surfaces", "bcut", "estate_bins", "partial_charges", "surface_bins"]


def partial_charges(mol: Chem.Mol, table: AtomTable) -> tuple[list[float], bool, dict[str, float]]:
    """Return Gasteiger's charges, whether every atom has parameters, and the four descriptors of extremes."""
    known = True
    try:
        rdPartialCharges.ComputeGasteigerCharges(mol, throwOnParamFailure=True)
    except ValueError:  # an element without parameters: RDKit's charges are then not numbers
        known = False
        rdPartialCharges.ComputeGasteigerCharges(mol)
    charges = [atom.GetDoubleProp("_GasteigerCharge") for atom in table.atoms]
    low, high = 500.0, -500.0
    for charge in charges:  # order matters where a charge is not a number
        low = min(charge, low)
        high = max(charge, high)
    return (
        charges,
        known,
        {
            "MaxPartialCharge": high,
            "MinPartialCharge": low,
            "MaxAbsPartialCharge": max(abs(low), abs(high)),
            "MinAbsPartialCharge": min(abs(low), abs(high)),
        },
    )


def bcut(
    mol: Chem.Mol, table: AtomTable, charges: list[float] | None, crippen: Sequence[tuple[float, float]]
) -> dict[str, float]:
    """Return the eight BCUT2D values; all undefined without charges. Hydrogens must not be atoms."""
    names = [
        f"BCUT2D_{kind}" for kind in ("MWHI", "MWLOW", "CHGHI", "CHGLO", "LOGPHI", "LOGPLOW", "MRHI", "MRLOW")
    ]
    if charges is None or not table.plain:
        return dict.fromkeys(names, math.nan)
    columns = (
        list(map(_mass, table.numbers, table.isotopes)),
        charges,
        [logp for logp, _ in crippen],
        [refraction for _, refraction in crippen],
    )
    ends = [value for column in columns for value in rdMolDescriptors.BCUT2D(mol, column)]
    return dict(zip(names, ends, strict=True))


@cache
def _mass(number: int, isotope: int) -> float:
    atom = Chem.Atom(number)
    atom.SetIsotope(isotope)
    return atom.GetMass()


def surface_bins(
    surfaces: NDArray[np.float64], charges: list[float], crippen: Sequence[tuple[float, float]]
) -> dict[str, float]:
    """Return the bins of SMR_VSA, SlogP_VSA and PEOE_VSA from each atom's surface and contributions."""
    logp, refraction = np.array(crippen, dtype=np.float64).reshape(-1, 2).T
    return (
        _bins("PEOE_VSA", np.array(charges, dtype=np.float64), surfaces)
        | _bins("SMR_VSA", refraction, surfaces)
        | _bins("SlogP_VSA", logp, surfaces)
    )


def atom_surfaces(mol: Chem.Mol) -> NDArray[np.float64]:
    """Return Labute's approximate surface of each atom."""
    found = rdMolDescriptors._CalcLabuteASAContribs(mol, True)[0]
    return np.array([found[i] for i in range(mol.GetNumAtoms())])  # RDKit's own iterator is slow


@cache
def _limits(name: str) -> tuple[NDArray[np.float64], list[str]]:
    """Return the limits between the bins of a family of descriptors, and the bins' names."""
    limits = {
        "PEOE_VSA": MolSurf.chgBins,
        "SMR_VSA": MolSurf.mrBins,
        "SlogP_VSA": MolSurf.logpBins,
        "EState_VSA": EState_VSA.estateBins,
        "VSA_EState": EState_VSA.vsaBins,
    }[name]
    return np.array(limits, dtype=np.float64), [f"{name}{i + 1}" for i in range(len(limits) + 1)]


def _bins(name: str, by: NDArray[np.float64], what: NDArray[np.float64]) -> dict[str, float]:
    """Add up one property in bins of another, atom after atom."""
    limits, names = _limits(name)
    row = np.bincount(limits.searchsorted(by, side="right"), weights=what, minlength=len(names))
    return dict(zip(names, row.tolist(), strict=True))


def estate_bins(surfaces: NDArray[np.float64], indices: NDArray[np.float64]) -> dict[str, float]:
    """Return extremes of the E-state indices and the bins of EState_VSA and VSA_EState."""
    states = indices.tolist()
    sizes = [abs(x) for x in states]
    values = {
        "MaxEStateIndex": max(states),
        "MinEStateIndex": min(states),
        "MaxAbsEStateIndex": max(sizes),
        "MinAbsEStateIndex": min(sizes),
    }
    return values | _bins("EState_VSA", indices, surfaces) | _bins("VSA_EState", surfaces, indices)
