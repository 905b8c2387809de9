"""What the shared descriptors read of a molecule, taken from RDKit once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from rdkit import Chem

__all__ = ["AtomTable", "outer_electrons"]

_PLAIN = frozenset({Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE, Chem.BondType.AROMATIC})


@cache
def outer_electrons(number: int) -> int:
    """Return the outer electrons of an element.

    Examples
    --------
    >>> outer_electrons(6)
    4
    """
    return int(Chem.GetPeriodicTable().GetNOuterElecs(number))


@dataclass(frozen=True)
class AtomTable:
    """Atoms and bonds of a molecule, read once.

    Attributes
    ----------
    atoms, bonds
        RDKit's objects, in order.
    numbers, hydrogens, charges, degrees
        Atomic number, implicit and explicit hydrogens that are no atoms, formal charge, bonds of each atom.
    aromatic
        Whether each atom is aromatic.
    ends, orders
        First and second atom, and RDKit's type as a number, of each bond.
    plain
        Whether every bond is single, double, triple or aromatic.

    Examples
    --------
    >>> from rdkit import Chem
    >>> AtomTable.of(Chem.MolFromSmiles("CO")).hydrogens
    [3, 1]
    """

    atoms: list[Chem.Atom]
    bonds: list[Chem.Bond]
    numbers: list[int]
    hydrogens: list[int]
    charges: list[int]
    degrees: list[int]
    aromatic: list[bool]
    ends: list[tuple[int, int]]
    orders: list[int]
    plain: bool

    @classmethod
    def of(cls, mol: Chem.Mol) -> AtomTable:
        """Read a molecule."""
        atoms = [mol.GetAtomWithIdx(i) for i in range(mol.GetNumAtoms())]
        bonds = [mol.GetBondWithIdx(k) for k in range(mol.GetNumBonds())]
        ends = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in bonds]
        orders = [int(bond.GetBondType()) for bond in bonds]
        degrees = [0] * len(atoms)
        for a, b in ends:
            degrees[a] += 1
            degrees[b] += 1
        return cls(
            atoms,
            bonds,
            [atom.GetAtomicNum() for atom in atoms],
            [atom.GetTotalNumHs() for atom in atoms],
            [atom.GetFormalCharge() for atom in atoms],
            degrees,
            [atom.GetIsAromatic() for atom in atoms],
            ends,
            orders,
            _PLAIN.issuperset(orders),
        )
