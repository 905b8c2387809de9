"""A corpus from a table of molecules and tables of profiles."""

# ruff: noqa: PD011 (the values of a modality are an array)
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytomol.corpus.assemble import JoinOptions, ProfileSource, RelationSource, extend_corpus, start_corpus
from cytomol.corpus.problems import Problems
from cytomol.corpus.profiles import aggregate_profiles
from cytomol.errors import InputError

Plates = Callable[[], pd.DataFrame]


@pytest.fixture
def table(tmp_path: Path, plates: Plates) -> Path:
    plates().to_csv(tmp_path / "plates.csv.gz", index=False)
    return tmp_path / "plates.csv.gz"


@pytest.fixture
def structures(tmp_path: Path, molecules: pd.DataFrame) -> Path:
    molecules.rename(columns={"mol_id": "broad_sample", "smiles": "SMILES"}).to_csv(
        tmp_path / "m.csv", index=False
    )
    return tmp_path / "m.csv"


@pytest.mark.parametrize("key", ["auto", "id", "inchikey", "connectivity", "smiles"])
def test_every_way_of_joining_gives_the_same(structures: Path, table: Path, key: str) -> None:
    problems = Problems()
    corpus = extend_corpus(
        start_corpus(structures, problems=problems),
        [ProfileSource("cp", "morphology", table)],
        [],
        problems=problems,
        options=JoinOptions(key=key),  # type: ignore[arg-type]
    )
    modality = corpus.modalities["cp"]
    assert modality.rows.tolist() == [0, 1]
    np.testing.assert_array_equal(modality.values, np.array([[2, 3], [15, 7]], np.float32))
    assert problems.joins[0].joined == 5
    assert any("5 profiles became 2, the median" in note for note in corpus.notes)


@pytest.mark.parametrize(("how", "expected"), [("mean", [[4, 3], [15, 7]]), ("median", [[2, 3], [15, 7]])])
def test_aggregation(structures: Path, table: Path, how: str, expected: list[list[float]]) -> None:
    problems = Problems()
    options = JoinOptions(aggregate=how)  # type: ignore[arg-type]
    source = ProfileSource("cp", "morphology", table)
    corpus = extend_corpus(
        start_corpus(structures, problems=problems), [source], [], problems=problems, options=options
    )
    np.testing.assert_array_equal(corpus.modalities["cp"].values, np.array(expected, np.float32))


def test_aggregation_against_numpy() -> None:
    rng = np.random.default_rng(0)
    rows, values = rng.integers(0, 5, 40), rng.normal(size=(40, 3)).astype(np.float32)
    values[rng.random(values.shape) < 0.2] = np.nan
    kept, merged = aggregate_profiles(rows, values, "median")
    assert kept.tolist() == sorted(set(rows.tolist()))
    for row, profile in zip(kept, merged, strict=True):
        np.testing.assert_allclose(profile, np.nanmedian(values[rows == row], axis=0), rtol=1e-6)
    same_rows, same = aggregate_profiles(rows, values, "none")
    assert same is values
    assert same_rows is rows


def test_chosen_columns(structures: Path, table: Path, plates: Plates, tmp_path: Path) -> None:
    frame = plates().rename(columns={"Metadata_broad_sample": "Metadata_Treatment"})
    frame.drop(columns=["Metadata_InChIKey", "Metadata_smiles"]).to_parquet(tmp_path / "odd.parquet")
    sources = [
        ProfileSource("cp", "morphology", table),
        ProfileSource("odd", "morphology", tmp_path / "odd.parquet"),
    ]
    problems = Problems()
    start = start_corpus(structures, problems=problems)
    with pytest.raises(InputError, match=r"odd.parquet: has no column of molecule ids"):
        extend_corpus(start, sources, [], problems=problems)
    options = JoinOptions(columns={"odd": "Metadata_Treatment"})
    corpus = extend_corpus(start, sources, [], problems=problems, options=options)
    np.testing.assert_array_equal(corpus.modalities["odd"].values, corpus.modalities["cp"].values)
    with pytest.raises(InputError, match="'other', which is no table"):
        extend_corpus(start, sources, [], problems=problems, options=JoinOptions(columns={"other": "x"}))


def test_genes_and_relations(structures: Path, tmp_path: Path) -> None:
    (tmp_path / "g.csv").write_text("Metadata_gene,f\nTP53,1\nEGFR,2\n")
    (tmp_path / "t.csv").write_text("broad_sample,gene_symbol,weight\nm0,TP53,0.5\nm1,MYC,1\n")
    problems = Problems()
    corpus = extend_corpus(
        start_corpus(structures, problems=problems),
        [ProfileSource("crispr", "perturbation", tmp_path / "g.csv", "gene")],
        [RelationSource("targets", "molecule", "gene", tmp_path / "t.csv")],
        problems=problems,
    )
    assert corpus.genes["gene_id"].tolist() == ["EGFR", "MYC", "TP53"]
    assert corpus.modalities["crispr"].rows.tolist() == [0, 2]
    assert corpus.modalities["crispr"].values.ravel().tolist() == [2, 1]
    relation = corpus.relations["targets"]
    assert (relation.source.tolist(), relation.target.tolist()) == ([0, 1], [2, 1])
    assert any("3 genes are those that profiles and relations name" in note for note in corpus.notes)


def test_names_must_differ(structures: Path, table: Path) -> None:
    problems = Problems()
    source = ProfileSource("cp", "morphology", table)
    with pytest.raises(InputError, match="two tables are called 'cp'"):
        extend_corpus(start_corpus(structures, problems=problems), [source, source], [], problems=problems)


def test_molecules_without_ids_join_by_structure_only(tmp_path: Path, table: Path) -> None:
    (tmp_path / "m.smi").write_text("c1ccccc1O phenol\nCCO ethanol\n")
    problems = Problems()
    start = start_corpus(tmp_path / "m.smi", problems=problems)
    assert start.molecules["mol_id"].tolist() == ["row1", "row2"]
    corpus = extend_corpus(start, [ProfileSource("cp", "morphology", table)], [], problems=problems)
    # the table's own ids m0 (ethanol) and m1 (phenol) must not be taken for row numbers
    assert corpus.modalities["cp"].values[:, 0].tolist() == [15, 2]


def test_molecule_columns(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("key,string\na,C\nb,CC\n")
    corpus = start_corpus(tmp_path / "m.csv", problems=Problems(), smiles_col="string", id_col="key")
    assert corpus.molecules.to_dict("list") == {"mol_id": ["a", "b"], "smiles": ["C", "CC"]}
    with pytest.raises(InputError, match="no column 'nix'"):
        start_corpus(tmp_path / "m.csv", problems=Problems(), smiles_col="nix")
