"""E-state, Bertz, Balaban and Ipc indices from two distance matrices.

Definitions as in RDKit's ``EState``, ``GraphDescriptors`` and ``Graphs``; sums add in the same order.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import GraphDescriptors, Graphs
from rdkit.ML.InfoTheory import entropy

from cytomol.chem.descriptor_parts.atom_table import AtomTable, outer_electrons
from cytomol.chem.descriptor_parts.path_indices import compiled

__all__ = ["balaban_j", "bertz_ct", "bond_order_distances", "estate_indices", "information_content"]

Matrix = NDArray[np.float64]
_information: Any = entropy
_entropy: Any = _information.InfoEntropy
_graphs: Any = Graphs
_descriptors: Any = GraphDescriptors
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
    states = np.zeros(len(table.numbers))
    for i, (number, hydrogens, d) in enumerate(
        zip(table.numbers, table.hydrogens, table.degrees, strict=True)
    ):
        if d > 0:
            shell = 1 + sum(number > last for last in _SHELLS)
            states[i] = (4.0 / (shell * shell) * (outer_electrons(number) - hydrogens) + 1) / d
    return np.asarray(_perturbed(states, distances), dtype=np.float64)


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
    sums = np.add.accumulate(distances, axis=0)[-1]
    first, second = np.array(sorted((min(e), max(e)) for e in table.ends)).reshape(-1, 2).T.astype(np.int64)
    total = np.cumsum(1.0 / np.sqrt(sums[first] * sums[second]))[-1] if len(first) else 0.0
    return float(float(len(table.ends)) / float(rings + 1) * total)


def bertz_ct(mol: Chem.Mol, table: AtomTable, distances: Matrix) -> float:
    """Return Bertz's complexity (J. Am. Chem. Soc. 103, 3599, 1981).

    Atoms are alike when their sorted distances agree to four digits; bonds other than single, double,
    triple and aromatic are left to RDKit, for their distances could lie between two such digits.
    """
    if not table.plain:
        return float(_descriptors.BertzCT(mol))
    rows = np.rint(np.sort(distances, axis=1)[:, :_CUTOFF] * 1e4)
    seen: dict[bytes, int] = {}
    classes = [seen.setdefault(row.tobytes(), len(seen)) for row in rows]
    near: list[list[tuple[int, float]]] = [[] for _ in classes]
    for (a, b), bond in zip(table.ends, table.bonds, strict=True):
        order = 1.5 if bond.GetIsAromatic() else bond.GetBondTypeAsDouble()
        near[a].append((b, order))
        near[b].append((a, order))
    kinds: dict[int, int] = {}
    connections: dict[tuple[int, ...], float] = {}
    for atom, number in enumerate(table.numbers):
        kinds[number] = kinds.get(number, 0) + 1
        hinge, neighbours = classes[atom], sorted(near[atom])
        for i, (one, order) in enumerate(neighbours):
            own = classes[one]
            if order > 1 and one > atom:
                key: tuple[int, ...] = (hinge, own) if hinge < own else (own, hinge)
                connections[key] = connections.get(key, 0) + order * (order - 1) / 2
            for other, second in neighbours[i + 1 :]:
                theirs = classes[other]
                key = (own, hinge, theirs) if own < theirs else (theirs, hinge, own)
                connections[key] = connections.get(key, 0) + order * second
    return _bertz_entropies(list(connections.values()) or [1], list(kinds.values()), len(classes))


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
        for i in range(n):
            product[i] = 0.0
            for m in range(degree[i]):
                product[i] += power[near[i, m]]
        power, product = product, power
    return result, True
