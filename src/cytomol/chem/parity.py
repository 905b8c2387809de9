"""Chirality that does not depend on how a molecule is written.

RDKit's tag of a stereocentre, clockwise or counterclockwise, goes by the order in which the SMILES names
its neighbours, so that one molecule has as many tags as spellings. Here the neighbours are put in an order
of their own first, in the manner of Cahn, Ingold and Prelog: by atomic number, then sphere by sphere by what
they are bonded to. The feature then says in nearly all cases what R and S say. Where two neighbours are
alike but for stereo (1,4-dimethylcyclohexane, say), the order of the canonical SMILES decides.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from cytomol.chem.features import CHIRALITY

__all__ = ["LARGEST", "canonical_tags", "has_centre", "retag"]

LARGEST = 1000
"""Atoms up to which ranks fit the ten bits that a key has for each."""


def has_centre(atoms: NDArray[np.uint8]) -> bool:
    """Tell whether an atom has a tag that depends on the order of atoms; for Numba as well as for Python."""
    for a in range(len(atoms)):  # noqa: SIM110 - Numba knows no generators here
        if atoms[a, 1] == 1 or atoms[a, 1] == 2:
            return True
    return False


def retag(atoms: NDArray[np.uint8], edges: NDArray[np.int32], kinds: NDArray[np.uint8]) -> bool:  # noqa: PLR0912
    """Give the stereocentres of one molecule their tag with neighbours in order of priority, in place.

    Written for Numba as well as for Python, hence in one piece.

    Parameters
    ----------
    atoms
        Atom features, uint8, shape (n, 9).
    edges
        Directed edges sorted by target atom, then by bond, int32, shape (2, e).
    kinds
        Bond features, uint8, shape (e, 3).

    Returns
    -------
    bool
        Whether all were decided; nothing is changed if not.
    """
    n = len(atoms)
    if n > LARGEST:
        return False
    first = np.searchsorted(edges[1], np.arange(n + 1))
    centres = np.flatnonzero((atoms[:, 1] == 1) | (atoms[:, 1] == 2))
    # 0 stands for nothing, 1 for a hydrogen; all others by atomic number.
    rank = atoms[:, 0].astype(np.int64) + 2
    keys, top, classes = np.empty(n, np.int64), np.zeros(6, np.int64), 0
    while True:
        ties = np.int64(0)
        for centre in centres:
            for i in range(first[centre], first[centre + 1]):
                for j in range(first[centre], i):
                    ties += int(rank[edges[0, i]] == rank[edges[0, j]])
        if ties == 0:
            break
        for a in range(n):
            top[:] = 0
            delocalised = np.int64(0)
            for i in range(first[a], first[a + 1] + 1):
                # Multiple bonds count as several neighbours, an aromatic atom has one more of the highest.
                value, times = np.int64(delocalised), 1
                if i < first[a + 1]:
                    value, kind = rank[edges[0, i]], kinds[i, 0]
                    if kind == 3:
                        delocalised = max(delocalised, value)
                    elif kind < 3 and atoms[a, 0] < 9:
                        times = kind + 1
                for _ in range(times):
                    j = 4
                    while j >= 0 and top[j] < value:
                        top[j + 1] = top[j]
                        j -= 1
                    top[j + 1] = value
            for _ in range(atoms[a, 4]):
                for j in range(5):
                    if top[j] == 0:
                        top[j] = 1
                        break
            key = rank[a]
            for j in range(5):
                key = key << 10 | top[j]
            keys[a] = key
        distinct = np.unique(keys)
        if len(distinct) == classes:
            return False
        classes = len(distinct)
        rank = np.searchsorted(distinct, keys) + 2
    for centre in centres:
        swaps = 0
        for i in range(first[centre], first[centre + 1]):
            for j in range(first[centre], i):
                swaps += int(rank[edges[0, i]] > rank[edges[0, j]])
        if swaps % 2:
            atoms[centre, 1] = 3 - atoms[centre, 1]
    return True


def canonical_tags(mol: Chem.Mol) -> NDArray[np.uint8]:
    """Return the chirality feature of each atom as the molecule's canonical SMILES has it, shape (atoms,)."""
    written = Chem.MolToSmiles(mol)
    order = [int(atom) for atom in mol.GetProp("_smilesAtomOutputOrder").strip("[],").split(",")]
    read: Any = Chem.SmilesParserParams()
    read.removeHs = False
    again = Chem.MolFromSmiles(written, read)
    # A few exotic molecules do not survive being written: these keep the tags of the input.
    source = again if again is not None and again.GetNumAtoms() == len(order) else None
    tags = bytearray(len(order))
    for place, atom in enumerate(order):
        tags[atom] = (
            mol.GetAtomWithIdx(atom) if source is None else source.GetAtomWithIdx(place)
        ).GetChiralTag()
    return np.frombuffer(bytes(tags).translate(CHIRALITY), dtype=np.uint8)
