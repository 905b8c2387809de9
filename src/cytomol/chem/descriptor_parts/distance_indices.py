"""E-state, Bertz, Balaban and Ipc indices from two distance matrices.

Definitions as in RDKit's ``EState``, ``GraphDescriptors`` and ``Graphs``; sums add in the same order.
"""

from __future__ import annotations

import math
from collections import Counter
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import GraphDescriptors, Graphs
from rdkit.ML.InfoTheory import entropy

from cytomol.chem.descriptor_parts.atom_table import (
    AROMATIC,
    DOUBLE,
    SINGLE,
    TRIPLE,
    AtomTable,
    outer_electrons,
)
from cytomol.chem.descriptor_parts.path_indices import compiled, sorted_neighbours

__all__ = ["balaban_j", "bertz_ct", "bond_order_distances", "estate_indices", "information_content"]

Matrix = NDArray[np.float64]
_information: Any = entropy
_entropy: Any = _information.InfoEntropy
_graphs: Any = Graphs
_descriptors: Any = GraphDescriptors
_ORDERS = {SINGLE: 1.0, DOUBLE: 2.0, TRIPLE: 3.0, AROMATIC: 1.5}
_SHELLS = (2, 10, 18, 36, 54, 86)
_CUTOFF = 100  # RDKit compares that many distances
_EXACT = 2.0**52  # whole numbers up to here are exact, whatever the order they are added in


def estate_indices(table: AtomTable, distances: Matrix) -> Matrix:
    """Return the E-state index of each atom (Hall, Mohney and Kier, JCICS 31, 76, 1991).

    Examples
    --------
    >>> from rdkit import Chem
    >>> mol = Chem.MolFromSmiles("CC")
    >>> estate_indices(AtomTable.of(mol), Chem.GetDistanceMatrix(mol)).tolist()
    [2.0, 2.0]
    """
    states = list(map(_intrinsic_state, table.numbers, table.hydrogens, table.degrees))
    return np.asarray(_perturbed(np.array(states), distances), dtype=np.float64)


@cache
def _intrinsic_state(number: int, hydrogens: int, degree: int) -> float:
    if degree == 0:
        return 0.0
    shell = 1 + sum(number > last for last in _SHELLS)
    return (4.0 / (shell * shell) * (outer_electrons(number) - hydrogens) + 1) / degree


@compiled
def _perturbed(states: Any, distances: Any) -> Any:
    n = len(states)
    added = np.zeros(n)
    for i in range(n):
        for j in range(i + 1, n):
            p = distances[i, j] + 1
            if p < 1e6:
                term = (states[i] - states[j]) / (p * p)
                added[i] += term
                added[j] -= term
    return added + states


def bond_order_distances(mol: Chem.Mol) -> Matrix:
    """Return the distances along bonds of length 1 / order, which Balaban and Bertz share."""
    return np.asarray(Chem.GetDistanceMatrix(mol, useBO=True, useAtomWts=False, force=True, prefix="Balaban"))


def balaban_j(table: AtomTable, distances: Matrix) -> float:
    """Return Balaban's J (Chem. Phys. Lett. 89, 399, 1982)."""
    rings = len(table.ends) - len(table.numbers) + 1
    if rings + 1 == 0:
        return 0.0
    return float(float(len(table.ends)) / float(rings + 1) * _bond_sum(table.end_rows, distances))


