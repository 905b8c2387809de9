"""The features that MiniMol reads of a molecule: atoms, bonds, eigenvectors and returns of random walks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from rdkit import Chem
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

__all__ = ["MiniMolGraph", "read_graph"]

# fmt: off
_SYMBOLS = [
    "C", "N", "O", "S", "F", "Si", "P", "Cl", "Br", "Mg", "Na", "Ca", "Fe", "As", "Al",
    "I", "B", "V", "K", "Tl", "Yb", "Sb", "Sn", "Ag", "Pd", "Co", "Se", "Ti", "Zn", "H",
    "Li", "Ge", "Cu", "Au", "Ni", "Cd", "In", "Mn", "Zr", "Cr", "Pt", "Hg", "Pb",
]
# fmt: on
_SHORT, _LONG = [1, 2, *range(13, 19)], list(range(1, 19))
_WITH_SERIES = [1, 2, 3, *[19] * 14, *range(4, 19)]  # lanthanides and actinides are a group of their own
_GROUPS = [1, 18, *_SHORT, *_SHORT, *_LONG, *_LONG, *_WITH_SERIES, *_WITH_SERIES]
_BONDS = [Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE, Chem.BondType.AROMATIC]
_STEREO = [
    Chem.BondStereo.STEREONONE,
    Chem.BondStereo.STEREOANY,
    Chem.BondStereo.STEREOZ,
    Chem.BondStereo.STEREOE,
    Chem.BondStereo.STEREOCIS,
    Chem.BondStereo.STEREOTRANS,
]
_EIGENVECTORS, _STEPS = 8, 16


@dataclass(frozen=True)
class MiniMolGraph:
    """One molecule as MiniMol reads it; all numbers are rounded to half precision, as in its training.

    Attributes
    ----------
    atoms
        float32, shape (A, 85).
    sources, targets
        Atoms of every directed bond, int64, shape (2 B,).
    bonds
        float32, shape (2 B, 13).
    eigen
        Eigenvalues of the graph's Laplacian, and of each eigenvector the atom's entry, float32, shape
        (A, 8, 2).
    returns
        Probability that a random walk is back after 1 to 16 steps, float32, shape (A, 16).
    """

    atoms: NDArray[np.float32]
    sources: NDArray[np.int64]
    targets: NDArray[np.int64]
    bonds: NDArray[np.float32]
    eigen: NDArray[np.float32]
    returns: NDArray[np.float32]


def read_graph(smiles: str) -> MiniMolGraph:
    """Return the features of a molecule, whose atoms are put in RDKit's canonical order.

    Raises
    ------
    ValueError
        If it is no molecule.

    Examples
    --------
    >>> graph = read_graph("CCO")
    >>> graph.atoms.shape, graph.bonds.shape, graph.eigen.shape, graph.returns.shape
    ((3, 85), (4, 13), (3, 8, 2), (3, 16))
    """
    mol = Chem.MolFromSmiles(smiles)
    if mol is None or not mol.GetNumAtoms():
        raise ValueError(f"{smiles!r} is no molecule")
    ranks = list(Chem.CanonicalRankAtoms(mol))
    mol = Chem.RemoveHs(Chem.RenumberAtoms(mol, sorted(range(len(ranks)), key=ranks.__getitem__)))
    pairs = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in mol.GetBonds()]
    ends = np.array([end for a, b in pairs for end in ((a, b), (b, a))], dtype=np.int64).reshape(-1, 2)
    size = mol.GetNumAtoms()
    adjacency = np.zeros((size, size))
    adjacency[ends[:, 0], ends[:, 1]] = 1
    bonds = np.array([_bond(bond) for bond in mol.GetBonds()], dtype=np.float32).reshape(-1, 13)
    return MiniMolGraph(
        np.array([_atom(atom) for atom in mol.GetAtoms()], dtype=np.float32),
        ends[:, 0],
        ends[:, 1],
        bonds.repeat(2, axis=0),
        _half(_laplacian(adjacency)),
        _half(_returns(adjacency)),
    )


def _half(values: NDArray[Any]) -> NDArray[np.float32]:
    return values.astype(np.float16).astype(np.float32)


def _one_hot(value: Any, known: list[Any]) -> list[bool]:
    """Return which of the known values it is; the last place is for any other."""
    found = [value == one for one in known]
    return [*found, not any(found)]


def _atom(atom: Any) -> list[float]:
    number = atom.GetAtomicNum()
    group = _GROUPS[number - 1]  # of a dummy atom, the last: so does the package
    period = Chem.GetPeriodicTable().GetRow(number) if number else 7
    return [
        atom.GetTotalDegree() - 2,
        atom.GetFormalCharge(),
        atom.GetNumRadicalElectrons(),
        atom.GetIsAromatic(),
        atom.IsInRing(),
        *_one_hot(atom.GetSymbol(), _SYMBOLS),
        *_one_hot(group, list(range(1, 20))),
        *_one_hot(period, list(range(1, 8))),
        *_one_hot(atom.GetTotalValence(), list(range(7))),
    ]


def _bond(bond: Any) -> list[bool]:
    return [*_one_hot(bond.GetBondType(), _BONDS), *_one_hot(bond.GetStereo(), _STEREO), bond.IsInRing()]


def _laplacian(adjacency: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the smallest eigenvalues and eigenvectors of each fragment's Laplacian, shape (A, 8, 2)."""
    laplacian = np.diag(adjacency.sum(axis=1)) - adjacency
    number, fragment = connected_components(csr_array(adjacency), directed=False)
    result = np.zeros((len(adjacency), _EIGENVECTORS, 2), dtype=np.float32)
    for one in range(number):
        rows = np.flatnonzero(fragment == one)
        # the general solver, as the package does: another gives other signs and other bases
        values, vectors = scipy.linalg.eig(laplacian[np.ix_(rows, rows)])
        order = values.argsort()[:_EIGENVECTORS]
        vectors = vectors[:, order]
        vectors = vectors / np.maximum(np.sqrt(np.sum(vectors**2, axis=0, keepdims=True)), 1e-4)
        result[rows, : len(order), 0] = values[order].real
        result[rows, : len(order), 1] = vectors.real
    return result


def _returns(adjacency: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return how likely a walk is back at its atom after each number of steps, shape (A, 16)."""
    if len(adjacency) == 1:
        return np.ones((1, _STEPS), dtype=np.float32)
    degree = adjacency.sum(axis=1, keepdims=True)
    step = (adjacency / np.maximum(degree, 1)).astype(np.float32)
    walk, found = step, []
    for _ in range(_STEPS):
        found.append(np.diagonal(walk))
        walk = walk @ step
    return np.stack(found, axis=-1)
