"""Read OGB's features from RDKit's binary form of molecules.

Layout (RDKit, ``Code/GraphMol/MolPickler.cpp``, form 16, little-endian): a head of seven int32 (mark, tag,
three version numbers, atoms, bonds) and a byte; the tag BEGINATOM; atoms; the tag BEGINBOND; bonds; a tag
of the kind of ring set; rings. Atom numbers are bytes in molecules of up to 255 atoms, else int32. A field
that has its usual value is absent, and a bit of the flags says so.
"""

from __future__ import annotations

import numba
import numba.extending
import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from cytomol.chem import features, parity

__all__ = ["counts", "decode", "retag"]

_HEAD = 29  # bytes before the tag BEGINATOM
_ATOMS_AT, _BONDS_AT = 20, 24
_MARK = 0xDEADBEEF
_BEGINATOM, _BEGINBOND, _BEGINRINGS = 1, 11, 66
_MAP_NUMBER, _DUMMY_LABEL = 24, 44
_LARGEST_BYTE_MAP = 127
_SP3 = int(Chem.HybridizationType.SP3)
_SINGLE = int(Chem.BondType.SINGLE)


def _table(translation: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(translation, dtype=np.uint8)


_NUMBER = _table(features.ATOMIC_NUMBER)
_CHIRALITY = _table(features.CHIRALITY)
_DEGREE = _table(features.DEGREE)
_CHARGE = _table(features.CHARGE)
_HYDROGENS = _table(features.HYDROGENS)
_RADICALS = _table(features.RADICALS)
_HYBRIDIZATION = _table(features.HYBRIDIZATION)
_TYPE = _table(features.BOND_TYPE)
_STEREO = _table(features.BOND_STEREO)
_CHARGE_OFFSET = features.CHARGE_OFFSET

for _helper in parity.HELPERS:
    numba.extending.register_jitable(_helper)
_has_centre = numba.njit(cache=True)(parity.has_centre)
_retag = numba.njit(cache=True)(parity.retag)


@numba.njit(cache=True, inline="always")
def _int32(data, at):  # type: ignore[no-untyped-def]
    return (
        np.int64(data[at])
        | np.int64(data[at + 1]) << 8
        | np.int64(data[at + 2]) << 16
        | np.int64(data[at + 3]) << 24
    )


@numba.njit(cache=True)
def counts(data, starts):  # type: ignore[no-untyped-def]
    """Return the offsets of atoms and of directed edges, int64 (n + 1,) each; an empty form has none."""
    n = len(starts) - 1
    atom_offsets = np.zeros(n + 1, dtype=np.int64)
    edge_offsets = np.zeros(n + 1, dtype=np.int64)
    for i in range(n):
        atoms, bonds = 0, 0
        if starts[i + 1] > starts[i]:
            atoms = _int32(data, starts[i] + _ATOMS_AT)
            bonds = _int32(data, starts[i] + _BONDS_AT)
        atom_offsets[i + 1] = atom_offsets[i] + atoms
        edge_offsets[i + 1] = edge_offsets[i] + 2 * bonds
    return atom_offsets, edge_offsets


@numba.njit(cache=True)
def decode(data, starts, atoms, atom_offsets, edges, edge_features, edge_offsets):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    """Fill the graph arrays from the binary forms.

    Parameters
    ----------
    data, starts
        Form i is ``data[starts[i]:starts[i + 1]]``, uint8 and int64 (n + 1,); empty for no molecule.
    atoms, atom_offsets, edges, edge_features, edge_offsets
        As in `cytomol.chem.store.MoleculeStore`; all but the offsets are written.

    Returns
    -------
    numpy.ndarray
        False where a form holds something unknown (its rows are then undefined), bool, shape (n,).
    """
    n = len(starts) - 1
    decoded = np.ones(n, dtype=np.bool_)
    for i in range(n):
        if starts[i + 1] > starts[i]:
            a, b = atom_offsets[i], atom_offsets[i + 1]
            c, d = edge_offsets[i], edge_offsets[i + 1]
            form = data[starts[i] : starts[i + 1]]
            decoded[i] = _decode_one(form, atoms[a:b], edges[:, c:d], edge_features[c:d])
    return decoded


@numba.njit(cache=True)
def retag(atoms, atom_offsets, edges, edge_features, edge_offsets):  # type: ignore[no-untyped-def]
    """Do `cytomol.chem.parity.retag` for many molecules; return those it leaves undecided, bool (n,)."""
    n = len(atom_offsets) - 1
    undecided = np.zeros(n, dtype=np.bool_)
    for i in range(n):
        a, b = atom_offsets[i], atom_offsets[i + 1]
        c, d = edge_offsets[i], edge_offsets[i + 1]
        if _has_centre(atoms[a:b]):
            undecided[i] = not _retag(atoms[a:b], edges[:, c:d], edge_features[c:d])
    return undecided


@numba.njit(cache=True)
def _decode_one(form, atoms, edges, edge_features):  # type: ignore[no-untyped-def]
    n, bonds, size = len(atoms), edges.shape[1] // 2, len(form)
    if size < _HEAD + 1 or _int32(form, 0) != _MARK or form[_HEAD] != _BEGINATOM:
        return False
    at = _decode_atoms(form, _HEAD + 1, atoms)
    if at < 0 or at >= size or form[at] != _BEGINBOND:
        return False
    wide = n > 255
    ends = np.empty((2, bonds), dtype=np.int64)
    kinds = np.empty((3, bonds), dtype=np.uint8)
    at = _decode_bonds(form, at + 1, n, wide, ends, kinds)
    if at < 0 or at + 5 > size or form[at] != _BEGINRINGS:
        return False
    if not _decode_rings(form, at + 1, n, wide, atoms):
        return False
    # Directed edges sorted by target atom, bonds in their order: a counting sort.
    degree = np.zeros(n + 1, dtype=np.int64)
    for k in range(bonds):
        degree[ends[0, k] + 1] += 1
        degree[ends[1, k] + 1] += 1
    for j in range(n):
        atoms[j, 2] = _DEGREE[min(255, degree[j + 1] + atoms[j, 2])]
        atoms[j, 4] = _HYDROGENS[atoms[j, 4]]
    place = np.cumsum(degree)
    for k in range(bonds):
        for way in range(2):
            target = ends[1 - way, k]
            to = place[target]
            place[target] += 1
            edges[0, to] = ends[way, k]
            edges[1, to] = target
            edge_features[to, 0] = kinds[0, k]
            edge_features[to, 1] = kinds[1, k]
            edge_features[to, 2] = kinds[2, k]
    return True


@numba.njit(cache=True)
def _decode_atoms(form, at, atoms):  # type: ignore[no-untyped-def]  # noqa: PLR0912
    """Fill the atom features; columns 2 and 4 hold the count of hydrogens until bonds are known."""
    size = len(form)
    for j in range(len(atoms)):
        if at + 20 > size:
            return -1
        number, flags = form[at], form[at + 1]
        if flags & 0b10010011:  # coordinates, a query, a residue, something new
            return -1
        fields = _int32(form, at + 2)
        if fields & ~np.int64(0b111111110):
            return -1
        at += 6
        charge = chirality = explicit = implicit = radicals = np.int64(0)
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
        if fields & 32:  # explicit valence
            at += 1
        if fields & 64:
            implicit = np.int64(form[at])
            at += 1
        if fields & 128:
            radicals = np.int64(form[at])
            at += 1
        if fields & 256:  # isotope
            at += 4
        at = _skip_labels(form, at, flags)
        if at < 0:
            return -1
        hydrogens = min(255, explicit + implicit)
        atoms[j, 0] = _NUMBER[number]
        atoms[j, 1] = _CHIRALITY[chirality]
        atoms[j, 2] = hydrogens
        atoms[j, 3] = _CHARGE[charge + _CHARGE_OFFSET]
        atoms[j, 4] = hydrogens
        atoms[j, 5] = _RADICALS[radicals]
        atoms[j, 6] = _HYBRIDIZATION[hybridization]
        atoms[j, 7] = 1 if flags & 64 else 0
        atoms[j, 8] = 0
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
        length = _int32(form, at + 1)
        at += 5 + length
    return at if at < size else -1


@numba.njit(cache=True)
def _atom_number(form, at, wide):  # type: ignore[no-untyped-def]
    return _int32(form, at) if wide else np.int64(form[at])


@numba.njit(cache=True)
def _decode_bonds(form, at, n, wide, ends, kinds):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    size, width = len(form), 4 if wide else 1
    for k in range(ends.shape[1]):
        if at + 2 * width + 8 > size:
            return -1
        for side in range(2):
            ends[side, k] = _atom_number(form, at, wide)
            at += width
            if ends[side, k] >= n:
                return -1
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
        kinds[0, k] = _TYPE[kind]
        kinds[1, k] = _STEREO[stereo]
        kinds[2, k] = 1 if flags & 32 else 0
    return at


@numba.njit(cache=True)
def _decode_rings(form, at, n, wide, atoms):  # type: ignore[no-untyped-def]
    size, width = len(form), 4 if wide else 1
    rings = _int32(form, at)
    at += 4
    for _ in range(rings):
        if at + width > size:
            return False
        members = _atom_number(form, at, wide)
        at += width
        if at + members * width > size:
            return False
        for _ in range(members):
            atom = _atom_number(form, at, wide)
            at += width
            if atom >= n:
                return False
            atoms[atom, 8] = 1
    return True
