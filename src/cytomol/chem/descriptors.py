"""RDKit's 2D descriptors as one row of numbers."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import Descriptors, EState, GraphDescriptors

__all__ = ["DESCRIPTOR_NAMES", "LARGEST_FOR_IPC", "descriptors"]

_graph: Any = GraphDescriptors  # plain Python without types

LARGEST_FOR_IPC = 150
"""Atoms up to which the Ipc descriptors are computed: their cost grows with the fourth power."""


def _log_ipc(mol: Chem.Mol) -> float:
    """Return log(1 + Ipc): Ipc itself passes 1e30 for a drug and overflows float32."""
    return math.log1p(_graph.Ipc(mol)) if mol.GetNumAtoms() <= LARGEST_FOR_IPC else math.nan


def _avg_ipc(mol: Chem.Mol) -> float:
    return float(_graph.AvgIpc(mol)) if mol.GetNumAtoms() <= LARGEST_FOR_IPC else math.nan


def _of_estate(name: str) -> Callable[[Chem.Mol], float]:
    """Return an EState descriptor that takes the indices of the last one; RDKit's compute them anew."""
    function = getattr(EState, name)
    return lambda mol: float(function(mol, force=name == _ESTATE[0]))


# in RDKit's order: the first one computes the indices
_ESTATE = [
    name
    for name, _ in Descriptors.descList
    if name in {"MaxAbsEStateIndex", "MaxEStateIndex", "MinAbsEStateIndex", "MinEStateIndex"}
]
_REPLACED: dict[str, tuple[str, Callable[[Chem.Mol], float]]] = {
    "Ipc": ("LogIpc", _log_ipc),
    "AvgIpc": ("AvgIpc", _avg_ipc),
    **{name: (name, _of_estate(name)) for name in _ESTATE},
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
    row = np.empty(len(_DESCRIPTORS), dtype=np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        for i, (_, function) in enumerate(_DESCRIPTORS):
            row[i] = _value(function, mol)
    row[np.abs(row) > np.finfo(np.float32).max] = np.nan
    return row.astype(np.float32)


def _value(function: Callable[[Chem.Mol], float], mol: Chem.Mol) -> float:
    try:
        return float(function(mol))
    except (ArithmeticError, ValueError, RuntimeError, TypeError, IndexError):
        # Undefined for this molecule (no atoms of a kind, no charges, no bonds): RDKit says so in these ways.
        return math.nan
