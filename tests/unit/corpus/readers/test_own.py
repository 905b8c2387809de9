"""The own layout, with and without manifest."""

# ruff: noqa: PD011 (the values of a modality are an array)
from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytomol.corpus import Corpus, read_corpus, write_corpus
from cytomol.corpus.manifest import Manifest, guess_kind, load_manifest
from cytomol.errors import ConfigError, InputError


def test_reads_as_it_lies(own: Path) -> None:
    corpus = read_corpus(own)
    assert len(corpus) == 5
    assert list(corpus.modalities) == ["gene_crispr", "morphology_test"]
    morphology = corpus.modalities["morphology_test"]
    assert (morphology.kind, morphology.entity, morphology.columns) == (
        "morphology",
        "molecule",
        ("f0", "f1"),
    )
    assert morphology.rows.tolist() == [3, 1, 1]
    np.testing.assert_array_equal(morphology.values, np.array([[1, 0.5], [2, np.nan], [4, 3]], np.float32))
    assert morphology.values.dtype == np.float32
    crispr = corpus.modalities["gene_crispr"]
    assert (crispr.kind, crispr.entity, crispr.rows.tolist()) == ("perturbation", "gene", [2, 0])
    targets, regulates = corpus.relations["targets"], corpus.relations["regulates"]
    assert (targets.source_entity, targets.target_entity) == ("molecule", "gene")
    assert targets.source.tolist() == [0, 0, 2, 4]
    assert targets.target.tolist() == [0, 2, 2, 1]
    assert targets.weight.tolist() == [1, 0.5, 1, 1]
    assert (regulates.source_entity, regulates.target_entity) == ("gene", "gene")
    assert regulates.weight.tolist() == [-0.25]
    assert corpus.notes == ()
    assert corpus.genes["entrez_id"].tolist()[:2] == [7157, 1956]


def equal(a: Corpus, b: Corpus) -> None:
    pd.testing.assert_frame_equal(a.molecules, b.molecules)
    pd.testing.assert_frame_equal(a.genes, b.genes)
    assert list(a.modalities) == list(b.modalities)
    assert list(a.relations) == list(b.relations)
    for x, y in zip(a.modalities.values(), b.modalities.values(), strict=True):
        assert (x.name, x.kind, x.entity, x.columns) == (y.name, y.kind, y.entity, y.columns)
        np.testing.assert_array_equal(x.rows, y.rows)
        np.testing.assert_array_equal(x.values, y.values)
    for r, q in zip(a.relations.values(), b.relations.values(), strict=True):
        assert (r.name, r.source_entity, r.target_entity) == (q.name, q.source_entity, q.target_entity)
        for name in ("source", "target", "weight"):
            np.testing.assert_array_equal(getattr(r, name), getattr(q, name))


def test_write_and_read_again(own: Path, tmp_path: Path) -> None:
    corpus = read_corpus(own)
    write_corpus(corpus, tmp_path / "copy")
    assert (tmp_path / "copy" / "corpus.toml").exists()
    equal(read_corpus(tmp_path / "copy"), corpus)


def test_manifest_decides_order_names_and_kinds(own: Path) -> None:
    (own / "corpus.toml").write_text(
        """
        version = 1
        molecules = "molecules.parquet"
        genes = "genes.parquet"
        [[modalities]]
        name = "painting"
        file = "modalities/morphology_test.csv"
        kind = "microscopy"
        [[modalities]]
        name = "crispr"
        file = "modalities/gene_crispr.parquet"
        """
    )
    corpus = read_corpus(own)
    assert [(m.name, m.kind) for m in corpus.modalities.values()] == [
        ("painting", "microscopy"),
        ("crispr", "profile"),
    ]
    assert corpus.relations == {}


