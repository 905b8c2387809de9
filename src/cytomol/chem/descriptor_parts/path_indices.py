"""Chi and Kappa indices: sums over the paths of two, three and four bonds, walked once.

Definitions: Hall and Kier, Rev. Comput. Chem. 2, 367 (1991), as RDKit computes them
(``ConnectivityDescriptors.cpp``, ``Subgraphs.cpp``): paths in lexicographic order of their atoms, the last
step may close a ring, one path for each set of bonds. Of the walks over one set of bonds the first counts:
an open path is walked from its smaller end, a ring from its smallest atom towards the smaller neighbour, a
ring with a tail from the tail towards the smaller neighbour. Sums add in that order, so the bits agree.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from cytomol.chem.descriptor_parts.atom_table import AtomTable, outer_electrons

__all__ = ["compiled", "path_indices", "sorted_neighbours"]

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile with Numba in strict floating-point order, kept on disk where there is a place for it."""
    try:
        return cast("F", numba.njit(cache=True, error_model="numpy")(function))
    except RuntimeError:  # no folder that Numba could keep compiled code in: compile in every process
        return cast("F", numba.njit(error_model="numpy")(function))


def path_indices(mol: Chem.Mol, table: AtomTable) -> dict[str, float]:
    """Return Chi0, Chi1, Chi2n to Chi4n, Chi2v to Chi4v, Kappa1 to Kappa3 and Phi.

    Examples
    --------
    >>> from rdkit import Chem
    >>> mol = Chem.MolFromSmiles("CCC")
    >>> round(path_indices(mol, AtomTable.of(mol))["Chi2n"], 4)
    0.7071
    """
    n = len(table.numbers)
    degrees = np.array(table.degrees, dtype=np.float64)
    ends = np.array(table.ends, dtype=np.int64).reshape(-1, 2)
    heavy = np.array([number != 1 for number in table.numbers])  # paths do not pass hydrogens
    walked = ends[heavy[ends[:, 0]] & heavy[ends[:, 1]]]
    counts, sums = _walk(n, walked, _inverse_roots(table, valence=False), _inverse_roots(table, valence=True))
    products = degrees[ends[:, 0]] * degrees[ends[:, 1]]
    values = {"Chi0": _sum(1.0 / degrees[degrees > 0]), "Chi1": _sum(1.0 / products)}
    for order in (2, 3, 4):
        values[f"Chi{order}n"], values[f"Chi{order}v"] = sums[order - 2].tolist()
    return values | _kappas(mol, int(counts[0]), int(counts[1]))


def _sum(squares: NDArray[np.float64]) -> float:
    """Add square roots one after the other, from the first to the last."""
    return float(np.cumsum(np.sqrt(squares))[-1]) if len(squares) else 0.0


def _inverse_roots(table: AtomTable, *, valence: bool) -> NDArray[np.float64]:
    pairs = zip(table.numbers, table.hydrogens, strict=True)
    return np.array([_inverse_root(number, hydrogens, valence) for number, hydrogens in pairs])


@cache
def _inverse_root(number: int, hydrogens: int, valence: bool) -> float:
    """Return 1 / sqrt(delta) of an atom, 0 where delta is 0; delta of the simple or the valence kind."""
    outer = outer_electrons(number)
    delta = float(outer - hydrogens)
    if valence and number <= 1:
        delta = 0.0
    elif valence and number > 10:
        delta /= number - outer - 1
    return 0.0 if delta == 0 else (1.0 / math.sqrt(delta) if delta > 0 else math.nan)


def _kappas(mol: Chem.Mol, two: int, three: int) -> dict[str, float]:
    alpha: float = rdMolDescriptors.CalcHallKierAlpha(mol)
    kappa1: float = rdMolDescriptors.CalcKappa1(mol)
    a = mol.GetNumHeavyAtoms()
    denominator = (two + alpha) * (two + alpha)
    kappa2 = (a + alpha - 1) * (a + alpha - 2) * (a + alpha - 2) / denominator if denominator else 0.0
    denominator = (three + alpha) * (three + alpha)
    first = a + alpha - (1 if a % 2 else 2)
    kappa3 = first * (a + alpha - 3) * (a + alpha - 3) / denominator if denominator else 0.0
    phi = {"Phi": kappa1 * kappa2 / a} if a else {}
    return phi | {"HallKierAlpha": alpha, "Kappa1": kappa1, "Kappa2": kappa2, "Kappa3": kappa3}


@compiled
def sorted_neighbours(n: Any, ends: Any) -> Any:
    """Return where the neighbours of each atom begin, the neighbours in rising order, and their bonds.

    Shapes (n + 1,), (2 bonds,) and (2 bonds,), int64, for bonds ``ends`` of shape (bonds, 2).
    """
    start = np.zeros(n + 1, np.int64)
    for k in range(len(ends)):
        start[ends[k, 0] + 1] += 1
        start[ends[k, 1] + 1] += 1
    start = np.cumsum(start)
    place = start.copy()
    near, bonds = np.empty(2 * len(ends), np.int64), np.empty(2 * len(ends), np.int64)
    for k in range(len(ends)):
        for way in range(2):
            atom, other = ends[k, way], ends[k, 1 - way]
            at = place[atom]
            place[atom] += 1
            while at > start[atom] and near[at - 1] > other:
                near[at], bonds[at] = near[at - 1], bonds[at - 1]
                at -= 1
            near[at], bonds[at] = other, k
    return start, near, bonds


@compiled
def _walk(n: Any, ends: Any, simple: Any, valence: Any) -> Any:  # noqa: PLR0912 - one walk
    """Return the number of paths and the sums of their products, by two, three and four bonds."""
    start, near, _ = sorted_neighbours(n, ends)
    counts, sums = np.zeros(3, np.int64), np.zeros((3, 2))
    path, at = np.empty(5, np.int64), np.empty(5, np.int64)
    for order in range(2, 5):
        for first in range(n):
            path[0], at[0], depth = first, start[first], 0
            while depth >= 0:
                if at[depth] == start[path[depth] + 1]:
                    depth -= 1
                    continue
                atom = near[at[depth]]
                at[depth] += 1
                met = -1
                for k in range(depth + 1):
                    if path[k] == atom:
                        met = k
                if depth + 1 < order:
                    if met < 0:
                        depth += 1
                        path[depth], at[depth] = atom, start[atom]
                    continue
                if met < 0:
                    keep = path[0] < atom
                elif met == depth - 1:
                    keep = False
                else:
                    keep = path[met + 1] < path[depth]
                    if met == 0:
                        for k in range(1, depth + 1):
                            keep = keep and path[0] < path[k]
                if keep:
                    a, b = 1.0, 1.0
                    for k in range(order):
                        a *= simple[path[k]]
                        b *= valence[path[k]]
                    if atom != path[0]:
                        a *= simple[atom]
                        b *= valence[atom]
                    counts[order - 2] += 1
                    sums[order - 2, 0] += a
                    sums[order - 2, 1] += b
    return counts, sums
