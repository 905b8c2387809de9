"""What a pretrained backbone makes of molecules, as one more block of features that a matcher reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cytomol.artifact.backbone import Backbone
from cytomol.cells.matcher.structure_kernel import EMBEDDING, STRUCTURE_BLOCKS, blocks_of, structure_store
from cytomol.chem.featurize import featurize
from cytomol.chem.store import MoleculeStore

__all__ = ["BackboneBlocks"]

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class BackboneBlocks:
    """Reads structures and their embedding by a backbone of any method.

    Attributes
    ----------
    backbone
        The backbone.

    Examples
    --------
    >>> blocks, valid = BackboneBlocks(Backbone.load("model"))(["CCO", "no molecule"])
    >>> sorted(blocks), valid.tolist()
    (['counts', 'descriptors', 'embedding', 'wide counts'], [True, False])
    """

    backbone: Backbone

    def __call__(
        self, smiles: Sequence[str], *, workers: int | None = None
    ) -> tuple[dict[str, Matrix], NDArray[np.bool_]]:
        """Return the blocks of molecules, float32, shape (n, width) each, and which are valid, shape (n,)."""
        return self.blocks_of(self.store(smiles, workers=workers))

    def store(self, smiles: Sequence[str], *, workers: int | None = None) -> MoleculeStore:
        """Featurize molecules for matcher and backbone, without the cache; row i answers SMILES i."""
        store = featurize(smiles, self.backbone.feature_options, workers=workers, cache=None)
        structures = structure_store(smiles, workers=workers, cache=None)
        errors = [one or other for one, other in zip(store.errors, structures.errors, strict=True)]
        store = replace(store, errors=errors)
        for name in STRUCTURE_BLOCKS:
            store = store.with_block(name, structures.blocks[name], structures.widths[name])
        return store

    def blocks_of(
        self, store: MoleculeStore, rows: NDArray[np.int64] | None = None
    ) -> tuple[dict[str, Matrix], NDArray[np.bool_]]:
        """Return the blocks of (some rows of) such a store, 0 where invalid, and which molecules are valid.

        Examples
        --------
        >>> reader = BackboneBlocks(Backbone.load("model"))
        >>> blocks, _ = reader.blocks_of(reader.store(["CCO", "CCN"]), np.array([1]))
        >>> blocks["embedding"].shape == (1, reader.backbone.embedding_width)
        True
        """
        blocks, valid = blocks_of(store, rows)
        embedding, _ = self.backbone.embed(store if rows is None else store.take(rows))
        embedding[~valid] = 0.0
        return {**blocks, EMBEDDING: embedding}, valid
