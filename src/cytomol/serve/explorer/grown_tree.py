"""The tree of a backbone that was trained with one, filled with molecules while the page is open."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cytomol.artifact.backbone import Backbone
from cytomol.cells.tree.code_tree import CodeTree, trained_tree
from cytomol.cells.tree.read_tree import read_hierarchy
from cytomol.errors import ConfigError, InputError
from cytomol.serve.explorer.background import in_background
from cytomol.serve.explorer.explored_library import ExploredLibrary
from cytomol.serve.explorer.explored_model import ExploredModel
from cytomol.serve.explorer.explored_tree import ExploredTree

__all__ = ["GrownTree"]

_MOST = 5000  # molecules that are led through the tree
_PART = 256


class GrownTree:
    """Leads the molecules of a library through the trained tree of a backbone, as ``cytomol hierarchy`` does.

    Parameters
    ----------
    model
        Whose tree it is.
    library
        The molecules; the first 5,000 of them, the library's own before those learnt from.

    Examples
    --------
    >>> from cytomol.tables.molecules import MoleculeTable
    >>> table = MoleculeTable(pd.DataFrame({"smiles": ["CCO", "CCN", "c1ccccc1O"]}), "smiles", "shop.csv")
    >>> with ExploredModel.open("model") as model:
    ...     grown = GrownTree(model, ExploredLibrary.gather(None, table))
    ...     grown.grow().node("")["members"]
    3
    """

    def __init__(self, model: ExploredModel, library: ExploredLibrary) -> None:
        self._model, self._library = model, library
        self.done, self.total = 0, min(len(library), _MOST)
        self.error = ""
        self.tree: ExploredTree | None = None

    @staticmethod
    def tree_of(backbone: Backbone | None) -> CodeTree | None:
        """Return the tree that a backbone was trained with; None where there is none."""
        if backbone is None:
            return None
        try:
            return trained_tree(backbone)
        except ConfigError:  # trained without one
            return None

    def start(self) -> None:
        """Grow it in the background."""
        in_background(self.grow, self._failed, name="cytomol-tree")

    def grow(self) -> ExploredTree:
        """Place the molecules, test the nodes for what their members share, and return the tree.

        Raises
        ------
        InputError
            If no molecule is valid, or the model has no tree.
        """
        backbone = self._model.served.backbone
        tree = self.tree_of(backbone)
        if backbone is None or tree is None:
            raise InputError("the model was trained without a tree", hint="give one with --hierarchy DIR")
        count, first = len(self._library), self._library.learnt
        rows = [*range(first, count), *range(first)][:_MOST]
        smiles = [self._library.smiles[row] for row in rows]
        if not smiles:
            raise InputError("there are no molecules to lead through the tree", hint="give --library FILE")
        parts = []
        for start in range(0, len(smiles), _PART):
            parts.append(self._model.places(smiles[start : start + _PART], tree))
            self.done = min(start + _PART, len(smiles))
        molecules = pd.DataFrame({"smiles": smiles, "id": [self._library.ids[row] for row in rows]})
        placed = np.concatenate(parts)
        with tempfile.TemporaryDirectory(prefix="cytomol-") as folder:
            read_hierarchy(backbone, tree, molecules, placed).write(Path(folder), placed)
            self.tree = ExploredTree.read(folder)
        return self.tree

    def status(self) -> dict[str, Any]:
        """Return what the page says while the tree grows."""
        return {"growing": not self.error, "done": self.done, "total": self.total, "error": self.error}

    def _failed(self, why: str) -> None:
        self.error = why
