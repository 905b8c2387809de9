"""Paths of molecules and of profiles through a tree, part by part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.artifact.backbone import Backbone
from cytomol.cells.modality import TrainedModality
from cytomol.cells.profile_stream import read_profile_chunks
from cytomol.cells.tree.code_tree import Codes, CodeTree
from cytomol.cells.tree.tree_places import place_molecules, place_profiles
from cytomol.chem.featurize import featurize
from cytomol.corpus.identifiers import SMILES, plain_name
from cytomol.errors import InputError
from cytomol.nn.allocator import give_back_memory
from cytomol.tables.columns import free_name
from cytomol.tables.molecules import MoleculeTable
from cytomol.tables.row_errors import RowErrors

__all__ = [
    "MoleculesOfProfiles",
    "beside",
    "code_columns",
    "code_molecules",
    "code_profiles",
    "names_beside",
    "shared_levels",
]

CHUNK = 8192
Progress = Callable[[int, int], None]


def shared_levels(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count the levels, from the root, on which two paths run together; -1 where either is absent.

    Parameters
    ----------
    one, other
        Node of each level, int64, shape (n, levels).

    Examples
    --------
    >>> import numpy as np
    >>> shared_levels(np.array([[0, 1, 2], [1, 2, 4]]), np.array([[0, 1, 3], [1, 2, 4]])).tolist()
    [2, 3]
    """
    together = np.logical_and.accumulate(one == other, axis=1).sum(axis=1)
    return np.where((one[:, 0] < 0) | (other[:, 0] < 0), -1, together)


def code_columns(tree: CodeTree, codes: Codes, prefix: str = "") -> pd.DataFrame:
    """Return paths as columns: ``path`` as text, ``node_1`` ... for each level, ``distance`` to the code."""
    absent = codes.path[:, 0] < 0
    columns: dict[str, object] = {f"{prefix}path": pd.Series(tree.texts(codes.path), dtype=object)}
    for level in range(codes.path.shape[1]):
        nodes = pd.Series(codes.path[:, level], dtype="Int64")
        columns[f"{prefix}node_{level + 1}"] = nodes.mask(pd.Series(absent))
    columns[f"{prefix}distance"] = codes.distance
    return pd.DataFrame(columns)


def code_molecules(
    backbone: Backbone,
    tree: CodeTree,
    errors: RowErrors,
    *,
    keep: Sequence[str] | None = None,
    batch_size: int = 256,
    workers: int | None = None,
    rows: int = CHUNK,
    progress: Progress | None = None,
) -> Iterator[pd.DataFrame]:
    """Yield the rows of a table with their paths, in order, some at a time.

    Parameters
    ----------
    backbone, tree
        The model and a tree of its places.
    errors
        The table of molecules, and what an invalid one does; filled on the way.
    keep
        Columns of the table to hold beside the SMILES; None for all.
    batch_size, workers
        Molecules in a pass; processes that featurize.
    rows
        Molecules at a time.
    progress
        Called with (rows done, rows in all).

    Yields
    ------
    The table's columns, those of :func:`code_columns` and ``error``, the reason why a molecule is invalid. A
    column of the table that is called so stays, and the answer is called ``..._of_tree``.

    Raises
    ------
    InputError
        If an invalid molecule is to stop it.
    """
    kept, smiles = errors.table.kept(keep), errors.table.smiles
    for start in range(0, len(smiles), rows):
        part = slice(start, start + rows)
        codes, found = _codes_of(backbone, tree, smiles[part], batch_size, workers)
        answers = code_columns(tree, codes)
        answers["error"] = reasons = errors.add(found)
        whole = beside(kept.iloc[part], answers)
        yield whole[[not reason for reason in reasons]] if errors.on_error == "drop" else whole
        give_back_memory()
        if progress is not None:
            progress(min(start + rows, len(smiles)), len(smiles))


