"""From molecules, a tree and tables of labels to a hierarchy with its tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.artifact.backbone import Backbone
from cytomol.cells.modality import TrainedModality
from cytomol.cells.tree.code_tree import Codes, CodeTree
from cytomol.cells.tree.enrichment import enrich
from cytomol.cells.tree.hierarchy import Hierarchy, level_use, path_agreement
from cytomol.cells.tree.label_tables import connectivities, corpus_labels, read_labels, scaffold_labels
from cytomol.cells.tree.tree_places import place_profiles
from cytomol.chem.scaffolds import murcko_scaffold
from cytomol.corpus.schema import Corpus
from cytomol.errors import InputError

__all__ = ["read_hierarchy"]


def read_hierarchy(
    backbone: Backbone,
    tree: CodeTree,
    molecules: pd.DataFrame,
    places: NDArray[np.float32],
    *,
    labels: Sequence[str | Path] = (),
    label_columns: Sequence[str] = (),
    corpus: Corpus | None = None,
    fewest: int = 5,
) -> Hierarchy:
    """Divide molecules by a tree, and test its nodes for what their members have in common.

    One molecule of each connectivity enters the tests, the first, so that stereoisomers do not count twice.

    Parameters
    ----------
    backbone, tree
        The model and a tree of its places.
    molecules
        With the column ``smiles``, and ``inchikey`` where known.
    places
        Of the molecules, shape (molecules, width); NaN for invalid ones.
    labels, label_columns
        Tables of labels, and which of their columns to read; see
        :func:`~cytomol.cells.tree.label_tables.read_labels`.
    corpus
        Whose molecules these are, for the targets that its relations tell and for profiles.
    fewest
        Fewest molecules that a label, and a node, must have to be tested.

    Raises
    ------
    InputError
        If no molecule is valid.
    """
    codes = tree.codes(places)
    if (codes.path[:, 0] < 0).all():
        raise InputError("none of the molecules can be read", hint="is this the column of SMILES?")
    smiles = molecules["smiles"].fillna("").astype(str).tolist()
    keys = molecules["inchikey"].fillna("").astype(str).tolist() if "inchikey" in molecules else None
    there = codes.path[:, 0] >= 0
    blocks = [name if known else "" for name, known in zip(connectivities(smiles, keys), there, strict=True)]
    own = _first_alike(blocks)
    # a molecule that cannot be read, or was there before, has no place in the tests
    tested = (own == np.arange(len(own))) & there
    path = np.where(tested[:, None], codes.path, -1)
    scaffolds = [murcko_scaffold(text) if kept else "" for text, kept in zip(smiles, tested, strict=True)]
    kinds = [scaffold_labels(scaffolds)]
    if corpus is not None:
        kinds += corpus_labels(corpus, own, len(smiles))
    for table in labels:
        kinds += read_labels(table, blocks, label_columns)
    numbers = pd.factorize(pd.Series(scaffolds))[0].astype(np.int64)
    tests = [enrich(path, tree.level_sizes, kind, numbers, fewest=fewest) for kind in kinds]
    uses, agreements = _of_profiles(backbone, tree, codes, corpus)
    about: dict[str, str | None] = {"model": backbone.name, "digest": backbone.digest, "places": tree.places}
    about |= {"modality": tree.modality, "source": "molecules" if corpus is None else "corpus"}
    counts = {"rows": len(molecules), "molecules": int(there.sum()), "tested": int(tested.sum())}
    uses = [level_use(tree, codes, "molecules"), *uses]
    return Hierarchy(tree, molecules, codes, own, uses, agreements, tests, {**about, **counts})


def _first_alike(blocks: Sequence[str]) -> NDArray[np.int64]:
    """Return the first row of the connectivity of each row; a row without one is its own."""
    named = pd.Series([block or f"row {row}" for row, block in enumerate(blocks)])
    first = named.drop_duplicates()
    return pd.Series(first.index, index=first.to_numpy()).loc[named].to_numpy(np.int64)


def _of_profiles(
    backbone: Backbone, tree: CodeTree, codes: Codes, corpus: Corpus | None
) -> tuple[list[pd.DataFrame], list[pd.DataFrame]]:
    """Return how the profiles of a corpus use the tree, and how far they go with their molecules.

    Parameters
    ----------
    backbone, tree
        The model and a tree of its places.
    codes
        Of the molecules of the corpus.
    corpus
        Where the profiles are; None for none.
    """
    uses, agreements = [], []
    for name, modality in {} if corpus is None else corpus.modalities.items():
        if not _placed(backbone, tree, name):
            continue
        trained = TrainedModality(backbone, name)
        values = trained.aligned(modality.values, modality.columns, where=f"modality {name}")
        values = trained.corrected(values, modality.provenance.frame())
        profiles = tree.codes(place_profiles(trained, values, tree.places, tree.modality))
        uses.append(level_use(tree, profiles, name))
        if modality.entity == "molecule":
            agreements.append(path_agreement(name, profiles.path, codes.path[modality.rows]))
    return uses, agreements


def _placed(backbone: Backbone, tree: CodeTree, name: str) -> bool:
    """Tell whether profiles of a modality have a place in the tree."""
    if name not in backbone.modalities:
        return False
    if tree.places == "decoded":
        return name == tree.modality
    return TrainedModality(backbone, name).projected and name in backbone.typical
