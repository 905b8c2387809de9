"""Joining by id, InChIKey and canonical SMILES."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cytomol.corpus.genes import GeneIndex, join_genes
from cytomol.corpus.identifiers import as_ids, entity_of_column
from cytomol.corpus.join import MoleculeIndex, join_molecules
from cytomol.corpus.problems import JoinReport, Problems
from cytomol.errors import InputError


@pytest.fixture
def index() -> MoleculeIndex:
    return MoleculeIndex(
        pd.DataFrame(
            {
                "mol_id": ["m0", "m1", "m2", "m3"],
                "smiles": ["CCO", "C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "no molecule"],
                "broad_sample": ["B0", "B1", "B2", "B3"],
            }
        )
    )


def test_by_id_with_report(index: MoleculeIndex) -> None:
    metadata = pd.DataFrame({"mol_id": ["m2", "x", "m0", "", "x", "y"]})
    rows, report = join_molecules(metadata, index, where="t.csv")
    assert rows.tolist() == [2, -1, 0, -1, -1, -1]
    assert (report.total, report.joined, report.missing, report.missing_count) == (6, 2, ("x", "y"), 2)
    assert str(report) == "t.csv, column mol_id: 2 of 6 rows joined by mol_id; 2 ids not found: x, y"


def test_by_inchikey_whole_then_first_block(index: MoleculeIndex) -> None:
    keys = ["LFQSCWFLJHTTHZ-UHFFFAOYSA-N", "QNAYBMKLOCPYGJ-UWTATZPHSA-N"]
    rows, report = join_molecules(pd.DataFrame({"Metadata_InChIKey": keys}), index, where="t")
    assert report.key == "InChIKey"
    assert rows.tolist() == [0, 2]
    blocks = pd.DataFrame({"InChIKey": [key[:14] for key in keys]})
    rows, report = join_molecules(blocks, index, where="t")
    assert rows.tolist() == [-1, -1]  # the block does not know stereochemistry: only if asked for
    assert report.hints == ("2 more would join by first block of the InChIKey (--join connectivity)",)
    rows, report = join_molecules(blocks, index, where="t", key="connectivity")
    assert rows.tolist() == [0, 1]  # the first of the two
    assert report.ambiguous == 1
    assert "1 row fits several entries" in str(report)
    rows, _ = join_molecules(pd.DataFrame({"InChIKey": keys}), index, where="t", key="connectivity")
    assert rows.tolist() == [0, 2]  # a whole key that fits is never moved


def test_by_canonical_smiles(index: MoleculeIndex) -> None:
    metadata = pd.DataFrame({"SMILES": ["OCC", "N[C@H](C)C(O)=O", "C[C@@H](N)C(=O)O", "((", ""]})
    rows, report = join_molecules(metadata, index, where="t")
    assert report.key == "canonical SMILES"
    from rdkit import Chem

    canonical = [Chem.CanonSmiles(s) for s in ("CCO", "C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O")]
    for text, row in zip(metadata["SMILES"][:3], rows[:3], strict=True):
        assert canonical[row] == Chem.CanonSmiles(text)
    assert rows[3:].tolist() == [-1, -1]


def test_auto_prefers_ids_and_falls_through(index: MoleculeIndex) -> None:
    both = pd.DataFrame({"smiles": ["CCO", "CCO"], "pert_id": ["m1", "m0"]})
    rows, report = join_molecules(both, index, where="t")
    assert rows.tolist() == [1, 0]
    # what the row says of its structure is compared with the molecule that its id names
    assert report.contradictions == ("row 1: CCO, but m1 is C[C@H](N)C(=O)O",)
    foreign = pd.DataFrame({"smiles": ["CCO"], "pert_id": ["BRD-1"]})
    rows, report = join_molecules(foreign, index, where="t")
    assert rows.tolist() == [0]
    assert report.key == "canonical SMILES"


def test_column_of_the_same_name_in_the_table_of_molecules(index: MoleculeIndex) -> None:
    rows, report = join_molecules(pd.DataFrame({"Metadata_broad_sample": ["B2", "m0"]}), index, where="t")
    assert rows.tolist() == [2, 0]  # each row by what fits it
    assert report.key == "Metadata_broad_sample (1) and mol_id (1)"
    rows, report = join_molecules(pd.DataFrame({"Metadata_broad_sample": ["B2", "B0"]}), index, where="t")
    assert rows.tolist() == [2, 0]
    assert report.key == "Metadata_broad_sample"


def test_chosen_column(index: MoleculeIndex) -> None:
    metadata = pd.DataFrame({"Metadata_thing": ["m1"], "mol_id": ["m0"]})
    assert join_molecules(metadata, index, where="t", column="Metadata_thing")[0].tolist() == [1]
    with pytest.raises(InputError, match="no column 'nothing'"):
        join_molecules(metadata, index, where="t", column="nothing")
    with pytest.raises(InputError, match="no column of molecule ids"):
        join_molecules(pd.DataFrame({"Metadata_Plate": ["1"]}), index, where="t")


def test_genes_by_symbol_or_entrez() -> None:
    genes = GeneIndex(
        pd.DataFrame({"gene_id": ["TP53", "EGFR"], "entrez_id": pd.array([7157, None], "Int64")})
    )
    rows, report = join_genes(pd.DataFrame({"gene_id": ["EGFR", "?"]}), genes, where="g")
    assert rows.tolist() == [1, -1]
    rows, report = join_genes(pd.DataFrame({"ncbi_gene_id": [7157.0, np.nan]}), genes, where="g")
    assert rows.tolist() == [0, -1]
    assert report.key == "entrez_id"
    with pytest.raises(InputError, match="gene ids"):
        join_genes(pd.DataFrame({"x": ["1"]}), genes, where="g")


def test_ids_as_text() -> None:
    assert as_ids(pd.Series([1.0, np.nan, 12.0])).tolist() == ["1", "", "12"]
    assert as_ids(pd.Series([1.5])).tolist() == ["1.5"]
    assert as_ids(pd.Series([" a ", None])).tolist() == ["a", ""]
    assert as_ids(pd.Series([7], dtype="Int64")).tolist() == ["7"]


def test_names_of_id_columns() -> None:
    assert entity_of_column("Metadata_JCP2022") == "molecule"
    assert entity_of_column("ncbi_gene_id") == "gene"
    assert entity_of_column("Cells_AreaShape_Area") is None


def test_problems_strict_or_collected() -> None:
    nothing = JoinReport("t", "mol_id", 3, 0, ("x",), 1)
    with pytest.raises(InputError, match=r"none of 3 rows joins by mol_id \(for instance x\)"):
        Problems().join(nothing)
    problems = Problems(strict=False)
    problems.join(nothing)
    problems.join(JoinReport("t", "mol_id", 3, 3))
    assert len(problems.errors) == 1
    assert problems.notes == []
    assert len(problems.joins) == 2
