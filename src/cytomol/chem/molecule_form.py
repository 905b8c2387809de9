"""What RDKit's binary form of a molecule says of its atoms and bonds, as numbers.

Layout (RDKit, ``Code/GraphMol/MolPickler.cpp``, form 16, little-endian): a head of seven int32 (mark, tag,
three version numbers, atoms, bonds) and a byte; the tag BEGINATOM; atoms; the tag BEGINBOND; bonds; a tag
of the kind of ring set; rings. Atom numbers are bytes in molecules of up to 255 atoms, else int32. A field
that has its usual value is absent, and a bit of the flags says so.
"""

from __future__ import annotations

import numba
import numpy as np
from rdkit import Chem

__all__ = [
    "ATOMS_AT",
    "ATOM_COLUMNS",
    "BONDS_AT",
    "BOND_COLUMNS",
    "int32_at",
    "read_form",
]

ATOMS_AT, BONDS_AT = 20, 24
"""Where the head has the numbers of atoms and bonds."""

ATOM_COLUMNS = (
    *("number", "chirality", "hydrogens", "charge", "valence"),
    *("radicals", "hybridization", "aromatic", "rings", "isotope"),
)
"""What `read_form` says of an atom, in order; hydrogens are those that are no atoms."""

BOND_COLUMNS = ("begin", "end", "type", "stereo", "conjugated", "aromatic", "in_ring")
"""What `read_form` says of a bond, in order."""

_HEAD = 29  # bytes before the tag BEGINATOM
_MARK = 0xDEADBEEF
_BEGINATOM, _BEGINBOND, _BEGINRINGS = 1, 11, 66
_MAP_NUMBER, _DUMMY_LABEL = 24, 44
_LARGEST_BYTE_MAP = 127
_SP3 = int(Chem.HybridizationType.SP3)
_SINGLE = int(Chem.BondType.SINGLE)


@numba.njit(cache=True, inline="always")
def int32_at(data, at):  # type: ignore[no-untyped-def]
    """Return the whole number of four bytes at a place."""
    return (
        np.int64(data[at])
        | np.int64(data[at + 1]) << 8
        | np.int64(data[at + 2]) << 16
        | np.int64(data[at + 3]) << 24
    )


@numba.njit(cache=True)
def read_form(form, atoms, bonds):  # type: ignore[no-untyped-def]
    """Fill tables of atoms and bonds from one molecule's binary form.

    Parameters
    ----------
    form
        uint8.
    atoms, bonds
        Written: int32, shapes (atoms, 10) and (bonds, 7), columns as in `ATOM_COLUMNS` and `BOND_COLUMNS`.

    Returns
    -------
    bool
        False where the form holds something unknown; the tables are then undefined.
    """
    n, size = len(atoms), len(form)
    if size < _HEAD + 1 or int32_at(form, 0) != _MARK or form[_HEAD] != _BEGINATOM:
        return False
    at = _read_atoms(form, _HEAD + 1, atoms)
    if at < 0 or at >= size or form[at] != _BEGINBOND:
        return False
    wide = n > 255
    at = _read_bonds(form, at + 1, n, wide, bonds)
    if at < 0 or at + 5 > size or form[at] != _BEGINRINGS:
        return False
    return _read_rings(form, at + 1, wide, atoms, bonds)


