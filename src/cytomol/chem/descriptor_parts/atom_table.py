"""What the shared descriptors read of a molecule, taken from RDKit once.

To ask RDKit for each number of each atom costs as much as a whole descriptor, so they are read from its
binary form of the molecule in one go (`cytomol.chem.molecule_form`), and one by one where that form is not
known. The first use compares both ways on molecules that have every field.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from cytomol.chem.molecule_form import ATOM_COLUMNS, BOND_COLUMNS, read_form

__all__ = ["AROMATIC", "DOUBLE", "SINGLE", "TRIPLE", "AtomTable", "outer_electrons"]

SINGLE, DOUBLE, TRIPLE, AROMATIC = (
    int(kind)
    for kind in (Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE, Chem.BondType.AROMATIC)
)
_PLAIN = frozenset({SINGLE, DOUBLE, TRIPLE, AROMATIC})
_NO_PROPERTIES = int(Chem.PropertyPickleOptions.NoProps)
_PROBES = (
    "C[C@H](F)/C=C/[C@@H](O)C#N",
    "c1ccc2[nH]ccc2c1.[Na+].[Cl-]",
    "*C([2H])[13CH2:7][CH2]",
    "F[P-](F)(F)(F)(F)F",
    "[NH3]->[Fe+2].[U+6].[H][H]",
    "C1CC2CCC1CC2.C1C2CC12",
    "[O-][N+](=O)c1ccccc1S(=O)(=O)N",
    "C" * 300 + "/C=C\\C1CC1",
)


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
    mol, form
        The molecule, and RDKit's binary form of it without properties.
    numbers, hydrogens, charges, radicals, isotopes
        Atomic number, implicit and explicit hydrogens that are no atoms, formal charge, unpaired electrons
        and isotope of each atom.
    valences, hybridizations, rings
        Total valence, RDKit's hybridization as a number, and rings of each atom.
    aromatic
        Whether each atom is aromatic.
    ends, orders
        First and second atom, and RDKit's type as a number, of each bond.
    aromatic_bonds, in_ring, stereo
        Whether each bond is aromatic and in a ring, and RDKit's kind of stereo as a number.

    Examples
    --------
    >>> from rdkit import Chem
    >>> AtomTable.of(Chem.MolFromSmiles("CO")).hydrogens
    [3, 1]
    """

    mol: Chem.Mol = field(repr=False, compare=False)
    form: bytes = field(repr=False, compare=False)
    numbers: list[int]
    hydrogens: list[int]
    charges: list[int]
    valences: list[int]
    radicals: list[int]
    hybridizations: list[int]
    aromatic: list[bool]
    rings: list[int]
    isotopes: list[int]
    ends: list[tuple[int, int]]
    orders: list[int]
    stereo: list[int]
    aromatic_bonds: list[bool]
    in_ring: list[bool]

    @classmethod
    def of(cls, mol: Chem.Mol) -> AtomTable:
        """Read a molecule."""
        table = cls._from_form(mol) if _form_is_known() else None
        return cls._one_by_one(mol) if table is None else table

    @classmethod
    def _from_form(cls, mol: Chem.Mol) -> AtomTable | None:
        form = mol.ToBinary(_NO_PROPERTIES)
        atoms = np.empty((mol.GetNumAtoms(), len(ATOM_COLUMNS)), dtype=np.int32)
        bonds = np.empty((mol.GetNumBonds(), len(BOND_COLUMNS)), dtype=np.int32)
        if not read_form(np.frombuffer(form, dtype=np.uint8), atoms, bonds):
            return None
        numbers, _, hydrogens, charges, valences, radicals, hybrids, aromatic, rings, isotopes = (
            atoms.T.tolist()
        )
        begin, end, orders, stereo, _, aromatic_bonds, in_ring = bonds.T.tolist()
        ends = list(zip(begin, end, strict=True))
        return cls(
            *(mol, form, numbers, hydrogens, charges, valences, radicals, hybrids, list(map(bool, aromatic))),
            *(rings, isotopes, ends, orders, stereo),
            *(list(map(bool, aromatic_bonds)), list(map(bool, in_ring))),
        )

    @classmethod
    def _one_by_one(cls, mol: Chem.Mol) -> AtomTable:
        atoms = [mol.GetAtomWithIdx(i) for i in range(mol.GetNumAtoms())]
        bonds = [mol.GetBondWithIdx(k) for k in range(mol.GetNumBonds())]
        info = mol.GetRingInfo()
        return cls(
            mol=mol,
            form=mol.ToBinary(_NO_PROPERTIES),
            numbers=[atom.GetAtomicNum() for atom in atoms],
            hydrogens=[atom.GetTotalNumHs() for atom in atoms],
            charges=[atom.GetFormalCharge() for atom in atoms],
            valences=[atom.GetTotalValence() for atom in atoms],
            radicals=[atom.GetNumRadicalElectrons() for atom in atoms],
            hybridizations=[int(atom.GetHybridization()) for atom in atoms],
            aromatic=[atom.GetIsAromatic() for atom in atoms],
            rings=[info.NumAtomRings(i) for i in range(len(atoms))],
            isotopes=[atom.GetIsotope() for atom in atoms],
            ends=[(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in bonds],
            orders=[int(bond.GetBondType()) for bond in bonds],
            stereo=[int(bond.GetStereo()) for bond in bonds],
            aromatic_bonds=[bond.GetIsAromatic() for bond in bonds],
            in_ring=[bond.IsInRing() for bond in bonds],
        )

    @cached_property
    def atoms(self) -> list[Chem.Atom]:
        """RDKit's atoms, in order."""
        return [self.mol.GetAtomWithIdx(i) for i in range(len(self.numbers))]

    @cached_property
    def plain(self) -> bool:
        """Whether every bond is single, double, triple or aromatic."""
        return _PLAIN.issuperset(self.orders)

    @cached_property
    def end_rows(self) -> NDArray[np.int64]:
        """First and second atom of each bond, int64, shape (bonds, 2)."""
        return np.array(self.ends, dtype=np.int64).reshape(-1, 2)

    @cached_property
    def degrees(self) -> list[int]:
        """Bonds of each atom."""
        return [len(beside) for beside in self.neighbours]

    @cached_property
    def neighbours(self) -> list[list[tuple[int, int]]]:
        """Type of bond and other atom of each bond of each atom, in the order of the bonds."""
        beside: list[list[tuple[int, int]]] = [[] for _ in self.numbers]
        for (a, b), order in zip(self.ends, self.orders, strict=True):
            beside[a].append((order, b))
            beside[b].append((order, a))
        return beside

    @cached_property
    def ring_neighbours(self) -> set[tuple[int, int]]:
        """Pairs of atoms, either way round, whose bond is in a ring."""
        closed = [ends for ends, in_ring in zip(self.ends, self.in_ring, strict=True) if in_ring]
        return {*closed, *((b, a) for a, b in closed)}

    def same_as(self, other: Chem.Mol) -> bool:
        """Tell whether RDKit would write another molecule as it writes this one, properties aside."""
        return bool(other.ToBinary(_NO_PROPERTIES) == self.form)


@cache
def _form_is_known() -> bool:
    """Tell whether both ways of reading agree on the probes."""
    block = rdBase.BlockLogs()
    try:
        mols = [Chem.MolFromSmiles(smiles) for smiles in _PROBES]
    finally:
        del block
    return all(AtomTable._from_form(mol) == AtomTable._one_by_one(mol) for mol in mols)
