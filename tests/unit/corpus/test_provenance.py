"""What stands beside the profiles goes through the files of a corpus and through whatever is done to it."""

# ruff: noqa: PD011 (the values of a modality are an array)
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytomol.corpus import Corpus, read_corpus
from cytomol.corpus.append import stack_profiles
from cytomol.corpus.planted import generate_planted
from cytomol.corpus.problems import Problems
from cytomol.corpus.provenance import Provenance
from cytomol.corpus.schema import Modality
from cytomol.corpus.write import write_corpus
from cytomol.errors import ConfigError, InputError


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """A planted corpus whose morphology says of each profile its plate and, of most, its reliability."""
    planted = generate_planted(200, seed=1).corpus
    modality = planted.modalities["morphology"]
    rng = np.random.default_rng(0)
    reliability = rng.uniform(-0.2, 1, len(modality)).astype(np.float32)
    reliability[::5] = np.nan
    plates = np.array([f"P{row % 3}" if row % 7 else "" for row in range(len(modality))], dtype=object)
    about = Provenance(reliability, {"Metadata_Plate": plates}, "center", "Metadata_Plate")
    modalities = {**planted.modalities, "morphology": replace(modality, provenance=about)}
    return replace(planted, modalities=modalities)


def _same(one: Provenance, other: Provenance) -> None:
    assert one.reliability is not None
    assert other.reliability is not None
    np.testing.assert_array_equal(one.reliability, other.reliability)
    assert {k: v.tolist() for k, v in one.labels.items()} == {k: v.tolist() for k, v in other.labels.items()}
    assert (one.correction, one.by) == (other.correction, other.by)


def test_written_and_read_again(corpus: Corpus, tmp_path: Path) -> None:
    write_corpus(corpus, tmp_path / "corpus")
    again = read_corpus(tmp_path / "corpus")
    _same(corpus.modalities["morphology"].provenance, again.modalities["morphology"].provenance)
    np.testing.assert_array_equal(
        corpus.modalities["morphology"].values, again.modalities["morphology"].values
    )
    assert again.modalities["morphology"].columns == corpus.modalities["morphology"].columns
    assert again.modalities["expression"].provenance.empty


def test_taken_with_its_profiles(corpus: Corpus) -> None:
    gone = np.zeros(len(corpus), np.bool_)
    gone[:50] = True
    modality = corpus.modalities["morphology"]
    left = corpus.without_profiles_of(gone).modalities["morphology"]
    _same(left.provenance, modality.provenance.take(~gone[modality.rows]))
    assert 0 < len(left) < len(modality)


def test_rows_that_join_nothing_take_theirs_along(corpus: Corpus, tmp_path: Path) -> None:
    write_corpus(corpus, tmp_path / "corpus")
    path = next((tmp_path / "corpus" / "modalities").glob("morphology*"))
    frame = pd.read_parquet(path)
    frame.loc[3, "mol_id"] = "stranger"
    frame.to_parquet(path, index=False)
    read = read_corpus(tmp_path / "corpus").modalities["morphology"].provenance
    keep = np.arange(len(frame)) != 3
    _same(read, corpus.modalities["morphology"].provenance.take(keep))


def test_profiles_below_others(corpus: Corpus) -> None:
    modality = corpus.modalities["morphology"]
    bare = replace(modality, values=modality.values + 1, provenance=Provenance()).take(np.arange(4))
    stacked = stack_profiles(modality, bare, Problems()).provenance
    assert stacked.reliability is not None
    assert np.isnan(stacked.reliability[-4:]).all()
    assert stacked.labels["Metadata_Plate"][-4:].tolist() == [""] * 4
    _same(stacked.take(np.arange(len(modality))), modality.provenance)
    batches = Provenance(labels={"Metadata_Batch": np.array(["x"] * 4, dtype=object)})
    other = stack_profiles(modality, replace(bare, provenance=batches), Problems()).provenance
    assert other.labels["Metadata_Batch"].tolist() == [""] * len(modality) + ["x"] * 4


@pytest.mark.parametrize(
    ("cell", "message"), [("high", r"row 2, column Metadata_Reliability"), ("1.5", "'1.5' is no reliability")]
)
def test_a_reliability_that_is_none(tmp_path: Path, cell: str, message: str) -> None:
    (tmp_path / "modalities").mkdir()
    (tmp_path / "molecules.csv").write_text("mol_id,smiles\na,CCO\nb,CCN\n")
    (tmp_path / "modalities" / "cp.csv").write_text(
        f"mol_id,Metadata_Reliability,f1,f2\na,0.5,1,2\nb,{cell},3,4\n"
    )
    with pytest.raises(InputError, match=message):
        read_corpus(tmp_path)


def test_a_correction_needs_its_column(tmp_path: Path) -> None:
    (tmp_path / "modalities").mkdir()
    (tmp_path / "molecules.csv").write_text("mol_id,smiles\na,CCO\nb,CCN\n")
    (tmp_path / "modalities" / "cp.csv").write_text("mol_id,Metadata_Batch,f1,f2\na,x,1,2\nb,y,3,4\n")
    manifest = (
        'molecules = "molecules.csv"\n[[modalities]]\nname = "cp"\nfile = "modalities/cp.csv"\n'
        'correction = "center"\ncorrect_by = "{}"\n'
    )
    (tmp_path / "corpus.toml").write_text(manifest.format("Metadata_Plate"))
    with pytest.raises(InputError, match=r"cannot be corrected by 'Metadata_Plate'.*columns: Metadata_Batch"):
        read_corpus(tmp_path)
    (tmp_path / "corpus.toml").write_text(manifest.format("Metadata_Batch"))
    about = read_corpus(tmp_path).modalities["cp"].provenance
    assert about.groups is not None
    assert about.groups.tolist() == ["x", "y"]
    (tmp_path / "corpus.toml").write_text(manifest.format("f1"))
    with pytest.raises(ConfigError, match="correct_by"):
        read_corpus(tmp_path)


def test_half_a_correction_and_other_lengths_are_refused() -> None:
    with pytest.raises(InputError, match="needs the column"):
        Provenance(correction="center")
    labels = {"Metadata_Plate": np.array(["a"], dtype=object)}
    with pytest.raises(InputError, match="needs the column"):
        Provenance(labels=labels, by="Metadata_Plate")
    with pytest.raises(InputError, match="2 profiles, but Metadata_Plate"):
        Modality(
            "cp",
            "morphology",
            "molecule",
            np.arange(2),
            np.zeros((2, 1), np.float32),
            ("f",),
            provenance=Provenance(labels=labels),
        )
