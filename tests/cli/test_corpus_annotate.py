"""cytomol corpus annotate, as a user calls it; and what pretraining makes of it."""

# ruff: noqa: PD011 (the values of a modality are an array)
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.cli.conftest import Done

from cytomol.artifact.backbone import Backbone
from cytomol.cells.modality import trained_modality
from cytomol.corpus import read_corpus


@pytest.fixture(scope="module")
def corpus(cytomol: Callable[..., Done], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small planted corpus, and a table of its molecules beside it."""
    folder = tmp_path_factory.mktemp("annotate")
    assert cytomol("corpus", "planted", "-o", folder / "corpus", "--size", 200).code == 0
    molecules = pd.read_parquet(folder / "corpus" / "molecules.parquet")
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"inchikey": molecules["inchikey"], "r": rng.uniform(0, 1, len(molecules))})
    table["library"] = np.where(np.arange(len(table)) % 2, "known", "diverse")
    table["assay"] = "cell_painting"
    table.to_csv(folder / "said.csv", index=False)
    return folder


def test_annotated_then_pretrained(cytomol: Callable[..., Done], corpus: Path) -> None:
    out = corpus / "annotated"
    done = cytomol(
        "corpus", "annotate", corpus / "corpus", "morphology", "--table", corpus / "said.csv",
        "--reliability", "r", "--label", "Library=library", "--select", "assay=cell_painting",
        "--correction", "standardise", "--by", "Library", "-o", out,
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "profiles got a reliability" in done.out
    assert "morphology: training corrects it by Metadata_Library (standardise)" in done.out
    about = read_corpus(out).modalities["morphology"].provenance
    assert about.reliability is not None
    assert not np.isnan(about.reliability).any()
    checked = cytomol("corpus", "check", out)
    assert checked.code == 0
    assert "standardise by Metadata_Library" in checked.out
    assert "Metadata_Library (2)" in checked.out

    options = ("--method", "contrastive", "--epochs", 1, "--width", 16, "--hidden", 16, "--workers", 1)
    weighted = ("--modalities", "morphology", "--views", "1d", "--profile-weights", "reliability")
    done = cytomol("pretrain", out, "-o", corpus / "model", *options, *weighted, "--no-report")
    assert done.code == 0, done.err
    assert "morphology: corrected by Metadata_Library (standardise, 2 groups)" in done.err + done.out
    backbone = Backbone.load(corpus / "model")
    correction = backbone.corrections["morphology"]
    assert (correction.by, correction.groups) == ("Metadata_Library", ("diverse", "known"))

    values = read_corpus(out).modalities["morphology"].values[:3]
    modality = trained_modality(backbone, "morphology")
    beside = pd.DataFrame({"Metadata_Library": ["diverse", "known", "elsewhere"]})
    corrected = modality.corrected(values, beside)
    np.testing.assert_array_equal(
        corrected, correction.apply(values, np.array(["diverse", "known", "elsewhere"], dtype=object))
    )
    assert (corrected[0] != values[0]).any()
    np.testing.assert_array_equal(corrected[2], values[2])
    assert modality.corrected(values, pd.DataFrame({"well": ["a", "b", "c"]})) is values


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "nothing to say"),
        (("--table", "said.csv"), "no column of it"),
        (("--reliability", "r"), "--table, which is missing"),
        (("--table", "said.csv", "--reliability", "correlation"), "has no column 'correlation'"),
        (("--table", "said.csv", "--label", "Shelf=library"), "'Shelf' is no label"),
        (("--table", "said.csv", "--reliability", "r", "--select", "assay"), "write COLUMN=VALUE"),
        (("--correction", "center"), "goes with --by"),
        (("--correction", "center", "--by", "Plate"), "cannot be corrected by 'Metadata_Plate'"),
    ],
)
def test_what_is_wrong_is_said(
    cytomol: Callable[..., Done], corpus: Path, args: tuple[str, ...], message: str
) -> None:
    given = [corpus / arg if arg.endswith(".csv") else arg for arg in args]
    done = cytomol("corpus", "annotate", corpus / "corpus", "morphology", *given, "-o", corpus / "never")
    assert done.code != 0
    assert message in done.err
    assert not (corpus / "never").exists()


def test_an_unknown_modality_names_the_known_ones(cytomol: Callable[..., Done], corpus: Path) -> None:
    done = cytomol(
        "corpus", "annotate", corpus / "corpus", "cp", "--table", corpus / "said.csv", "--reliability", "r"
    )
    assert done.code != 0
    assert "no modality cp" in done.err
    assert "morphology" in done.err


def test_weights_without_reliabilities(cytomol: Callable[..., Done], corpus: Path) -> None:
    done = cytomol(
        "pretrain",
        corpus / "corpus",
        "-o",
        corpus / "none",
        "--profile-weights",
        "reliability",
        "--workers",
        1,
    )
    assert done.code != 0
    assert "cytomol corpus annotate" in done.err
