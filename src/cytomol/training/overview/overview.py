"""The figures that are kept beside a backbone, so that its report is a function of its directory."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytomol.artifact.backbone import Backbone
from cytomol.corpus.schema import Corpus
from cytomol.training.dataset.data import PretrainData
from cytomol.training.dataset.exclude import molecule_groups
from cytomol.training.overview.cell_map import MOST_MOLECULES, cell_map, sampled
from cytomol.training.overview.code_use import code_book, code_use, nodes_of
from cytomol.training.overview.learnt_from import learnt_from

__all__ = ["OVERVIEW", "MoleculeLabels", "known_labels", "labels_of", "overview", "overview_text"]

OVERVIEW = "overview.json"
"""File of a backbone's directory."""

_MOST_COUNTED = 3000  # molecules whose codes are counted
_COLUMNS = ("mechanism", "moa", "mechanism_of_action")


@dataclass(frozen=True)
class MoleculeLabels:
    """What is said of molecules, for the colours of the map.

    Attributes
    ----------
    kind
        What the labels are: "mechanism", "target".
    labels
        One for each molecule of the corpus, "" where nothing is known.
    """

    kind: str
    labels: Sequence[str]


def overview(
    backbone: Backbone, corpus: Corpus, data: PretrainData, labels: MoleculeLabels | None = None
) -> dict[str, Any]:
    """Return what a backbone has learnt from, how its codes are used, and its map.

    Parameters
    ----------
    backbone
        The trained model.
    corpus
        As it was learnt from: without what was left out.
    data
        What training made of it.
    labels
        Of the molecules; by default what the corpus says of their mechanisms, else of their targets.

    Returns
    -------
    ``learnt_from``, ``codes`` (None without codes), ``map`` (None where there is too little to draw) and
    ``label_kind``.
    """
    labels = known_labels(corpus) if labels is None else labels
    valid, known = np.asarray(data.store.valid), np.zeros(len(corpus), np.bool_)
    measured = _measured(corpus)
    known |= np.array([bool(names) for names in measured], np.bool_)
    if labels is not None:
        known |= np.array([bool(label) for label in labels.labels], np.bool_)
    counted = sampled(valid, known, most=_MOST_COUNTED, seed=backbone.config.seed)
    anchors = _anchors(backbone, data, counted)
    book = code_book(backbone.method)
    drawn = sampled(_marked(counted, len(valid)), known, most=MOST_MOLECULES, seed=backbone.config.seed)
    drawn = _distinct(corpus, drawn)
    places = anchors[np.searchsorted(counted, drawn)]
    texts = {
        "label": [""] * len(corpus) if labels is None else labels.labels,
        "measured": [" + ".join(names) for names in measured],
    }
    return {
        "learnt_from": learnt_from(corpus, data),
        "codes": None if book is None else code_use(book, nodes_of(book, anchors)),
        "map": cell_map(backbone, data, drawn, places, texts),
        "label_kind": None if labels is None else labels.kind,
    }


def overview_text(found: dict[str, Any]) -> str:
    """Return the content of :data:`OVERVIEW`."""
    return json.dumps(found, separators=(",", ":"), ensure_ascii=False) + "\n"


def known_labels(corpus: Corpus) -> MoleculeLabels | None:
    """Return what a corpus says of its molecules: a column of mechanisms, else their annotated targets.

    Of several labels of a molecule the one is taken that most molecules have.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"mol_id": ["a", "b"], "smiles": ["C", "CC"], "moa": ["opioid", "opioid|ppar"]})
    >>> known_labels(Corpus(table, pd.DataFrame({"gene_id": []}))).labels
    ['opioid', 'opioid']
    """
    said: list[list[str]] = [[] for _ in range(len(corpus))]
    for name in corpus.molecules.columns:
        if str(name).strip().lower() in _COLUMNS:
            cells = corpus.molecules[name].fillna("").astype(str)
            said = [[word.strip() for word in cell.split("|") if word.strip()] for cell in cells]
            return MoleculeLabels("mechanism", _commonest(said))
    genes = corpus.genes["gene_id"].astype(str).tolist()
    for relation in corpus.relations.values():
        if (relation.source_entity, relation.target_entity) == ("molecule", "gene"):
            for molecule, gene in zip(relation.source.tolist(), relation.target.tolist(), strict=True):
                said[molecule].append(genes[gene])
    return MoleculeLabels("target", _commonest(said)) if any(said) else None


def labels_of(
    kind: str,
    names: Sequence[str],
    molecule: NDArray[np.int64],
    label: NDArray[np.int64],
    molecules: int,
) -> MoleculeLabels:
    """Return one label for each molecule from statements, the one that most molecules have.

    Parameters
    ----------
    kind, names
        What the labels are, and the labels.
    molecule, label
        Molecule and label (a place in ``names``) of each statement, int64, shape (statements,).
    molecules
        How many molecules there are.

    Examples
    --------
    >>> labels_of("moa", ["a", "b"], np.array([0, 1, 1]), np.array([1, 0, 1]), 3).labels
    ['b', 'b', '']
    """
    said: list[list[str]] = [[] for _ in range(molecules)]
    for row, place in zip(molecule.tolist(), label.tolist(), strict=True):
        said[row].append(names[place])
    return MoleculeLabels(kind, _commonest(said))


def _measured(corpus: Corpus) -> list[list[str]]:
    """Return the modalities of which each molecule has a profile."""
    names: list[list[str]] = [[] for _ in range(len(corpus))]
    for modality in corpus.modalities.values():
        if modality.entity == "molecule":
            for row in np.unique(modality.rows).tolist():
                names[row].append(modality.name)
    return names


def _commonest(said: list[list[str]]) -> list[str]:
    """Return the label of each molecule that most molecules have; among equals the first by name."""
    counts = Counter(word for words in said for word in set(words))
    return [min(words, key=lambda word: (-counts[word], word)) if words else "" for words in said]


def _anchors(backbone: Backbone, data: PretrainData, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return where the model places some molecules, float32, shape (n, width)."""
    method = backbone.method
    found = backbone.answers(
        data.store.take(rows),
        lambda batch: {"anchor": method.anchor(batch)},
        {"anchor": method.anchor_width},
    )
    return found["anchor"]


def _distinct(corpus: Corpus, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first of those molecules that share a connectivity."""
    table = corpus.molecules.iloc[rows].reset_index(drop=True)
    groups = molecule_groups(Corpus(table, corpus.genes))
    return rows[np.sort(np.unique(groups, return_index=True)[1])]


def _marked(rows: NDArray[np.int64], size: int) -> NDArray[np.bool_]:
    marked = np.zeros(size, np.bool_)
    marked[rows] = True
    return marked
