"""Partial charges, BCUT and surface bins: charges, Crippen's contributions and surfaces computed once."""

from __future__ import annotations

import math
from collections.abc import Sequence

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
        [atom.GetMass() for atom in table.atoms],
        charges,
        [logp for logp, _ in crippen],
        [refraction for _, refraction in crippen],
    )
    ends = [value for column in columns for value in rdMolDescriptors.BCUT2D(mol, column)]
    return dict(zip(names, ends, strict=True))


def surface_bins(
    mol: Chem.Mol, surfaces: NDArray[np.float64], crippen: Sequence[tuple[float, float]]
) -> dict[str, float]:
    """Return the bins of SMR_VSA, SlogP_VSA and PEOE_VSA from each atom's surface and contributions."""
    logp, refraction = np.array(crippen, dtype=np.float64).reshape(-1, 2).T
    values = {f"PEOE_VSA{i + 1}": value for i, value in enumerate(rdMolDescriptors.PEOE_VSA_(mol))}
    return (
        values
        | _bins("SMR_VSA", MolSurf.mrBins, refraction, surfaces)
        | _bins("SlogP_VSA", MolSurf.logpBins, logp, surfaces)
    )


def atom_surfaces(mol: Chem.Mol) -> NDArray[np.float64]:
    """Return Labute's approximate surface of each atom."""
    return np.array(list(rdMolDescriptors._CalcLabuteASAContribs(mol, True)[0]))


def _bins(
    name: str, limits: Sequence[float], by: NDArray[np.float64], what: NDArray[np.float64]
) -> dict[str, float]:
    """Add up one property in bins of another, atom after atom."""
    places = np.searchsorted(limits, by, side="right")
    row = np.bincount(places, weights=what, minlength=len(limits) + 1)
    return {f"{name}{i + 1}": value for i, value in enumerate(row.tolist())}


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
    return (
        values
        | _bins("EState_VSA", EState_VSA.estateBins, indices, surfaces)
        | _bins("VSA_EState", EState_VSA.vsaBins, surfaces, indices)
    )
