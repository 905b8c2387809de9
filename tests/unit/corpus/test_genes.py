"""Genes by symbol, Entrez id, previous symbol and alias; controls are none."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cytomol.corpus.assemble import JoinOptions, ProfileSource, RelationSource, extend_corpus, start_corpus
from cytomol.corpus.genes import GeneIndex, control_genes, gene_names, gene_union, join_genes
from cytomol.corpus.problems import Problems
from cytomol.errors import InputError

GENES = pd.DataFrame(
    {
        "gene_id": ["KMT2A", "AARS1", "CFP", "TP53"],
        "entrez_id": pd.array([4297, 16, 5199, 7157], "Int64"),
        "alias_symbol": ["MLL1A|HRX", "CMT2N", "", "p53|LFS1|HRX"],
        "prev_symbol": ["MLL", "AARS", "PFC", ""],
    }
)
HGNC = (
    "hgnc_id\tsymbol\talias_symbol\tprev_symbol\tentrez_id\n"
    '1\tKMT2A\t"MLL1A|HRX"\tMLL\t4297\n2\tAARS1\tCMT2N\tAARS\t16\n'
)


def test_row_by_row_by_whatever_name() -> None:
    metadata = pd.DataFrame(
        {
            "Metadata_Symbol": ["MLL", "AARS1", "", "TP53", "p53", "XYZ9"],
            "Metadata_NCBI_Gene_ID": [None, 16.0, 5199, "NA", "", ""],
        }
    )
    rows, report = join_genes(metadata, GeneIndex(GENES), where="g")
    assert rows.tolist() == [0, 1, 2, 3, 3, -1]
    assert (report.joined, report.missing) == (5, ("XYZ9",))
    assert "previous symbol" in report.key
    assert "alias" in report.key


def test_a_shifted_column_of_numbers() -> None:
    metadata = pd.DataFrame({"symbol": ["KMT2A", "AARS1", "TP53"], "entrez_id": ["16", "16", ""]})
    _, report = join_genes(metadata, GeneIndex(GENES), where="g")
    with pytest.raises(InputError, match=r"symbol and Entrez id contradict .* in 1 of 3 rows: row 1: KMT2A"):
        Problems().join(report)
    rows, report = join_genes(metadata, GeneIndex(GENES), where="g", leave_out=True)
    assert rows.tolist() == [-1, 1, 3]
    Problems().join(report)


def test_an_alias_of_two_genes_joins_neither_and_a_symbol_beats_an_alias() -> None:
    genes = pd.concat(
        [GENES, pd.DataFrame({"gene_id": ["MLL"], "alias_symbol": ["TP53"]})], ignore_index=True
    )
    rows, report = join_genes(pd.DataFrame({"gene": ["HRX", "MLL", "TP53"]}), GeneIndex(genes), where="g")
    assert rows.tolist() == [-1, 4, 3]
    assert report.torn == 1


@pytest.mark.parametrize(
    "name",
    [
        "LacZ",
        "eGFP",
        "BFP",
        "LUCIFERASE",
        "HcRed",
        "no-guide",
        "non-targeting",
        "Empty_Vector",
        "GFP2",
        "NTC",
    ],
)
def test_controls(name: str) -> None:
    assert control_genes(pd.Series([name])).tolist() == [True]
    rows, report = join_genes(pd.DataFrame({"gene": [name, "TP53"]}), GeneIndex(GENES), where="g")
    assert rows.tolist() == [-1, 3]
    assert f"1 row is a control and no gene: {name}" in str(report)
    assert report.missing == ()


@pytest.mark.parametrize("name", ["CFP", "CTRL", "GFPT1", "LUC7L", "NT5E", "TP53", "RFP2", "EMPTYX"])
def test_genes_that_are_called_nearly_so(name: str) -> None:
    assert control_genes(pd.Series([name])).tolist() == [False]


def test_union_of_names() -> None:
    tables = [
        gene_names(pd.DataFrame({"NCBI_Gene_ID": ["2", "127550", ""], "Symbol": ["A2M", "A3GALT2", "LacZ"]})),
        gene_names(pd.DataFrame({"target": ["A2M", "53947", "AARS"]}), "target"),
        gene_names(pd.DataFrame({"gene": ["AARS1", "AARS"], "entrez": ["16", "16"]})),
    ]
    genes = gene_union(tables, None, Problems())
    assert genes["gene_id"].tolist() == ["53947", "A2M", "A3GALT2", "AARS"]  # by the first of two symbols
    assert genes["aliases"].tolist() == ["", "", "", "AARS1"]
    index = GeneIndex(genes)
    assert join_genes(pd.DataFrame({"gene": ["AARS", "AARS1", "16", "2", "A2M"]}), index, where="t")[
        0
    ].tolist() == [3, 3, 3, 1, 1]
    with pytest.raises(InputError, match="no column of gene ids"):
        gene_names(pd.DataFrame({"x": [1]}), where="t")


def test_one_symbol_with_two_ids_is_said() -> None:
    problems = Problems()
    table = pd.DataFrame({"symbol": ["A", "A"], "entrez": ["1", "2"]})
    assert gene_union([table], None, problems)["entrez_id"].tolist() == ["1"]
    assert problems.notes == ["gene A has several Entrez ids (1, 2); 1 is used"]


@pytest.mark.parametrize("with_table", [False, True])
def test_table_of_aliases(tmp_path: Path, with_table: bool) -> None:
    (tmp_path / "m.csv").write_text("mol_id,smiles\na,CCO\nb,CCN\n")
    (tmp_path / "hgnc.txt").write_text(HGNC)
    (tmp_path / "genes.csv").write_text("symbol\nMLL\nAARS1\nNEW\n")
    (tmp_path / "crispr.csv").write_text("Metadata_gene,f\nMLL,1\nAARS,2\nNEW,3\n")
    (tmp_path / "targets.csv").write_text("source,target\na,KMT2A\nb,16\nb,GFP\n")
    problems = Problems()
    corpus = extend_corpus(
        start_corpus(tmp_path / "m.csv", tmp_path / "genes.csv" if with_table else None, problems=problems),
        [ProfileSource("crispr", "perturbation", tmp_path / "crispr.csv", "gene")],
        [RelationSource("targets", "molecule", "gene", tmp_path / "targets.csv")],
        problems=problems,
        options=JoinOptions(gene_aliases=tmp_path / "hgnc.txt"),
    )
    expected = ["MLL", "AARS1", "NEW"] if with_table else ["AARS1", "KMT2A", "NEW"]
    assert corpus.genes["gene_id"].tolist() == expected
    relation, crispr = corpus.relations["targets"], corpus.modalities["crispr"]
    assert len(crispr) == 3
    by_gene = dict(zip(crispr.rows.tolist(), crispr.values.ravel().tolist(), strict=True))  # noqa: PD011
    assert [by_gene[gene] for gene in relation.target.tolist()] == [1.0, 2.0]


def test_a_table_of_aliases_needs_aliases(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("mol_id,smiles\na,CCO\n")
    (tmp_path / "genes.csv").write_text("symbol\nA\n")
    problems = Problems()
    start = start_corpus(tmp_path / "m.csv", tmp_path / "genes.csv", problems=problems)
    with pytest.raises(InputError, match="has no column of aliases"):
        extend_corpus(
            start, [], [], problems=problems, options=JoinOptions(gene_aliases=tmp_path / "genes.csv")
        )
