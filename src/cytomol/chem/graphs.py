"""Molecules become graphs in flat arrays, many at a time.

Asking RDKit for each property of each atom from Python costs three times as much as parsing. So for many
molecules the features are read from RDKit's own binary form of the molecule, which one call per molecule
writes, by a compiled loop. That form is RDKit's (`Code/GraphMol/MolPickler.cpp`): whatever the loop does
not know sends the molecule down the plain path, and the first use compares both paths on molecules that
exercise every field; if they differ, the plain path serves all.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from cytomol.chem import features, parity

__all__ = ["Chirality", "GraphBuilder", "graph_arrays"]

Chirality: TypeAlias = Literal["canonical", "as_written"]
"""Whether the tag of a stereocentre goes by the molecule alone or, as in OGB, by the order of its SMILES."""

_from_binary: Any = Chem.Mol  # its types leave this constructor out
_Part: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.uint8]]

_COMPILED_FROM = 96  # molecules; below this, loading the compiled loop costs more than it gains
_PROBES = (
    "C[C@H](F)/C=C/[C@@H](O)C#N",
    "c1ccc2[nH]ccc2c1.[Na+].[Cl-]",
    "*C([2H])[13CH2:7][CH2]",
    "[CH3:200]C[*:1]",
    "F[P-](F)(F)(F)(F)F",
    "C[Pt@SP1](F)(Cl)Br",
    "[NH3]->[Fe+2].[U+6].[H][H]",
    "C1CC2CCC1CC2",
    "[O-][N+](=O)c1ccccc1S(=O)(=O)N",
    "C" * 300 + "/C=C\\C1CC1",
)


class GraphBuilder:
    """Collects molecules one by one, so that none has to stay in memory, and gives their flat arrays.

    Parameters
    ----------
    expected
        About how many molecules will come; it only decides which way they are read.
    compiled
        Read the binary form (True), or ask RDKit for each property (False); None chooses.
    chirality
        "canonical" (`cytomol.chem.parity`) or "as_written".
    """

    def __init__(
        self, expected: int, *, compiled: bool | None = None, chirality: Chirality = "as_written"
    ) -> None:
        if compiled is None:
            compiled = expected >= _COMPILED_FROM and _binary_form_is_known()
        self._compiled = compiled
        self._canonical = chirality == "canonical"
        self._forms: list[bytes] = []
        self._parts: list[_Part] = []

    def add(self, mol: Chem.Mol | None) -> None:
        """Add a sanitized molecule; None has no atoms and no edges."""
        if self._compiled:
            self._forms.append(b"" if mol is None else mol.ToBinary(0))
        else:
            self._parts.append(_plain(mol, canonical=self._canonical))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the graphs of the n molecules so far.

        Returns
        -------
        dict
            "atoms" uint8 (A, 9), "atom_offsets" int64 (n + 1,), "edges" int32 (2, E) numbered within each
            molecule and sorted by molecule, target atom, bond; "edge_features" uint8 (E, 3);
            "edge_offsets" int64 (n + 1,).
        """
        return _decode(self._forms, canonical=self._canonical) if self._compiled else _join(self._parts)


def graph_arrays(
    mols: Sequence[Chem.Mol | None], *, compiled: bool | None = None, chirality: Chirality = "as_written"
) -> dict[str, NDArray[Any]]:
    """Return the graphs of many molecules as flat arrays, as `GraphBuilder.arrays` does."""
    builder = GraphBuilder(len(mols), compiled=compiled, chirality=chirality)
    for mol in mols:
        builder.add(mol)
    return builder.arrays()


def _plain(mol: Chem.Mol | None, *, canonical: bool = False) -> _Part:
    """Return atom features, edges sorted by target atom, and edge features of one molecule."""
    if mol is None:
        return _empty()
    edges, edge_features = features.bond_features(mol)
    order = np.argsort(edges[1], kind="stable")
    part = features.atom_features(mol), edges[:, order], edge_features[order]
    if canonical and parity.has_centre(part[0]) and not parity.retag(*part):
        part[0][:, 1] = parity.canonical_tags(mol)
    return part


@cache
def _empty() -> _Part:
    """Return the arrays of no molecule."""
    return _plain(Chem.Mol())


def _join(parts: list[_Part]) -> dict[str, NDArray[Any]]:
    atoms, edges, edge_features = zip(*(parts or [_plain(None)]), strict=True)
    sizes = np.array([(len(a), len(f)) for a, _, f in parts], dtype=np.int64).reshape(-1, 2)
    offsets = np.concatenate([np.zeros((1, 2), dtype=np.int64), np.cumsum(sizes, axis=0)])
    return {
        "atoms": np.concatenate(atoms),
        "atom_offsets": np.ascontiguousarray(offsets[:, 0]),
        "edges": np.concatenate(edges, axis=1),
        "edge_features": np.concatenate(edge_features),
        "edge_offsets": np.ascontiguousarray(offsets[:, 1]),
    }


@cache
def _binary_form_is_known() -> bool:
    """Tell whether both paths agree on the probes."""
    block = rdBase.BlockLogs()
    try:
        mols = [Chem.MolFromSmiles(smiles) for smiles in _PROBES]
    finally:
        del block
    plain, compiled = (graph_arrays(mols, compiled=way) for way in (False, True))
    if all(np.array_equal(plain[name], compiled[name]) for name in plain):
        return True
    warnings.warn(
        f"RDKit {rdBase.rdkitVersion} writes molecules in an unknown form; graphs are made more slowly",
        RuntimeWarning,
        stacklevel=2,
    )
    return False


def _decode(forms: list[bytes], *, canonical: bool) -> dict[str, NDArray[Any]]:
    """Decode binary forms in one compiled loop; those it does not know take the plain path."""
    from cytomol.chem import binary

    starts = np.zeros(len(forms) + 1, dtype=np.int64)
    np.cumsum([len(form) for form in forms], out=starts[1:])
    data = np.frombuffer(b"".join(forms), dtype=np.uint8)
    atom_offsets, edge_offsets = binary.counts(data, starts)
    arrays: dict[str, NDArray[Any]] = {
        "atoms": np.empty((atom_offsets[-1], len(features.ATOM_FEATURE_SIZES)), dtype=np.uint8),
        "atom_offsets": atom_offsets,
        "edges": np.empty((2, edge_offsets[-1]), dtype=np.int32),
        "edge_features": np.empty((edge_offsets[-1], len(features.BOND_FEATURE_SIZES)), dtype=np.uint8),
        "edge_offsets": edge_offsets,
    }
    decoded = binary.decode(data, starts, *arrays.values())
    for i in np.flatnonzero(~decoded):
        rows = slice(*atom_offsets[i : i + 2])
        columns = slice(*edge_offsets[i : i + 2])
        plain = _plain(_from_binary(forms[i]))
        arrays["atoms"][rows], arrays["edges"][:, columns], arrays["edge_features"][columns] = plain
    if canonical:
        for i in np.flatnonzero(binary.retag(*arrays.values())):
            rows = slice(*atom_offsets[i : i + 2])
            arrays["atoms"][rows, 1] = parity.canonical_tags(_from_binary(forms[i]))
    return arrays
