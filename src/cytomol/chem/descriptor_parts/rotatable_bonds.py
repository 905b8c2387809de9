"""Rotatable bonds by RDKit's strict definition, read from the table of atoms.

RDKit copies a long pattern for every molecule it counts in. What the pattern says fits into a few lines
(``Lipinski.cpp``): a single bond outside of rings between atoms that are not the last of a chain, have no
triple bond, are no CF3, CCl3, CBr3 or tert-butyl carbon, and are not the two sides of an amide, ester or
the like. RDKit gives its definition a version; for one that is not known here RDKit itself is asked.
"""

from __future__ import annotations

from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from cytomol.chem.descriptor_parts.atom_table import AROMATIC, DOUBLE, SINGLE, TRIPLE, AtomTable

__all__ = ["rotatable_bonds", "strict_rotatable_bonds"]

_STRICT = rdMolDescriptors.NumRotatableBondsOptions.Strict
_KNOWN = {"3.1.0": False, "3.2.0": True}  # version: whether a methyl group of several bonds is left out
_VERSION = getattr(rdMolDescriptors, "_CalcNumRotatableBonds_version", "")
_MOST = 1000  # matches that RDKit looks for
_CARBON, _NITROGEN, _OXYGEN, _SULFUR = 6, 7, 8, 16
_TRIPLED = (9, 17, 35)  # fluorine, chlorine, bromine


def strict_rotatable_bonds(mol: Chem.Mol, table: AtomTable) -> int:
    """Return what ``CalcNumRotatableBonds(mol, Strict)`` returns.

    Examples
    --------
    >>> from rdkit import Chem
    >>> mol = Chem.MolFromSmiles("CCCC(=O)NC")
    >>> strict_rotatable_bonds(mol, AtomTable.of(mol))
    2
    """
    if _VERSION not in _KNOWN or 1 in table.numbers or len(table.ends) > _MOST:
        return rdMolDescriptors.CalcNumRotatableBonds(mol, _STRICT)
    return rotatable_bonds(table, methyl_is_an_end=_KNOWN[_VERSION])


def rotatable_bonds(table: AtomTable, *, methyl_is_an_end: bool) -> int:
    """Count rotatable bonds of a molecule whose hydrogens are not atoms."""
    count = 0
    for (a, b), order, in_ring in zip(table.ends, table.orders, table.in_ring, strict=True):
        if in_ring or order not in (SINGLE, AROMATIC):
            continue
        if _is_an_end(table, a, methyl_is_an_end) or _is_an_end(table, b, methyl_is_an_end):
            continue
        count += not (_is_stiff(table, a) and _is_stiff(table, b))
    return count


def _is_an_end(table: AtomTable, atom: int, methyl_is_an_end: bool) -> bool:
    """Tell whether no bond of an atom counts, whatever is on its other side."""
    if table.degrees[atom] == 1:
        return True
    beside = table.neighbours[atom]
    if any(order == TRIPLE for order, _ in beside):
        return True
    if table.numbers[atom] != _CARBON or table.aromatic[atom]:
        return False
    if methyl_is_an_end and table.hydrogens[atom] == 3:
        return True
    if len(beside) < 3:
        return False
    joined = [other for order, other in beside if order in (SINGLE, AROMATIC) and not table.aromatic[other]]
    kinds = [table.numbers[other] for other in joined]
    methyls = sum(table.numbers[other] == _CARBON and table.hydrogens[other] == 3 for other in joined)
    return methyls >= 3 or any(kinds.count(kind) >= 3 for kind in _TRIPLED)


def _is_stiff(table: AtomTable, atom: int) -> bool:
    """Tell whether an atom is one side of an amide, ester or the like: it needs a partner that is not."""
    closed = table.ring_neighbours
    outside = [
        other for order, other in table.neighbours[atom] if order == SINGLE and (atom, other) not in closed
    ]
    if _is_acyl(table, atom) and any(_is_hetero(table, other) for other in outside):
        return True
    return _is_hetero(table, atom) and any(_is_acyl(table, other) for other in outside)


def _is_acyl(table: AtomTable, atom: int) -> bool:
    """Tell aliphatic carbons of three bonds, one of them double to N, O or S that is not aromatic."""
    return (
        table.numbers[atom] == _CARBON
        and not table.aromatic[atom]
        and table.degrees[atom] == 3
        and any(
            order == DOUBLE
            and table.numbers[other] in (_NITROGEN, _OXYGEN, _SULFUR)
            and not table.aromatic[other]
            for order, other in table.neighbours[atom]
        )
    )


def _is_hetero(table: AtomTable, atom: int) -> bool:
    """Tell nitrogen, aliphatic oxygen, and aliphatic sulfur of more than one bond."""
    number = table.numbers[atom]
    if number == _NITROGEN:
        return True
    if table.aromatic[atom]:
        return False
    return number == _OXYGEN or (number == _SULFUR and table.degrees[atom] != 1)
