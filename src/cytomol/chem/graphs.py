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
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from cytomol.chem import features

__all__ = ["graph_arrays", "graph_arrays_plain"]

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


def graph_arrays(mols: Sequence[Chem.Mol | None]) -> dict[str, NDArray[Any]]:
    """Return the graphs of many molecules as flat arrays.

    Parameters
    ----------
    mols
        Sanitized molecules; None has no atoms and no edges. Length n.

    Returns
    -------
    dict
        "atoms" uint8 (A, 9), "atom_offsets" int64 (n + 1,), "edges" int32 (2, E) numbered within each
        molecule and sorted by molecule, target atom, bond; "edge_features" uint8 (E, 3);
        "edge_offsets" int64 (n + 1,).
    """
    if len(mols) >= _COMPILED_FROM and _binary_form_is_known():
        return _graph_arrays_compiled(mols)
    return graph_arrays_plain(mols)


def graph_arrays_plain(mols: Sequence[Chem.Mol | None]) -> dict[str, NDArray[Any]]:
    """Do what `graph_arrays` does, asking RDKit for every property of every atom."""
    atoms: list[Any] = []
    bonds: list[Any] = []
    counts = np.zeros((2, len(mols) + 1), dtype=np.int64)
    for i, mol in enumerate(mols, start=1):
        if mol is not None:
            atoms += mol.GetAtoms()
            bonds += mol.GetBonds()
        counts[:, i] = len(atoms), 2 * len(bonds)
    edges, edge_features = features.edge_rows(bonds)
    order = np.lexsort((edges[1], np.repeat(np.arange(len(mols)), np.diff(counts[1]))))
    return {
        "atoms": features.atom_rows(atoms),
        "atom_offsets": counts[0],
        "edges": np.ascontiguousarray(edges[:, order]),
        "edge_features": edge_features[order],
        "edge_offsets": counts[1],
    }


@cache
def _binary_form_is_known() -> bool:
    """Tell whether both paths agree on the probes."""
    block = rdBase.BlockLogs()
    try:
        mols = [Chem.MolFromSmiles(smiles) for smiles in _PROBES]
    finally:
        del block
    plain, compiled = graph_arrays_plain(mols), _graph_arrays_compiled(mols)
    if all(np.array_equal(plain[name], compiled[name]) for name in plain):
        return True
    warnings.warn(
        f"the binary form of molecules of RDKit {rdBase.rdkitVersion} is unknown; graphs are made more slowly",
        RuntimeWarning,
        stacklevel=2,
    )
    return False


def _graph_arrays_compiled(mols: Sequence[Chem.Mol | None]) -> dict[str, NDArray[Any]]:
    """Decode the binary forms in one compiled loop; molecules it cannot decode take the plain path."""
    from cytomol.chem import binary

    forms = [b"" if mol is None else mol.ToBinary(0) for mol in mols]
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
        mol = mols[i]
        plain = graph_arrays_plain([mol])
        a, b = atom_offsets[i : i + 2]
        arrays["atoms"][a:b] = plain["atoms"]
        a, b = edge_offsets[i : i + 2]
        arrays["edges"][:, a:b] = plain["edges"]
        arrays["edge_features"][a:b] = plain["edge_features"]
    return arrays