@numba.njit(cache=True)
def _read_atoms(form, at, atoms):  # type: ignore[no-untyped-def]  # noqa: PLR0912
    size = len(form)
    for j in range(len(atoms)):
        if at + 20 > size:
            return -1
        number, flags = form[at], form[at + 1]
        if flags & 0b10010011:  # coordinates, a query, a residue, something new
            return -1
        fields = int32_at(form, at + 2)
        if fields & ~np.int64(0b111111110):
            return -1
        at += 6
        charge = chirality = explicit = implicit = valence = radicals = isotope = np.int64(0)
        hybridization = np.int64(_SP3)
        if fields & 2:
            charge = np.int64(np.int8(form[at]))
            at += 1
        if fields & 4:
            chirality = np.int64(form[at])
            at += 1
        if fields & 8:
            hybridization = np.int64(form[at])
            at += 1
        if fields & 16:
            explicit = np.int64(form[at])
            at += 1
        if fields & 32:
            valence = np.int64(form[at])
            at += 1
        if fields & 64:
            implicit = np.int64(form[at])
            at += 1
        if fields & 128:
            radicals = np.int64(form[at])
            at += 1
        if fields & 256:
            isotope = int32_at(form, at)
            at += 4
        at = _skip_labels(form, at, flags)
        if at < 0:
            return -1
        atoms[j, 0] = number
        atoms[j, 1] = chirality
        atoms[j, 2] = min(255, explicit + implicit)
        atoms[j, 3] = charge
        atoms[j, 4] = valence + implicit
        atoms[j, 5] = radicals
        atoms[j, 6] = hybridization
        atoms[j, 7] = 1 if flags & 64 else 0
        atoms[j, 8] = 0
        atoms[j, 9] = isotope
    return at


@numba.njit(cache=True)
def _skip_labels(form, at, flags):  # type: ignore[no-untyped-def]
    """Return where the next atom begins, after this one's map number and dummy label."""
    size = len(form)
    if flags & 8:
        if at + 2 > size or form[at] != _MAP_NUMBER or form[at + 1] > _LARGEST_BYTE_MAP:
            return -1
        at += 2
    if flags & 4:
        if at + 5 > size or form[at] != _DUMMY_LABEL:
            return -1
        length = int32_at(form, at + 1)
        at += 5 + length
    return at if at < size else -1


@numba.njit(cache=True)
def _atom_number(form, at, wide):  # type: ignore[no-untyped-def]
    return int32_at(form, at) if wide else np.int64(form[at])


@numba.njit(cache=True)
def _read_bonds(form, at, n, wide, bonds):  # type: ignore[no-untyped-def]
    size, width = len(form), 4 if wide else 1
    for k in range(len(bonds)):
        if at + 2 * width + 8 > size:
            return -1
        for side in range(2):
            atom = _atom_number(form, at, wide)
            at += width
            if atom >= n:
                return -1
            bonds[k, side] = atom
        flags = form[at]
        at += 1
        if flags & 0b10010001:  # a query, something new
            return -1
        kind, stereo = np.int64(_SINGLE), np.int64(0)
        if flags & 8:
            kind = np.int64(form[at])
            at += 1
        if flags & 4:  # direction
            at += 1
        if flags & 2:
            stereo = np.int64(form[at])
            at += 2 + width * np.int64(form[at + 1])
        bonds[k, 2] = kind
        bonds[k, 3] = stereo
        bonds[k, 4] = 1 if flags & 32 else 0
        bonds[k, 5] = 1 if flags & 64 else 0
        bonds[k, 6] = 0
    return at


@numba.njit(cache=True)
def _read_rings(form, at, wide, atoms, bonds):  # type: ignore[no-untyped-def]
    """Count the rings of each atom and mark the bonds between the atoms that follow each other in one."""
    n, size, width = len(atoms), len(form), 4 if wide else 1
    rings = int32_at(form, at)
    at += 4
    for _ in range(rings):
        if at + width > size:
            return False
        members = _atom_number(form, at, wide)
        at += width
        if at + members * width > size:
            return False
        for place in range(members):
            atom = _atom_number(form, at + place * width, wide)
            following = _atom_number(form, at + (place + 1) % members * width, wide)
            if atom >= n or following >= n:
                return False
            atoms[atom, 8] += 1
            for k in range(len(bonds)):
                a, b = bonds[k, 0], bonds[k, 1]
                if (a == atom and b == following) or (a == following and b == atom):
                    bonds[k, 6] = 1
        at += members * width
    return True
