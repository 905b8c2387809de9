"""The layout of the two published pretraining sets."""

# ruff: noqa: PD011 (the values of a modality are an array)
from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytomol.corpus import Corpus, read_corpus
from cytomol.errors import InputError


def test_reads_at_three_levels(raw: Path) -> None:
    for folder in (raw, raw.parent, raw.parent.parent):
        corpus = read_corpus(folder)
        assert corpus.molecules["mol_id"].tolist() == ["m0", "m1", "m2", "m3", "m4"]
        assert set(corpus.modalities) == {"CP-JUMP", "GE", "G-CRISPR", "G-ORF"}


def test_profiles_and_relations(raw: Path) -> None:
    corpus = read_corpus(raw)
    assert "1 row repeats the mol_id" in corpus.notes[0]
    assert corpus.genes["gene_id"].tolist() == ["99", "EGFR", "3845", "TP53"]
    assert corpus.genes["entrez_id"].tolist() == [99, 1956, 3845, 7157]
    jump = corpus.modalities["CP-JUMP"]
    assert (jump.kind, jump.entity, jump.rows.tolist()) == ("morphology", "molecule", [3, 1])
    assert jump.columns == ("CP-JUMP_0", "CP-JUMP_1", "CP-JUMP_2")
    expression = corpus.modalities["GE"]
    assert (expression.kind, expression.columns) == ("expression", ("EGFR", "TP53"))
    crispr = corpus.modalities["G-CRISPR"]
    assert (crispr.kind, crispr.entity, crispr.rows.tolist()) == ("perturbation", "gene", [2, 3])
    np.testing.assert_array_equal(crispr.values, np.array([[3, np.nan, 6], [1, np.nan, 2]], np.float32))
    targets = corpus.relations["molecule_gene"]
    assert list(zip(targets.source.tolist(), targets.target.tolist(), strict=True)) == [(0, 3), (1, 3)]
    links = corpus.relations["gene_gene"]
    assert list(zip(links.source.tolist(), links.target.tolist(), strict=True)) == [(3, 1), (1, 0)]
    assert not [note for note in corpus.notes if "differ" in note]


def test_differing_profiles_of_one_gene_become_their_mean(raw: Path) -> None:
    np.savez(raw / "G-CRISPR_feature.npz", data=np.array([[1.0, 2.0], [3.0, 6.0], [0.0, 0.0]]))
    corpus = read_corpus(raw)
    assert corpus.modalities["G-CRISPR"].values.tolist() == [[0.0, 0.0], [2.0, 4.0]]
    assert any("1 profile differs from the first of its gene" in note for note in corpus.notes)


def test_parts_may_be_absent(raw: Path) -> None:
    for name in (
        "G-G.csv.gz",
        "L1k_idmaps.csv",
        "G-ORF.csv.gz",
        "G-ORF_feature.npz",
        "GE.csv.gz",
        "GE_feature.npz",
    ):
        (raw / name).unlink()
    corpus = read_corpus(raw, "infoalign")
    assert set(corpus.modalities) == {"CP-JUMP", "G-CRISPR"}
    assert corpus.genes["gene_id"].tolist() == ["3845", "7157"]
    assert list(corpus.relations) == ["molecule_gene"]


