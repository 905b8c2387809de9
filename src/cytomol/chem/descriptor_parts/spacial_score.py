"""The spacial score, with RDKit's search for stereo only where there may be any.

The definition (terms and weights) is RDKit's ``SpacialScore``.
"""

from __future__ import annotations

from typing import Any

from rdkit import Chem
from rdkit.Chem import rdmolops

from cytomol.chem.descriptor_parts.atom_table import DOUBLE, AtomTable

__all__ = ["may_have_centres", "spacial_score"]

_chem: Any = Chem
_WEIGHT = {
    int(kind): weight
    for weight, kind in enumerate(
        (Chem.HybridizationType.SP, Chem.HybridizationType.SP2, Chem.HybridizationType.SP3), 1
    )
}
_NO_STEREO = Chem.BondStereo.STEREONONE
_CARBON, _NITROGEN, _OXYGEN, _SULFUR = 6, 7, 8, 16
_LEAVES = frozenset({_CARBON, _NITROGEN, _OXYGEN, 9, _SULFUR, 17, 35, 53})


def spacial_score(mol: Chem.Mol, table: AtomTable) -> float:
    """Return the spacial score by heavy atom (Krzyzanowski et al., J. Med. Chem. 2023).

    Examples
    --------
    >>> from rdkit import Chem
    >>> mol = Chem.MolFromSmiles("CC")
    >>> spacial_score(mol, AtomTable.of(mol))
    3.0
    """
    stereo = _stereo_atoms(mol, table)
    score = 0
    for i, (kind, degree, rings, aromatic) in enumerate(
        zip(table.hybridizations, table.degrees, table.rings, table.aromatic, strict=True)
    ):
        ring = 2 if rings and not aromatic else 1
        score += _WEIGHT.get(kind, 4) * (1 + (i in stereo)) * ring * degree**2
    return score / mol.GetNumHeavyAtoms()


def _stereo_atoms(mol: Chem.Mol, table: AtomTable) -> set[int]:
    """Return stereo centres and the ends of stereo double bonds, marked in the input or not."""
    double = [
        k
        for k, (order, (a, b)) in enumerate(zip(table.orders, table.ends, strict=True))
        if order == DOUBLE and ((table.degrees[a] > 1 and table.degrees[b] > 1) or table.stereo[k])
    ]
    centres = may_have_centres(table)
    if not double and not centres:
        return set()
    own = Chem.Mol(mol)
    rdmolops.FindPotentialStereoBonds(own)
    stereo = set()
    if centres:
        found = _chem.FindMolChiralCenters(
            own, includeUnassigned=True, includeCIP=False, useLegacyImplementation=False
        )
        stereo = {atom for atom, _ in found}
    for k in double:
        if own.GetBondWithIdx(k).GetStereo() != _NO_STEREO:
            stereo.update(table.ends[k])
    return stereo


def may_have_centres(table: AtomTable) -> bool:
    """Return False where no atom can be a tetrahedral centre, so that a search for them finds none.

    A carbon needs four partners, one of them a hydrogen at most; a nitrogen four, or three of which two
    share a ring of three with it or all are in rings. Two partners that are alike and have no other bond
    make an atom none. Elements other than C, N, O and S are left to the search.

    Examples
    --------
    >>> from rdkit import Chem
    >>> may_have_centres(AtomTable.of(Chem.MolFromSmiles("CC(C)(C)c1ccccc1")))
    False
    """
    return any(
        degree > 1 and _may_be_centre(table, i, number, degree)
        for i, (number, degree) in enumerate(zip(table.numbers, table.degrees, strict=True))
        if number != _CARBON or degree > 2
    )


def _may_be_centre(table: AtomTable, atom: int, number: int, degree: int) -> bool:
    hydrogens = table.hydrogens[atom]
    if number == _CARBON:
        possible = hydrogens < 2 and degree + hydrogens > 3
    elif number == _NITROGEN:
        flat = degree == 3 and hydrogens == 0 and table.rings[atom] < 2
        possible = degree > 2 and (not flat or table.mol.GetAtomWithIdx(atom).IsInRingSize(3))
    elif number in {_OXYGEN, _SULFUR}:
        possible = degree > 2
    else:
        return True
    return possible and not _has_twins(table, atom)


def _has_twins(table: AtomTable, atom: int) -> bool:
    """Tell whether two partners of an atom are alike and have no other bond."""
    seen = set()
    for order, other in table.neighbours[atom]:
        if table.degrees[other] == 1 and table.numbers[other] in _LEAVES:
            key = (
                order,
                table.numbers[other],
                table.hydrogens[other],
                table.charges[other],
                table.isotopes[other],
                table.mol.GetAtomWithIdx(other).GetAtomMapNum(),
            )
            if key in seen:
                return True
            seen.add(key)
    return False
