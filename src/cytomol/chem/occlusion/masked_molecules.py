"""Molecules, each followed by itself without one atom after the other and without each of its pieces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from cytomol.chem.chunk import HEAVY, read_molecule
from cytomol.chem.featurize import featurize
from cytomol.chem.fingerprints import pack_bits
from cytomol.chem.occlusion.masked_bits import environments
from cytomol.chem.occlusion.masked_descriptors import masked_descriptors
from cytomol.chem.occlusion.masked_graph import GraphRows, masked_graph, no_graph
from cytomol.chem.occlusion.masked_keys import key_matches
from cytomol.chem.occlusion.pieces import pieces_of
from cytomol.chem.options import FeatureOptions
from cytomol.chem.store import MoleculeStore

__all__ = ["MaskedMolecules"]

_TOO_LARGE = "too large to be explained: more than 200 atoms or 20 rings"


@dataclass(frozen=True)
class MaskedMolecules:
    """Molecules and their masks: rows of the whole molecule, without each atom, without each piece.

    What a block of features is without an atom is what it can honestly say without it:

    - graph: the atom's node and its bonds are gone, the other nodes stay as they are;
    - Morgan bits and counts: environments that hold the atom no longer count;
    - MACCS keys: matches that hold the atom no longer count;
    - descriptors: the atom is a dummy, bonded as before but of no element;
    - geometry: stays, since a molecule without the atom has no conformer.

    So nothing is invented that no molecule has: a bit is lost, never gained.

    Attributes
    ----------
    smiles
        Molecules as given, length n.
    mols
        Molecules as read; None where invalid.
    errors
        Why a molecule is invalid; "" where it is valid.
    pieces
        Piece of each atom, for each molecule (see :func:`~cytomol.chem.occlusion.pieces.pieces_of`).
    offsets
        Rows of molecule i are ``offsets[i]`` to ``offsets[i + 1]``, int64, shape (n + 1,): one of an invalid
        molecule, else 1 + atoms + pieces.

    Examples
    --------
    >>> molecules = MaskedMolecules.read(["CCO", "no molecule"], FeatureOptions(morgan_bits=64))
    >>> molecules.offsets.tolist()
    [0, 5, 6]
    >>> molecules.store(FeatureOptions(morgan_bits=64)).atom_counts.tolist()
    [3, 2, 2, 2, 0, 0]
    """

    smiles: list[str]
    mols: list[Chem.Mol | None]
    errors: list[str]
    pieces: list[NDArray[np.int64]]
    offsets: NDArray[np.int64]

    @classmethod
    def read(cls, smiles: Sequence[str], options: FeatureOptions) -> MaskedMolecules:
        """Read molecules as the options say."""
        mols: list[Chem.Mol | None] = []
        errors = []
        block = rdBase.BlockLogs()
        try:
            for text in smiles:
                parsed = read_molecule(text, options, alone=False)
                mol, error = parsed.mol, _TOO_LARGE if parsed.reason == HEAVY else parsed.reason
                mols.append(mol)
                errors.append(error)
        finally:
            del block
        pieces = [np.zeros(0, np.int64) if mol is None else pieces_of(mol) for mol in mols]
        rows = [1 if not len(part) else 2 + len(part) + int(part.max()) for part in pieces]
        offsets = np.concatenate([[0], np.cumsum(rows)]).astype(np.int64)
        return cls([str(text) for text in smiles], mols, errors, pieces, offsets)

    def __len__(self) -> int:
        return len(self.smiles)

    @property
    def molecule(self) -> NDArray[np.int64]:
        """Molecule of each row, int64, shape (rows,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    def masks(self, number: int) -> NDArray[np.bool_]:
        """Return the masked atoms of each row of a molecule, bool, shape (rows, atoms)."""
        piece = self.pieces[number]
        atoms = len(piece)
        groups = piece[None] == np.arange(int(piece.max()) + 1 if atoms else 0)[:, None]
        return np.concatenate([np.zeros((1, atoms), bool), np.eye(atoms, dtype=bool), groups])

    def whole(self, options: FeatureOptions) -> MoleculeStore:
        """Featurize the molecules without masks, one row a molecule."""
        readable = [text if mol is not None else "" for text, mol in zip(self.smiles, self.mols, strict=True)]
        store = featurize(readable, options, workers=1, cache=None)
        errors = [ours or theirs for ours, theirs in zip(self.errors, store.errors, strict=True)]
        return replace(store, smiles=list(self.smiles), errors=errors)

    def store(self, options: FeatureOptions) -> MoleculeStore:
        """Featurize all rows.

        Parameters
        ----------
        options
            What to compute; how molecules are read is as in :meth:`read`.
        """
        whole = self.whole(options)
        graphs: list[GraphRows] = []
        blocks: dict[str, list[NDArray[Any]]] = {name: [] for name in whole.blocks}
        for number, mol in enumerate(self.mols):
            masks = self.masks(number)
            valid = mol is not None and bool(whole.valid[number])
            graphs.append(
                masked_graph(whole, number, masks) if valid and options.graph else no_graph(len(masks), whole)
            )
            made = _blocks(mol, masks, options) if valid and mol is not None else {}
            for name, rows in blocks.items():
                # what no mask changes (geometry, and everything of an invalid molecule) is repeated
                same = np.repeat(np.asarray(whole.blocks[name][number : number + 1]), len(masks), axis=0)
                rows.append(made.get(name, same))
        return MoleculeStore(
            smiles=[self.smiles[number] for number in self.molecule],
            errors=[whole.errors[number] for number in self.molecule],
            **_joined_graphs(graphs),
            blocks={name: np.concatenate(rows) for name, rows in blocks.items()},
            widths=dict(whole.widths),
        )


def _blocks(mol: Chem.Mol, masks: NDArray[np.bool_], options: FeatureOptions) -> dict[str, NDArray[Any]]:
    """Return the blocks of one molecule that masks change, one row a mask."""
    made: dict[str, NDArray[Any]] = {}
    if options.morgan_bits:
        counts = environments(mol, options.morgan_radius, options.morgan_bits).counts(masks)
        made["morgan"] = pack_bits(counts > 0)
        made["counts"] = counts
    if options.maccs:
        made["maccs"] = pack_bits(key_matches(mol).bits(masks))
    if options.descriptors:
        made["descriptors"] = masked_descriptors(mol, masks, canonical=options.chirality == "canonical")
    return made


def _joined_graphs(parts: list[GraphRows]) -> dict[str, NDArray[Any]]:
    """Return the graphs of all rows as the arrays of a store."""

    def offsets(counts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
        return np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int64)

    return {
        "atoms": np.concatenate([part.atoms for part in parts]),
        "atom_offsets": offsets([part.atom_counts for part in parts]),
        "edges": np.concatenate([part.edges for part in parts], axis=1),
        "edge_features": np.concatenate([part.edge_features for part in parts]),
        "edge_offsets": offsets([part.edge_counts for part in parts]),
    }
