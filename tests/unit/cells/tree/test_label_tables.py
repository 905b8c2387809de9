"""Labels joined to molecules by structure, whatever their table looks like."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytomol.cells.tree.label_tables import connectivities, corpus_labels, read_labels, scaffold_labels
from cytomol.corpus.planted import PlantedCorpus
from cytomol.errors import InputError

SMILES = ["CCO", "c1ccccc1", "C[C@H](N)C(=O)O", "no molecule"]
KEYS = ["LFQSCWFLJHTTHZ", "UHOVQNZJYSORNB", "QNAYBMKLOCPYGJ", ""]


def _said(labels: object) -> dict[str, list[int]]:
    names, molecule, label = labels.names, labels.molecule, labels.label  # type: ignore[attr-defined]
    return {name: sorted(molecule[label == column].tolist()) for column, name in enumerate(names)}


def test_connectivities_are_known_or_computed() -> None:
    assert connectivities(SMILES) == KEYS
    known = ["LFQSCWFLJHTTHZ-UHFFFAOYSA-N", "", "QNAYBMKLOCPYGJ", ""]
    assert connectivities(SMILES, known) == KEYS


def test_words_and_assays_of_one_table(tmp_path: Path) -> None:
    path = tmp_path / "known.csv"
    pd.DataFrame(
        {
            "smiles": ["OCC", "C[C@@H](N)C(=O)O", "c1ccccc1", "CCCCC"],
            "moa": ["Solvent|anaesthetic", "building block", "solvent", "solvent"],
            "toxic": ["1", "0", "", "1"],
        }
    ).to_csv(path, index=False)
    moa, assay = read_labels(path, KEYS)
    assert _said(moa) == {"Solvent": [0, 1], "anaesthetic": [0], "building block": [2]}
    assert moa.known.tolist() == [True, True, True, False]
    assert _said(assay) == {"toxic": [0]}
    assert assay.known[:, 0].tolist() == [True, False, True, False]
    (only,) = read_labels(path, KEYS, ["toxic"])
    assert only.names == ("toxic",)


def test_inchikeys_join_before_smiles(tmp_path: Path) -> None:
    path = tmp_path / "known.csv"
    pd.DataFrame({"InChIKey": ["UHOVQNZJYSORNB-UHFFFAOYSA-N"], "smiles": ["CCO"], "moa": ["x"]}).to_csv(
        path, index=False
    )
    assert _said(read_labels(path, KEYS)[0]) == {"x": [1]}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"smiles": ["CCCC"], "moa": ["x"]}, "none of its 1 rows is of a molecule in the tree"),
        ({"name": ["a"], "moa": ["x"]}, "names no molecules"),
        ({"smiles": ["CCO"]}, "no column of labels"),
    ],
)
def test_bad_tables(tmp_path: Path, table: dict[str, list[str]], message: str) -> None:
    path = tmp_path / "known.csv"
    pd.DataFrame(table).to_csv(path, index=False)
    with pytest.raises(InputError, match=message):
        read_labels(path, KEYS)


def test_targets_are_those_of_the_relations(planted: PlantedCorpus) -> None:
    corpus = planted.corpus
    own = np.arange(len(corpus))
    own[5] = -1
    (targets,) = corpus_labels(corpus, own, len(corpus))
    relation = corpus.relations["compound_targets_gene"]
    genes = corpus.genes["gene_id"].to_numpy()
    expected = {
        (row, genes[gene]) for row, gene in zip(relation.source, relation.target, strict=True) if row != 5
    }
    found = {(row, targets.names[label]) for row, label in zip(targets.molecule, targets.label, strict=True)}
    assert found == expected


def test_a_molecule_without_rings_has_no_scaffold_and_counts_all_the_same() -> None:
    labels = scaffold_labels(["", "c1ccccc1", "c1ccccc1"])
    assert _said(labels) == {"c1ccccc1": [1, 2]}
    assert labels.known.all()
