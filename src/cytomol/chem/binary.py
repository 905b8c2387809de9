"""Read OGB's features from RDKit's binary form of molecules (`cytomol.chem.molecule_form`)."""

from __future__ import annotations

import numba
import numba.extending
import numpy as np
from numpy.typing import NDArray

from cytomol.chem import features, parity
from cytomol.chem.molecule_form import (
    ATOM_COLUMNS,
    ATOMS_AT,
    BOND_COLUMNS,
    BONDS_AT,
    int32_at,
    read_form,
)

__all__ = ["counts", "decode", "retag"]


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


@numba.njit(cache=True)
def counts(data, starts):  # type: ignore[no-untyped-def]
    """Return the offsets of atoms and of directed edges, int64 (n + 1,) each; an empty form has none."""
    n = len(starts) - 1
    atom_offsets = np.zeros(n + 1, dtype=np.int64)
    edge_offsets = np.zeros(n + 1, dtype=np.int64)
    for i in range(n):
        atoms, bonds = 0, 0
        if starts[i + 1] > starts[i]:
            atoms = int32_at(data, starts[i] + ATOMS_AT)
            bonds = int32_at(data, starts[i] + BONDS_AT)
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
    n, bonds = len(atoms), edges.shape[1] // 2
    of_atoms = np.empty((n, len(ATOM_COLUMNS)), dtype=np.int32)
    of_bonds = np.empty((bonds, len(BOND_COLUMNS)), dtype=np.int32)
    if not read_form(form, of_atoms, of_bonds):
        return False
    # Directed edges sorted by target atom, bonds in their order: a counting sort.
    degree = np.zeros(n + 1, dtype=np.int64)
    for k in range(bonds):
        degree[of_bonds[k, 0] + 1] += 1
        degree[of_bonds[k, 1] + 1] += 1
    for j in range(n):
        hydrogens = of_atoms[j, 2]
        atoms[j, 0] = _NUMBER[of_atoms[j, 0]]
        atoms[j, 1] = _CHIRALITY[of_atoms[j, 1]]
        atoms[j, 2] = _DEGREE[min(255, degree[j + 1] + hydrogens)]
        atoms[j, 3] = _CHARGE[of_atoms[j, 3] + _CHARGE_OFFSET]
        atoms[j, 4] = _HYDROGENS[hydrogens]
        atoms[j, 5] = _RADICALS[of_atoms[j, 5]]
        atoms[j, 6] = _HYBRIDIZATION[of_atoms[j, 6]]
        atoms[j, 7] = of_atoms[j, 7]
        atoms[j, 8] = 1 if of_atoms[j, 8] else 0
    place = np.cumsum(degree)
    for k in range(bonds):
        for way in range(2):
            target = of_bonds[k, 1 - way]
            to = place[target]
            place[target] += 1
            edges[0, to] = of_bonds[k, way]
            edges[1, to] = target
            edge_features[to, 0] = _TYPE[of_bonds[k, 2]]
            edge_features[to, 1] = _STEREO[of_bonds[k, 3]]
            edge_features[to, 2] = of_bonds[k, 4]
    return True
