"""A table says of the profiles of a modality how far they can be trusted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytomol.corpus import Corpus
from cytomol.corpus.annotate_profiles import ProfileAnnotation, annotate_profiles, correct_by
from cytomol.corpus.problems import Problems
from cytomol.corpus.schema import Modality
from cytomol.errors import InputError


@pytest.fixture
def corpus() -> Corpus:
    molecules = pd.DataFrame(
        {
            "mol_id": ["a", "b", "c"],
            "smiles": ["CCO", "CCN", "CCC"],
            "inchikey": [
                "LFQSCWFLJHTTHZ-UHFFFAOYSA-N",
                "QUSNBJAOOMFDIB-UHFFFAOYSA-N",
                "ATUOYWHBWRKTHZ-UHFFFAOYSA-N",
            ],
        }
    )
    genes = pd.DataFrame({"gene_id": ["TP53", "EGFR"]})
    cp = Modality(
        "cp", "morphology", "molecule", np.array([2, 0, 1, 0]), np.ones((4, 2), np.float32), ("x", "y")
    )
    crispr = Modality("crispr", "perturbation", "gene", np.array([1, 0]), np.ones((2, 1), np.float32), ("z",))
    return Corpus(molecules, genes, {"cp": cp, "crispr": crispr})


def _table(tmp_path: Path, text: str) -> Path:
    (tmp_path / "said.csv").write_text(text)
    return tmp_path / "said.csv"


def test_the_mean_of_a_molecules_rows_by_inchikey(corpus: Corpus, tmp_path: Path) -> None:
    path = _table(
        tmp_path,
        "inchikey,r,assay\nLFQSCWFLJHTTHZ-UHFFFAOYSA-N,0.2,cp\nLFQSCWFLJHTTHZ-UHFFFAOYSA-N,0.6,cp\n"
        "LFQSCWFLJHTTHZ-UHFFFAOYSA-N,-1,l1000\nATUOYWHBWRKTHZ-UHFFFAOYSA-N,,cp\n"
        "QUSNBJAOOMFDIB-UHFFFAOYSA-N,-0.25,cp\n",
    )
    problems = Problems()
    said = ProfileAnnotation(path, reliability="r", select={"assay": ("cp",)})
    about = annotate_profiles(corpus, "cp", said, problems).modalities["cp"].provenance
    assert about.reliability is not None
    np.testing.assert_allclose(about.reliability, [np.nan, 0.4, -0.25, 0.4], rtol=1e-6)
    assert "cp: 3 of 4 profiles got a reliability" in problems.notes


def test_molecules_of_one_inchikey_share_what_is_said(corpus: Corpus, tmp_path: Path) -> None:
    molecules = corpus.molecules.copy()
    molecules.loc[2, ["smiles", "inchikey"]] = molecules.loc[0, ["smiles", "inchikey"]].to_numpy()
    path = _table(tmp_path, "inchikey,r\nLFQSCWFLJHTTHZ-UHFFFAOYSA-N,0.5\n")
    twice = replace(corpus, molecules=molecules)
    said = ProfileAnnotation(path, reliability="r")
    about = annotate_profiles(twice, "cp", said, Problems()).modalities["cp"].provenance
    assert about.reliability is not None
    np.testing.assert_allclose(about.reliability, [0.5, 0.5, np.nan, 0.5])


def test_what_was_known_stays_where_the_table_is_silent(corpus: Corpus, tmp_path: Path) -> None:
    first = ProfileAnnotation(_table(tmp_path, "mol_id,r\na,0.1\nb,0.2\n"), reliability="r")
    corpus = annotate_profiles(corpus, "cp", first, Problems())
    second = ProfileAnnotation(_table(tmp_path, "mol_id,r\nb,0.9\nc,0.8\n"), reliability="r")
    about = annotate_profiles(corpus, "cp", second, Problems()).modalities["cp"].provenance
    assert about.reliability is not None
    np.testing.assert_allclose(about.reliability, [0.8, 0.1, 0.9, 0.1], rtol=1e-6)


def test_labels_that_disagree_are_none(corpus: Corpus, tmp_path: Path) -> None:
    path = _table(tmp_path, "mol_id,plate\na,007\na,8\nb,007\nc,9\nc,9\n")
    said = ProfileAnnotation(path, labels={"Metadata_Plate": "plate"})
    corpus = annotate_profiles(corpus, "cp", said, Problems())
    about = corpus.modalities["cp"].provenance
    assert about.labels["Metadata_Plate"].tolist() == ["9", "", "7", ""]
    corrected = correct_by(corpus, "cp", "center", "Metadata_Plate").modalities["cp"].provenance
    assert corrected.groups is not None
    assert corrected.correction == "center"
    assert correct_by(corpus, "cp", "none", "").modalities["cp"].provenance.groups is None
    with pytest.raises(InputError, match=r"modality cp.*cannot be corrected by 'Metadata_Batch'"):
        correct_by(corpus, "cp", "center", "Metadata_Batch")


def test_profiles_of_genes_by_symbol(corpus: Corpus, tmp_path: Path) -> None:
    said = ProfileAnnotation(_table(tmp_path, "gene,r\nTP53,0.5\nEGFR,1\n"), reliability="r")
    about = annotate_profiles(corpus, "crispr", said, Problems()).modalities["crispr"].provenance
    assert about.reliability is not None
    assert about.reliability.tolist() == [1, 0.5]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("mol_id,r\na,0.5\n", {"reliability": "corr"}, "has no column 'corr'.*columns: mol_id, r"),
        (
            "mol_id,r,q\na,1,x\na,good,y\n",
            {"reliability": "r", "select": {"q": ("y",)}},
            "row 2, column r: 'good' is not a number",
        ),
        ("mol_id,r\na,12\n", {"reliability": "r"}, "'12' is no reliability"),
        ("mol_id,r\nx,0.5\n", {"reliability": "r"}, "joins|joined|speaks of no molecule"),
        ("mol_id,r\na,0.5\n", {"reliability": "r", "select": {"mol_id": ("q",)}}, "no row with mol_id q"),
    ],
)
def test_what_cannot_be_used_is_said(
    corpus: Corpus,
    tmp_path: Path,
    text: str,
    options: dict[str, object],
    message: str,
) -> None:
    said = ProfileAnnotation(_table(tmp_path, text), **options)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=message):
        annotate_profiles(corpus, "cp", said, Problems())


def test_an_unknown_modality(corpus: Corpus, tmp_path: Path) -> None:
    said = ProfileAnnotation(_table(tmp_path, "mol_id,r\na,0.5\n"), reliability="r")
    with pytest.raises(InputError, match="no modality l1000"):
        annotate_profiles(corpus, "l1000", said, Problems())
    other = replace(corpus, modalities={"cp": corpus.modalities["cp"].take(np.array([0]))})
    with pytest.raises(InputError, match="speaks of no molecule with a profile of cp"):
        annotate_profiles(other, "cp", said, Problems())
