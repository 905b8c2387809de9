"""Partial charges, BCUT and surface bins: charges, Crippen's contributions and surfaces computed once."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors, rdPartialCharges
from rdkit.Chem.EState import EState_VSA

from cytomol.chem.descriptor_parts.atom_table import AtomTable

__all__ = ["bcut", "estate_bins", "partial_charges", "surface_bins"]

_BCUT = ("MW", "CHG", "LOGP", "MR")


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


def bcut(mol: Chem.Mol, table: AtomTable, charges: list[float] | None) -> dict[str, float]:
    """Return the eight BCUT2D values; all undefined without charges. Hydrogens must not be atoms."""
    names = [
        f"BCUT2D_{kind}" for kind in ("MWHI", "MWLOW", "CHGHI", "CHGLO", "LOGPHI", "LOGPLOW", "MRHI", "MRLOW")
    ]
    if charges is None or not table.plain:
        return dict.fromkeys(names, math.nan)
    contributions = rdMolDescriptors._CalcCrippenContribs(mol)
    columns = (
        [atom.GetMass() for atom in table.atoms],
        charges,
        [logp for logp, _ in contributions],
        [refraction for _, refraction in contributions],
    )
    ends = [value for column in columns for value in rdMolDescriptors.BCUT2D(mol, column)]
    return dict(zip(names, ends, strict=True))


def surface_bins(mol: Chem.Mol) -> dict[str, float]:
    """Return the bins of SMR_VSA, SlogP_VSA and PEOE_VSA; RDKit keeps contributions on the molecule."""
    made = {
        "SMR_VSA": rdMolDescriptors.SMR_VSA_(mol),
        "SlogP_VSA": rdMolDescriptors.SlogP_VSA_(mol),
        "PEOE_VSA": rdMolDescriptors.PEOE_VSA_(mol),
    }
    return {f"{name}{i + 1}": value for name, row in made.items() for i, value in enumerate(row)}


def estate_bins(mol: Chem.Mol, indices: NDArray[np.float64]) -> dict[str, float]:
    """Return extremes of the E-state indices and the bins of EState_VSA and VSA_EState."""
    surfaces = np.array(list(rdMolDescriptors._CalcLabuteASAContribs(mol, True)[0]))
    states = indices.tolist()
    sizes = [abs(x) for x in states]
    values = {
        "MaxEStateIndex": max(states),
        "MinEStateIndex": min(states),
        "MaxAbsEStateIndex": max(sizes),
        "MinAbsEStateIndex": min(sizes),
    }
    for name, bins, by, what in (
        ("EState_VSA", EState_VSA.estateBins, indices, surfaces),
        ("VSA_EState", EState_VSA.vsaBins, surfaces, indices),
    ):
        places = np.searchsorted(bins, by, side="right")
        row = np.bincount(places, weights=what, minlength=len(bins) + 1)
        values |= {f"{name}{i + 1}": value for i, value in enumerate(row.tolist())}
    return values