def test_bad_input(raw: Path) -> None:
    np.savez(raw / "GE_feature.npz", data=np.zeros((3, 2)))
    with pytest.raises(InputError, match=r"GE_feature.npz: has 3 rows, but GE.csv.gz has 1"):
        read_corpus(raw)
    np.savez(raw / "GE_feature.npz", data=np.array([[1.0, np.inf]]))
    corpus = read_corpus(raw)
    assert np.isnan(corpus.modalities["GE"].values).tolist() == [[False, True]]
    assert any("GE.csv.gz: 1 infinite value" in note and "TP53" in note for note in corpus.notes)
    np.savez(raw / "GE_feature.npz", data=np.array([["a", "b"]]))
    with pytest.raises(InputError, match="not a matrix of numbers"):
        read_corpus(raw)
    np.savez(raw / "GE_feature.npz", data=np.array([[object()]], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match=r"GE_feature.npz: is not a readable npz file: .*pickle"):
        read_corpus(raw)
    np.savez(raw / "GE_feature.npz", a=np.zeros(1), b=np.zeros(1))
    with pytest.raises(InputError, match=r"no array 'data' \(it has a, b\)"):
        read_corpus(raw)
    whole = (raw / "CP-JUMP_feature.npz").read_bytes()
    (raw / "GE_feature.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"GE_feature.npz: is not a readable npz file"):
        read_corpus(raw)
    (raw / "GE_feature.npz").write_bytes(b"")
    with pytest.raises(InputError, match="is empty"):
        read_corpus(raw)
    (raw / "GE.csv.gz").unlink()
    with pytest.raises(InputError, match=r"GE.csv.gz not found"):
        read_corpus(raw)


def test_bad_gene_ids(raw: Path) -> None:
    pd.DataFrame({"source_id": ["7157", "TP53"], "target_id": [1, 2]}).to_csv(raw / "G-G.csv.gz", index=False)
    with pytest.raises(
        InputError, match=r"G-G.csv.gz, row 2, column source_id: 'TP53' is not an NCBI gene id"
    ):
        read_corpus(raw)
    pd.DataFrame({"from": [1], "to": [2]}).to_csv(raw / "G-G.csv.gz", index=False)
    with pytest.raises(InputError, match="no column 'source_id'"):
        read_corpus(raw)


def _pairs(corpus: Corpus, name: str) -> set[tuple[int, int]]:
    entrez = corpus.genes["entrez_id"].to_numpy(np.int64, na_value=-1)
    relation = corpus.relations[name]
    return set(zip(entrez[relation.source].tolist(), entrez[relation.target].tolist(), strict=True))


@pytest.mark.real_data
def test_both_layouts_hold_the_same(real_data: Path) -> None:
    """Molecules, profiles by molecule and by gene, and gene-gene links are equal where both have them."""
    ours = read_corpus(real_data / "corpus")
    theirs = read_corpus(real_data / "corpus_infoalign_layout")
    pd.testing.assert_frame_equal(
        ours.molecules[["mol_id", "smiles"]], theirs.molecules[["mol_id", "smiles"]]
    )
    assert (ours.molecules["inchikey"].str[:14] == theirs.molecules["inchikey"]).all()
    same = {
        "CP-Bray": "morphology_cdrp_pc50",
        "CP-JUMP": "morphology_jump_dino384",
        "GE": "expression_l1000_978",
        "G-CRISPR": "gene_crispr_jump_phenotype60",
        "G-ORF": "gene_orf_l1000_978",
    }
    for published, own in same.items():
        a, b = theirs.modalities[published], ours.modalities[own]
        assert (a.kind, a.entity) == (b.kind, b.entity)
        if a.entity == "molecule":
            order, wanted = np.argsort(a.rows), np.argsort(b.rows)
            np.testing.assert_array_equal(a.rows[order], b.rows[wanted])
        else:
            # the published layout lacks the genes that no molecule targets
            key_a = theirs.genes["entrez_id"].to_numpy(np.int64, na_value=-1)[a.rows]
            key_b = ours.genes["entrez_id"].to_numpy(np.int64, na_value=-1)[b.rows]
            assert len(set(key_a)) == len(key_a)
            place = {key: row for row, key in enumerate(key_b.tolist())}
            order = np.arange(len(a))
            wanted = np.array([place[key] for key in key_a.tolist()])
        np.testing.assert_array_equal(a.values[order], b.values[wanted])
    assert theirs.modalities["GE"].columns == ours.modalities["expression_l1000_978"].columns
    assert _pairs(theirs, "gene_gene") == _pairs(ours, "gene_gene_ppi")
    targets, own_targets = theirs.relations["molecule_gene"], ours.relations["compound_targets_gene"]
    entrez = [c.genes["entrez_id"].to_numpy(np.int64, na_value=-1) for c in (theirs, ours)]
    published_pairs = set(zip(targets.source.tolist(), entrez[0][targets.target].tolist(), strict=True))
    own_pairs = set(zip(own_targets.source.tolist(), entrez[1][own_targets.target].tolist(), strict=True))
    assert published_pairs <= own_pairs
    assert len(published_pairs) == len(targets)
