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

__all__ = ["HELPERS", "LARGEST", "canonical_tags", "has_centre", "retag"]

LARGEST = 1000
"""Atoms up to which ranks fit the ten bits that a key has for each."""


def has_centre(atoms: NDArray[np.uint8]) -> bool:
    """Tell whether an atom has a tag that depends on the order of atoms; for Numba as well as for Python."""
    for a in range(len(atoms)):  # noqa: SIM110 - Numba knows no generators here
        if atoms[a, 1] == 1 or atoms[a, 1] == 2:
            return True
    return False


def retag(atoms: NDArray[np.uint8], edges: NDArray[np.int32], kinds: NDArray[np.uint8]) -> bool:
    """Give the stereocentres of one molecule their tag with neighbours in order of priority, in place.

    Written for Numba as well as for Python, as are its helpers (`HELPERS`).

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
    sources = edges[0]
    first = np.searchsorted(edges[1], np.arange(n + 1))
    centres = np.flatnonzero((atoms[:, 1] == 1) | (atoms[:, 1] == 2))
    # 0 stands for nothing, 1 for a hydrogen; all others by atomic number.
    rank = atoms[:, 0].astype(np.int64) + 2
    if has_ties(centres, first, sources, rank):
        # Mostly the next sphere decides, and then nobody asks for the keys of the other atoms. A key begins
        # with the rank, so that what is decided stays so.
        keys, top = np.zeros(n, np.int64), np.zeros(6, np.int64)
        for centre in centres:
            for i in range(first[centre], first[centre + 1]):
                keys[sources[i]] = key_of(sources[i], atoms, first, sources, kinds, rank, top)
        classes = 0
        while has_ties(centres, first, sources, keys):
            for a in range(n):
                keys[a] = key_of(a, atoms, first, sources, kinds, rank, top)
            distinct = np.unique(keys)
            if len(distinct) == classes:
                return False
            classes = len(distinct)
            rank = np.searchsorted(distinct, keys) + 2
        rank = keys
    for centre in centres:
        swaps = 0
        for i in range(first[centre], first[centre + 1]):
            for j in range(first[centre], i):
                swaps += int(rank[sources[i]] > rank[sources[j]])
        if swaps % 2:
            atoms[centre, 1] = 3 - atoms[centre, 1]
    return True


def has_ties(
    centres: NDArray[np.int64], first: NDArray[np.int64], sources: NDArray[np.int32], rank: NDArray[np.int64]
) -> bool:
    """Tell whether two neighbours of a centre have one rank; those of atom a are sources[first[a] : ...]."""
    for centre in centres:
        for i in range(first[centre], first[centre + 1]):
            for j in range(first[centre], i):
                if rank[sources[i]] == rank[sources[j]]:
                    return True
    return False


def key_of(  # noqa: PLR0917 - Numba's overloads know no keyword-only parameters
    a: int,
    atoms: NDArray[np.uint8],
    first: NDArray[np.int64],
    sources: NDArray[np.int32],
    kinds: NDArray[np.uint8],
    rank: NDArray[np.int64],
    top: NDArray[np.int64],
) -> int:
    """Return an atom's rank followed by the five highest ranks bonded to it; ``top`` is room for six."""
    top[:] = 0
    delocalised = np.int64(0)
    for i in range(first[a], first[a + 1] + 1):
        # Multiple bonds count as several neighbours, an aromatic atom has one more of the highest.
        value, times = np.int64(delocalised), 1
        if i < first[a + 1]:
            value, kind = rank[sources[i]], kinds[i, 0]
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
    return key  # type: ignore[no-any-return]


HELPERS = (has_ties, key_of)
"""What `retag` calls; Numba has to be told of them."""


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
