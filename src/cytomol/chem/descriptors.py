"""RDKit's 2D descriptors as one row of numbers."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import Descriptors, GraphDescriptors

from cytomol.chem.descriptor_parts import UNDEFINED

__all__ = ["DESCRIPTOR_NAMES", "LARGEST_FOR_IPC", "descriptors", "exact_descriptors", "one_by_one"]

_graph: Any = GraphDescriptors  # plain Python without types

LARGEST_FOR_IPC = 150
"""Atoms up to which the Ipc descriptors are computed: their cost grows with the fourth power."""
# Small molecules that RDKit's functions describe first: to load what is shared takes as long as 50 of them.
_FIRST_ALONE, _SMALL = 2, 60
_described = itertools.count()


def _log_ipc(mol: Chem.Mol) -> float:
    """Return log(1 + Ipc): Ipc itself passes 1e30 for a drug and overflows float32."""
    return math.log1p(_graph.Ipc(mol)) if mol.GetNumAtoms() <= LARGEST_FOR_IPC else math.nan


def _avg_ipc(mol: Chem.Mol) -> float:
    return float(_graph.AvgIpc(mol)) if mol.GetNumAtoms() <= LARGEST_FOR_IPC else math.nan


_REPLACED: dict[str, tuple[str, Callable[[Chem.Mol], float]]] = {
    "Ipc": ("LogIpc", _log_ipc),
    "AvgIpc": ("AvgIpc", _avg_ipc),
}
_DESCRIPTORS: tuple[tuple[str, Callable[[Chem.Mol], float]], ...] = tuple(
    _REPLACED.get(name, (name, function)) for name, function in Descriptors.descList
)
DESCRIPTOR_NAMES: tuple[str, ...] = tuple(name for name, _ in _DESCRIPTORS)


def descriptors(mol: Chem.Mol) -> NDArray[np.float32]:
    """Return RDKit's 2D descriptors.

    Parameters
    ----------
    mol
        Sanitized molecule.

    Returns
    -------
    numpy.ndarray
        Values in the order of `DESCRIPTOR_NAMES`, float32, shape (descriptors,). NaN where RDKit has no
        value (partial charges of metals), fails, or exceeds float32. "LogIpc" stands for log(1 + Ipc).
    """
    alone = mol.GetNumAtoms() <= _SMALL and next(_described) < _FIRST_ALONE
    row = one_by_one(Chem.Mol(mol)) if alone else exact_descriptors(mol)
    row[np.abs(row) > np.finfo(np.float32).max] = np.nan
    return row.astype(np.float32)


def exact_descriptors(mol: Chem.Mol) -> NDArray[np.float64]:
    """Return the descriptors in float64, bit for bit what RDKit's functions return one by one.

    Intermediate results are computed once for all descriptors that need them; a descriptor that is not
    among those (of a newer RDKit, say) comes from RDKit's own function.

    Parameters
    ----------
    mol
        Sanitized molecule.

    Returns
    -------
    numpy.ndarray
        Values in the order of `DESCRIPTOR_NAMES`, float64, shape (descriptors,); NaN where RDKit fails.

    Examples
    --------
    >>> from rdkit import Chem
    >>> row = exact_descriptors(Chem.MolFromSmiles("CCO"))
    >>> float(row[DESCRIPTOR_NAMES.index("HeavyAtomCount")])
    3.0
    """
    row = np.empty(len(_DESCRIPTORS), dtype=np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        shared = _shared(mol)
        for i, (name, function) in enumerate(_DESCRIPTORS):
            row[i] = shared[name] if name in shared else _value(function, mol)
    return row


def _shared(mol: Chem.Mol) -> dict[str, float]:
    """Return the values from shared intermediate results; none of them where these are undefined."""
    from cytomol.chem.descriptor_parts.shared_values import shared_values  # compiled loops: late to load

    try:
        values = shared_values(mol, largest_for_ipc=LARGEST_FOR_IPC)
    except UNDEFINED:
        return {}
    if "Ipc" in values:
        values["LogIpc"] = math.log1p(values.pop("Ipc"))
    return values


def one_by_one(mol: Chem.Mol) -> NDArray[np.float64]:
    """Return the descriptors as RDKit's functions give them one by one: what `exact_descriptors` must equal.

    Examples
    --------
    >>> from rdkit import Chem
    >>> mol = Chem.MolFromSmiles("CCO")
    >>> bool((one_by_one(mol) == exact_descriptors(mol)).all())
    True
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.array([_value(function, mol) for _, function in _DESCRIPTORS], dtype=np.float64)


def _value(function: Callable[[Chem.Mol], float], mol: Chem.Mol) -> float:
    try:
        return float(function(mol))
    except UNDEFINED:
        # Undefined for this molecule (no atoms of a kind, no charges, no bonds): RDKit says so in these ways.
        return math.nan
