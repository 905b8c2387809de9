"""Tables of labels joined to molecules: mechanisms, assays, targets of a corpus, scaffolds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.cells.tree.enrichment import Labels
from cytomol.chem.keys import connectivity_block, inchikey
from cytomol.chem.parse import parse_smiles
from cytomol.corpus.identifiers import INCHIKEYS, entity_of_column, plain_name
from cytomol.corpus.schema import Corpus
from cytomol.errors import InputError
from cytomol.tables.columns import find_column, smiles_column_of
from cytomol.tables.number_texts import as_numbers
from cytomol.tables.read import read_table

__all__ = ["connectivities", "corpus_labels", "read_labels", "scaffold_labels"]


def connectivities(smiles: Sequence[str], keys: Sequence[str] | None = None) -> list[str]:
    """Return the first InChIKey block of each molecule, known or computed; "" where there is none."""
    blocks = []
    for row, text in enumerate(smiles):
        key = "" if keys is None else str(keys[row] or "")
        if len(key) < len("AAAAAAAAAAAAAA"):
            mol = parse_smiles(text).mol
            key = "" if mol is None else inchikey(mol)
        blocks.append(connectivity_block(key))
    return blocks


def read_labels(path: str | Path, blocks: Sequence[str], columns: Sequence[str] = ()) -> list[Labels]:
    """Read a table of labels: columns of words are kinds of labels, columns of 0 and 1 are assays.

    Rows find their molecules by the first block of an InChIKey, or by SMILES. A cell may hold several labels,
    with | between them.

    Parameters
    ----------
    path
        CSV, TSV, Parquet or Excel.
    blocks
        First InChIKey block of each molecule of the tree.
    columns
        Columns to read; all but ids and structures when empty.

    Returns
    -------
    Labels of each column of words, and of all assays together.

    Raises
    ------
    InputError
        If the table cannot be read, names no molecule of the tree, or holds no labels.
    """
    frame, where = read_table(path, text=True), str(path)
    rows = _rows_of(frame, blocks, where)
    if (rows < 0).all():
        raise InputError(
            f"none of its {len(frame):,} rows is of a molecule in the tree",
            where=where,
            hint="rows are joined by InChIKey or SMILES, whatever the stereochemistry",
        )
    names = [find_column(frame, name, where=where, option="--label-col") for name in columns] or [
        name for name in frame.columns if entity_of_column(str(name)) is None
    ]
    found, assays = [], []
    for name in names:
        cells = frame[name].fillna("").astype(str).str.strip()
        if set(cells) - {""} <= {"0", "1", "0.0", "1.0"}:
            assays.append((str(name), cells))
        elif (labels := _words(str(name), cells, rows, len(blocks))).names:
            found.append(labels)
    if assays:
        found.append(_assays(Path(path).name.split(".")[0], assays, rows, len(blocks)))
    if not found:
        raise InputError("holds no column of labels", where=where, hint="choose one with --label-col")
    return found


def corpus_labels(corpus: Corpus, molecule: NDArray[np.int64], molecules: int) -> list[Labels]:
    """Return what the relations of a corpus say of molecules: their targets, as a rule.

    Parameters
    ----------
    corpus
        The corpus.
    molecule
        Molecule of the tree that each row of the corpus is, int64, shape (molecules of the corpus,); -1 for
        none.
    molecules
        Molecules of the tree.
    """
    found = []
    names = corpus.genes["gene_id"].to_numpy() if len(corpus.genes) else np.zeros(0, object)
    for relation in corpus.relations.values():
        if (relation.source_entity, relation.target_entity) != ("molecule", "gene"):
            continue
        said = pd.DataFrame({"molecule": molecule[relation.source], "label": names[relation.target]})
        said = said[said["molecule"] >= 0]
        if len(said):
            found.append(Labels.of_statements(relation.name, said, molecules))
    return found


def scaffold_labels(scaffolds: Sequence[str]) -> Labels:
    """Return the Bemis-Murcko scaffolds as labels; "" for a molecule without rings is none."""
    said = pd.DataFrame({"molecule": np.arange(len(scaffolds)), "label": list(scaffolds)})
    labels = Labels.of_statements("scaffold", said[said["label"] != ""], len(scaffolds))
    return Labels(labels.kind, labels.names, labels.molecule, labels.label, np.ones(len(scaffolds), np.bool_))


def _rows_of(frame: pd.DataFrame, blocks: Sequence[str], where: str) -> NDArray[np.int64]:
    """Return the molecule of each row of a table of labels; -1 for none."""
    place = {block: row for row, block in reversed(list(enumerate(blocks))) if block}
    keyed = next((name for name in frame.columns if plain_name(str(name)) in INCHIKEYS), None)
    if keyed is not None:
        keys = [connectivity_block(str(key)) for key in frame[keyed].fillna("")]
    else:
        column = smiles_column_of(map(str, frame.columns))
        if column is None:
            raise InputError(
                "names no molecules", where=where, hint="it needs a column 'inchikey' or 'smiles'"
            )
        keys = connectivities(frame[column].fillna("").astype(str).tolist())
    return np.array([place.get(key, -1) for key in keys], np.int64)


def _words(name: str, cells: pd.Series[str], rows: NDArray[np.int64], molecules: int) -> Labels:
    said = pd.DataFrame({"molecule": rows, "label": cells.str.split("|")}).explode("label")
    said["label"] = said["label"].astype(str).str.strip()
    # the same words in other letters are one label, spelled as at first
    said["label"] = said.groupby(said["label"].str.casefold())["label"].transform("first")
    return Labels.of_statements(name, said[(said["molecule"] >= 0) & (said["label"] != "")], molecules)


def _assays(
    kind: str, columns: Sequence[tuple[str, pd.Series[str]]], rows: NDArray[np.int64], molecules: int
) -> Labels:
    """Return assays as labels of the active ones; known are those measured in each."""
    joined = rows >= 0
    known = np.zeros((molecules, len(columns)), np.bool_)
    active = np.zeros_like(known)
    for column, (_, cells) in enumerate(columns):
        values = as_numbers(cells).to_numpy(float)
        measured = joined & np.isfinite(values)
        known[rows[measured], column] = True
        active[rows[measured & (values == 1)], column] = True
    molecule, label = np.nonzero(active)
    return Labels(kind, tuple(name for name, _ in columns), molecule, label, known)
