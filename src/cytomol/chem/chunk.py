"""Molecules become the rows of a store in this process, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from cytomol.chem import fingerprints
from cytomol.chem.descriptors import DESCRIPTOR_NAMES, descriptors
from cytomol.chem.graphs import GraphBuilder
from cytomol.chem.options import FeatureOptions
from cytomol.chem.parse import ParsedMolecule, parse_quietly, refusal, smiles_text, without_atom_maps
from cytomol.chem.standardize import in_canonical_order, parent
from cytomol.chem.store import MoleculeStore

__all__ = ["HEAVY", "empty_store", "featurize_chunk", "is_light", "is_short", "read_molecule"]

HEAVY = "\0not featurized in this process"
"""Stands for the reason of a row until the row has been featurized by a worker."""

# Measured: the slowest kinds of molecule below these limits (chains, grids, complete graphs, cages) take
# less than a second for all features together.
_SHORT = 1000
_LIGHT_ATOMS = 200
_LIGHT_RINGS = 20


def is_short(smiles: Any) -> bool:
    """Tell whether a text can be parsed here, whatever it says."""
    return not isinstance(smiles, str) or len(smiles) <= _SHORT


def is_light(mol: Chem.Mol) -> bool:
    """Tell whether all features of a molecule are a matter of a second at most."""
    atoms = mol.GetNumAtoms()
    return atoms <= _LIGHT_ATOMS and mol.GetNumBonds() - atoms <= _LIGHT_RINGS


def featurize_chunk(smiles: Sequence[Any], options: FeatureOptions, *, alone: bool = False) -> MoleculeStore:
    """Featurize molecules in this process, one after the other.

    A molecule is read completely while it is warm in the processor's cache, then dropped; to parse all
    first and to read them afterwards takes half as long again. What could stall is left out with the
    reason `HEAVY`, unless this process may be killed and is ``alone``.
    """
    recipes = _recipes(options)
    graph = GraphBuilder(len(smiles) if options.graph else 0, chirality=options.chirality)
    errors: list[str] = []
    rows: dict[str, list[bytes]] = {recipe.name: [] for recipe in recipes}
    block = rdBase.BlockLogs()
    try:
        for text in smiles:
            parsed = read_molecule(text, options, alone=alone)
            errors.append(parsed.reason)
            graph.add(parsed.mol if options.graph else None)
            for recipe in recipes:
                rows[recipe.name].append(recipe.empty if parsed.mol is None else recipe.compute(parsed.mol))
    finally:
        del block
    return MoleculeStore(
        smiles=[smiles_text(text) for text in smiles],
        errors=errors,
        **graph.arrays(),
        blocks={
            r.name: np.frombuffer(b"".join(rows[r.name]), dtype=r.dtype).reshape(len(smiles), r.columns)
            for r in recipes
        },
        widths=options.widths,
    )


def empty_store(text: str, reason: str, options: FeatureOptions) -> MoleculeStore:
    """Return the row of a molecule without features, for a reason that its parsing does not tell."""
    return replace(featurize_chunk([""], options), smiles=[text], errors=[reason])


def read_molecule(text: Any, options: FeatureOptions, *, alone: bool = True) -> ParsedMolecule:
    """Parse one molecule as the options say; ``alone`` if it may take its time."""
    if options.chirality == "canonical":
        text = without_atom_maps(text)
    if not alone and not is_short(text):
        # What is too long for any molecule needs no process to say so.
        reason = refusal(text, options.max_atoms)
        return ParsedMolecule(None, reason or HEAVY)
    parsed = parse_quietly(text, max_atoms=options.max_atoms)
    if parsed.mol is None:
        return parsed
    if (atoms := parsed.mol.GetNumAtoms()) > options.max_atoms:
        return ParsedMolecule(None, f"{atoms:,} atoms, more than max_atoms {options.max_atoms:,}")
    if not alone and not is_light(parsed.mol):
        return ParsedMolecule(None, HEAVY)
    return parent(parsed.mol) if options.standardize == "parent" else parsed


class _Recipe(NamedTuple):
    """How to make one row of a block, as bytes."""

    name: str
    compute: Callable[[Chem.Mol], bytes]
    columns: int
    dtype: type[np.generic] = np.uint8
    fill: float = 0

    @property
    def empty(self) -> bytes:
        """Row of an invalid molecule."""
        return np.full(self.columns, self.fill, dtype=self.dtype).tobytes()


def _recipes(options: FeatureOptions) -> list[_Recipe]:
    radius, bits = options.morgan_radius, options.morgan_bits

    def described(mol: Chem.Mol) -> NDArray[np.float32]:
        # Some are ill-conditioned sums (Ipc) and others go by brackets: both need one order of atoms.
        return descriptors(in_canonical_order(mol) if options.chirality == "canonical" else mol)

    packed_width = fingerprints.packed_width
    known = (
        _Recipe("morgan", lambda mol: fingerprints.morgan_packed(mol, radius, bits), packed_width(bits)),
        _Recipe("maccs", fingerprints.maccs_packed, packed_width(fingerprints.MACCS_BITS)),
        _Recipe("counts", lambda mol: fingerprints.morgan_counts(mol, radius, bits).tobytes(), bits),
        _Recipe(
            "descriptors", lambda mol: described(mol).tobytes(), len(DESCRIPTOR_NAMES), np.float32, np.nan
        ),
    )
    return [recipe for recipe in known if recipe.name in options.widths]
