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

__all__ = [
    "HEAVY",
    "empty_store",
    "featurize_chunk",
    "featurize_chunk_several",
    "is_light",
    "is_short",
    "read_molecule",
]

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
    """Featurize molecules in this process, one after the other (see `featurize_chunk_several`)."""
    return featurize_chunk_several(smiles, [options], alone=alone)[0]


def featurize_chunk_several(
    smiles: Sequence[Any], wanted: Sequence[FeatureOptions], *, alone: bool = False
) -> list[MoleculeStore]:
    """Featurize molecules in several ways in this process, one after the other; a store for each way.

    A molecule is read completely while it is warm in the processor's cache, then dropped; to parse all
    first and to read them afterwards takes half as long again. It is parsed once for all ways that read it
    alike. What could stall is left out with the reason `HEAVY`, unless this process may be killed and is
    ``alone``.
    """
    rows = [_Rows(options, len(smiles)) for options in wanted]
    alike: dict[Any, list[_Rows]] = {}
    for each in rows:
        alike.setdefault(_reading(each.options), []).append(each)
    block = rdBase.BlockLogs()
    try:
        for text in smiles:
            for ways in alike.values():
                parsed = read_molecule(text, ways[0].options, alone=alone)
                for each in ways:
                    each.add(parsed)
    finally:
        del block
    return [each.store(smiles) for each in rows]


def _reading(options: FeatureOptions) -> Any:
    """Return what `read_molecule` looks at."""
    return options.chirality, options.max_atoms, options.standardize


class _Rows:
    """Rows of a store in the making."""

    def __init__(self, options: FeatureOptions, expected: int) -> None:
        self.options = options
        self._recipes = _recipes(options)
        self._graph = GraphBuilder(expected if options.graph else 0, chirality=options.chirality)
        self._errors: list[str] = []
        self._blocks: dict[str, list[bytes]] = {recipe.name: [] for recipe in self._recipes}

    def add(self, parsed: ParsedMolecule) -> None:
        """Add the row of a molecule."""
        self._errors.append(parsed.reason)
        self._graph.add(parsed.mol if self.options.graph else None)
        for recipe in self._recipes:
            row = recipe.empty if parsed.mol is None else recipe.compute(parsed.mol)
            self._blocks[recipe.name].append(row)

    def store(self, smiles: Sequence[Any]) -> MoleculeStore:
        """Return the store of the molecules added, as they are written."""
        return MoleculeStore(
            smiles=[smiles_text(text) for text in smiles],
            errors=self._errors,
            **self._graph.arrays(),
            blocks={
                r.name: np.frombuffer(b"".join(self._blocks[r.name]), dtype=r.dtype).reshape(-1, r.columns)
                for r in self._recipes
            },
            widths=self.options.widths,
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