class MoleculesOfProfiles:
    """Finds the molecule of each profile: its SMILES stand beside the profile, or in a table with its id.

    Parameters
    ----------
    table
        Table of molecules that is joined by a column of the same name; None to look beside the profiles.
    """

    def __init__(self, table: MoleculeTable | None = None) -> None:
        self._table = table

    def smiles(self, metadata: pd.DataFrame, *, where: str) -> list[str] | None:
        """Return the SMILES of each row, "" where there is none; None if nothing tells.

        Raises
        ------
        InputError
            If no column that it shares with the profiles names each molecule of the table once.
        """
        if self._table is None:
            named = [name for name in metadata.columns if plain_name(str(name)) in SMILES]
            return None if not named else metadata[named[0]].fillna("").astype(str).tolist()
        frame, smiles = self._table.frame, self._table.smiles_col
        plain = {plain_name(str(name)): name for name in frame.columns if name != smiles}
        shared = [name for name in metadata.columns if plain_name(str(name)) in plain]
        if not shared:
            raise InputError(
                f"shares no column with {self._table.where} by which a profile would find its molecule",
                where=where,
                hint=f"it has {', '.join(map(str, metadata.columns[:8])) or 'features alone'}",
            )
        for name in shared:
            ids = frame[plain[plain_name(str(name))]]
            pairs = pd.DataFrame({"id": ids.astype(str), "smiles": list(self._table.smiles)})
            pairs = pairs[ids.notna() & (pairs["id"] != "")].drop_duplicates()
            if pairs["id"].is_unique:
                known = dict(zip(pairs["id"], pairs["smiles"], strict=True))
                return [known.get(str(key), "") for key in metadata[name]]
        raise InputError(
            f"{', '.join(map(str, shared))} names several molecules of {self._table.where} alike",
            where=where,
            hint="join by an id that each molecule has for itself",
        )


def code_profiles(
    modality: TrainedModality,
    tree: CodeTree,
    path: str | Path,
    molecules: MoleculesOfProfiles,
    *,
    layer: str | None = None,
    batch_size: int = 256,
    workers: int | None = None,
    rows: int = CHUNK,
) -> Iterator[pd.DataFrame]:
    """Yield the profiles of a table with their paths, and those of their molecules where these are known.

    Yields
    ------
    What stands beside the features, the columns of :func:`code_columns`, and, where molecules are known, the
    same with ``molecule_`` before their names and ``shared_levels``, on how many levels from the root the two
    run together.
    """
    for chunk in read_profile_chunks(path, modality, layer=layer, rows=rows):
        codes = tree.codes(place_profiles(modality, chunk.values, tree.places, tree.modality))
        answers = code_columns(tree, codes)
        smiles = molecules.smiles(chunk.metadata, where=str(path))
        if smiles is not None:
            of_each, once = pd.factorize(np.array(smiles, object))  # replicates have one molecule
            found, reasons = _codes_of(modality.backbone, tree, once.tolist(), batch_size, workers)
            own = Codes(found.path[of_each], found.distance[of_each])
            shared = pd.Series(shared_levels(codes.path, own.path), dtype="Int64")
            answers = pd.concat([answers, code_columns(tree, own, "molecule_")], axis=1)
            answers["shared_levels"] = shared.mask(shared < 0)
            answers["molecule_error"] = [reasons[molecule] for molecule in of_each]
        yield beside(chunk.metadata, answers)
        give_back_memory()


def _codes_of(
    backbone: Backbone, tree: CodeTree, smiles: Sequence[str], batch_size: int, workers: int | None
) -> tuple[Codes, list[str]]:
    store = featurize(smiles, backbone.feature_options, workers=workers, cache=None)
    places = place_molecules(backbone, store, tree.places, tree.modality, batch_size=batch_size)
    return tree.codes(places), list(store.errors)


def names_beside(kept: pd.DataFrame, answers: pd.DataFrame) -> dict[str, str]:
    """Return the new names of those answers that would be called like a column of the input.

    Examples
    --------
    >>> import pandas as pd
    >>> names_beside(pd.DataFrame({"path": ["a"]}), pd.DataFrame({"path": ["01"], "distance": [0.1]}))
    {'path': 'path_of_tree'}
    """
    names = [str(name) for name in answers]
    taken = {*map(str, kept.columns), *names}
    return {name: free_name(f"{name}_of_tree", taken, f"{name}_of_tree_2") for name in names if name in kept}


def beside(kept: pd.DataFrame, answers: pd.DataFrame) -> pd.DataFrame:
    """Join columns of the input and answers; an answer gives way to a column of its name."""
    named = answers.rename(columns=names_beside(kept, answers))
    return pd.concat([kept.reset_index(drop=True), named], axis=1)
