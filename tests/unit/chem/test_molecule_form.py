"""RDKit's binary form is read as its makers wrote it."""

from __future__ import annotations

import numpy as np
from rdkit import Chem

from cytomol.chem.molecule_form import ATOM_COLUMNS, BOND_COLUMNS, read_form


def read(form: bytes, atoms: int, bonds: int) -> tuple[bool, list[dict[str, int]], list[dict[str, int]]]:
    of_atoms = np.empty((atoms, len(ATOM_COLUMNS)), np.int32)
    of_bonds = np.empty((bonds, len(BOND_COLUMNS)), np.int32)
    known = read_form(np.frombuffer(form, dtype=np.uint8), of_atoms, of_bonds)
    return (
        known,
        [dict(zip(ATOM_COLUMNS, row, strict=True)) for row in of_atoms.tolist()],
        [dict(zip(BOND_COLUMNS, row, strict=True)) for row in of_bonds.tolist()],
    )


def test_every_column_of_a_small_molecule() -> None:
    mol = Chem.MolFromSmiles("[13CH2]/C=C/C1C[NH2+]1")
    known, atoms, bonds = read(mol.ToBinary(0), 6, 6)
    assert known
    assert [atom["number"] for atom in atoms] == [6, 6, 6, 6, 6, 7]
    assert [atom["isotope"] for atom in atoms] == [13, 0, 0, 0, 0, 0]
    assert [atom["radicals"] for atom in atoms] == [1, 0, 0, 0, 0, 0]
    assert [atom["hydrogens"] for atom in atoms] == [2, 1, 1, 1, 2, 2]
    assert [atom["charge"] for atom in atoms] == [0, 0, 0, 0, 0, 1]
    assert [atom["valence"] for atom in atoms] == [3, 4, 4, 4, 4, 4]
    assert [atom["rings"] for atom in atoms] == [0, 0, 0, 1, 1, 1]
    assert [bond["type"] for bond in bonds] == [1, 2, 1, 1, 1, 1]
    assert [bond["in_ring"] for bond in bonds] == [0, 0, 0, 1, 1, 1]
    assert [bool(bond["stereo"]) for bond in bonds] == [False, True, False, False, False, False]


def test_more_atoms_than_the_form_has_are_refused() -> None:
    assert not read(Chem.MolFromSmiles("CC").ToBinary(0), 3, 1)[0]