def test_manifest_round_trip() -> None:
    manifest = Manifest(
        genes="genes.parquet",
        modalities=({"name": 'odd "name" \\ ü\x7f', "file": "modalities/a.parquet", "entity": "gene"},),  # type: ignore[arg-type]
        relations=({"name": "r", "file": "relations/r.csv", "source": "gene"},),  # type: ignore[arg-type]
        history=("a note",),
    )
    import tomllib

    assert Manifest(**tomllib.loads(manifest.to_toml())) == manifest


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("molecules = ", ConfigError, "cannot be parsed"),
        ('surprise = "x"', ConfigError, "surprise"),
        ("version = 2", ConfigError, "version"),
        ('[[modalities]]\nname = "a"\nfile = "x.csv"\n' * 2, InputError, "two tables are called a"),
        ('[[modalities]]\nname = "a"\nfile = "x.csv"', InputError, "x.csv: table not found"),
    ],
)
def test_bad_manifest(own: Path, text: str, error: type[Exception], message: str) -> None:
    (own / "corpus.toml").write_text(text)
    with pytest.raises(error, match=message):
        read_corpus(own)


def test_two_files_of_one_name(own: Path) -> None:
    (own / "modalities" / "gene_crispr.csv").write_text("gene_id,a\nKRAS,1\n")
    with pytest.raises(InputError, match="two tables are called gene_crispr"):
        load_manifest(own)


def test_guess_kind() -> None:
    assert guess_kind("morphology_jump_dino384") == "morphology"
    assert guess_kind("gene_orf_l1000_978") == "perturbation"
    assert guess_kind("GE") == "expression"
    assert guess_kind("proteomics-plate1") == "proteomics"


def test_ids_that_do_not_join_are_noted(own: Path) -> None:
    (own / "relations" / "targets.csv").write_text("source,target\nm0,TP53\nm9,TP53\nm0,XYZ\n")
    corpus = read_corpus(own)
    assert len(corpus.relations["targets"]) == 1
    assert corpus.relations["targets"].weight.tolist() == [1.0]
    assert len(corpus.notes) == 2
    assert "2 of 3 rows joined by mol_id; 1 id not found: m9" in corpus.notes[0]


def test_leading_zeros_survive(tmp_path: Path) -> None:
    (tmp_path / "modalities").mkdir()
    (tmp_path / "molecules.csv").write_text("mol_id,smiles\n007,C\n7,CC\n")
    (tmp_path / "modalities" / "cp_x.csv").write_text("mol_id,f\n7,1\n007,2\n")
    corpus = read_corpus(tmp_path)
    assert corpus.molecules["mol_id"].tolist() == ["007", "7"]
    assert corpus.modalities["cp_x"].rows.tolist() == [1, 0]


def test_a_corpus_of_molecules_alone(tmp_path: Path) -> None:
    (tmp_path / "molecules.csv").write_text("smiles\nC\nCC\n")
    corpus = read_corpus(tmp_path)
    assert corpus.smiles == ["C", "CC"]
    assert corpus.molecules["mol_id"].tolist() == ["row1", "row2"]
    assert len(corpus.genes) == 0
    assert "row1, row2" in corpus.notes[0]


@pytest.mark.real_data
def test_real_corpus(real_data: Path) -> None:
    corpus = read_corpus(real_data / "corpus")
    assert len(corpus) == 36924
    assert len(corpus.genes) == 15455
    assert {name: m.values.shape for name, m in corpus.modalities.items()} == {
        "expression_l1000_978": (1148, 978),
        "gene_crispr_jump_phenotype60": (160, 60),
        "gene_orf_jump_phenotype60": (160, 60),
        "gene_orf_l1000_978": (189, 978),
        "morphology_cdrp_pc50": (10017, 50),
        "morphology_jump_dino384": (299, 384),
        "morphology_jump_phenotype60": (299, 60),
    }
    assert [m.entity for m in corpus.modalities.values()].count("gene") == 3
    raw = pd.read_parquet(real_data / "corpus" / "relations" / "compound_targets_gene.parquet")
    targets = corpus.relations["compound_targets_gene"]
    assert corpus.molecules["mol_id"].to_numpy()[targets.source].tolist() == raw["source"].tolist()
    assert corpus.genes["gene_id"].to_numpy()[targets.target].tolist() == raw["target"].tolist()