@compiled
def _bond_sum(ends: Any, distances: Any) -> Any:
    """Add up 1 / sqrt(product of the ends' sums of distances) over the bonds, sorted by their atoms."""
    n = len(distances)
    sums = np.zeros(n)
    for i in range(n):
        for j in range(n):
            sums[j] += distances[i, j]
    keys = np.empty(len(ends), np.int64)
    for k in range(len(ends)):
        a, b = ends[k, 0], ends[k, 1]
        keys[k] = min(a, b) * n + max(a, b)
    keys.sort()
    total = 0.0
    for key in keys:
        total += 1.0 / np.sqrt(sums[key // n] * sums[key % n])
    return total


def bertz_ct(mol: Chem.Mol, table: AtomTable, distances: Matrix) -> float:
    """Return Bertz's complexity (J. Am. Chem. Soc. 103, 3599, 1981).

    Atoms are alike when their sorted distances agree to four digits; bonds other than single, double,
    triple and aromatic are left to RDKit, for their distances could lie between two such digits.
    """
    if not table.plain:
        return float(_descriptors.BertzCT(mol))
    rows = np.rint(np.sort(distances, axis=1)[:, :_CUTOFF] * 1e4)
    orders = [
        1.5 if aromatic else _ORDERS[order]
        for order, aromatic in zip(table.orders, table.aromatic_bonds, strict=True)
    ]
    connections = _connections(rows, table.end_rows, np.array(orders, dtype=np.float64)).tolist()
    return _bertz_entropies(connections or [1], list(Counter(table.numbers).values()), len(table.numbers))


@compiled
def _classes(rows: Any) -> Any:
    """Return of each row the number of the first row that is equal, int64, shape (rows,)."""
    n, width = rows.shape
    classes = np.arange(n)
    for i in range(n):
        for j in range(i):
            if classes[j] != j:
                continue
            k = 0
            while k < width and rows[i, k] == rows[j, k]:
                k += 1
            if k == width:
                classes[i] = j
                break
    return classes


@compiled
def _connections(rows: Any, ends: Any, orders: Any) -> Any:
    """Return the weights of the kinds of connection (multiple bonds, pairs of bonds at an atom), as met.

    ``rows`` tell which atoms are alike; (atoms, distances), (bonds, 2) and (bonds,).
    """
    n = len(rows)
    classes = _classes(rows)
    start, near, bonds = sorted_neighbours(n, ends)
    most = 0
    for i in range(n):
        degree = start[i + 1] - start[i]
        most += degree + degree * (degree - 1) // 2
    keys, values, count = np.empty(most, np.int64), np.zeros(most), 0
    for atom in range(n):
        hinge = classes[atom]
        for i in range(start[atom], start[atom + 1]):
            own, order = classes[near[i]], orders[bonds[i]]
            if order > 1 and near[i] > atom:
                key = min(hinge, own) * n + max(hinge, own)
                count = _add(keys, values, count, key, order * (order - 1) / 2)
            for j in range(i + 1, start[atom + 1]):
                theirs = classes[near[j]]
                key = ((1 + min(own, theirs)) * n + hinge) * n + max(own, theirs)
                count = _add(keys, values, count, key, order * orders[bonds[j]])
    return values[:count]


@compiled
def _add(keys: Any, values: Any, count: int, key: int, value: float) -> Any:
    """Add to the value of a key, which may be new; return the number of keys."""
    for k in range(count):
        if keys[k] == key:
            values[k] += value
            return count
    keys[count], values[count] = key, value
    return count + 1


def _bertz_entropies(connections: list[float], kinds: list[int], atoms: int) -> float:
    total = sum(connections)
    content = total * (_entropy(np.array(connections, float)) + math.log(total) / math.log(2))
    return float(atoms * _entropy(np.array(kinds, float)) + content)


def information_content(mol: Chem.Mol, distances: Matrix) -> tuple[float, float]:
    """Return Ipc and AvgIpc (Bonchev and Trinajstic, J. Chem. Phys. 67, 4517, 1977).

    The characteristic polynomial is computed over the neighbours while all numbers are whole and exact;
    otherwise RDKit's matrix products, whose rounding depends on the library, are done once for both.
    """
    joined = np.equal(distances, 1)
    polynomial, exact = _polynomial(joined)
    if not exact:
        polynomial = _graphs.CharacteristicPolynomial(mol, joined)
    sizes = np.abs(polynomial)
    average = _entropy(sizes)
    return float(np.cumsum(sizes)[-1] * average), float(average)


@compiled
def _polynomial(joined: Any) -> Any:
    """Return the coefficients by Le Verrier, Faddeev and Frame, and whether each step was exact."""
    n = len(joined)
    near = np.empty((n, n), np.int64)
    degree = np.zeros(n, np.int64)
    power, product = np.zeros((n, n)), np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            if joined[i, j]:
                near[i, degree[i]] = j
                degree[i] += 1
                power[i, j] = 1.0
    most = max(degree.max(), 1)
    limit = _EXACT / most
    bound = 1.0 / most
    result = np.zeros(n + 1)
    result[0] = 1.0
    for k in range(1, n + 1):
        trace = 0.0
        for i in range(n):
            trace += power[i, i]
        coefficient = 1.0 / k * trace
        result[k] = -coefficient
        if abs(trace) > _EXACT or (k < n and coefficient != np.floor(coefficient)):
            return result, False
        for i in range(n):
            power[i, i] -= coefficient
        bound = bound * most + abs(coefficient)  # no entry is larger
        if bound > limit:
            bound = np.abs(power).max()
            if bound > limit:
                return result, False
        _add_neighbours(near, degree, power, product)
        power, product = product, power
    return result, True


@compiled
def _add_neighbours(near: Any, degree: Any, power: Any, product: Any) -> Any:
    """Write into each row of ``product`` the sum of its neighbours' rows of ``power``."""
    n = len(power)
    for i in range(n):
        for j in range(n):
            product[i, j] = power[near[i, 0], j] if degree[i] else 0.0
        for m in range(1, degree[i]):
            other = near[i, m]
            for j in range(n):
                product[i, j] += power[other, j]
