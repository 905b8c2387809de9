"""The verb impute as a user runs it: each row its expected profile, in order."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cytomol.artifact.backbone import Backbone
from cytomol.cells.impute.imputer import Imputer
from cytomol.corpus import read_corpus
from cytomol.corpus.planted import write_planted

Run = Callable[..., Any]
SMILES = ["CCO", "C1CC", "c1ccncc1", "CC(=O)Oc1ccccc1C(=O)O"]
SMALL = (
    "--width", "16", "--layers", "2", "--batch-size", "48", "--threads", "1", "--accelerator", "cpu",
    "--no-report",
)  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("planted") / "corpus"
    write_planted(path, 300, seed=2)
    return path


@pytest.fixture(scope="module")
def held_out(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a list of every other molecule."""
    path = tmp_path_factory.mktemp("held-out") / "held-out.csv"
    pd.read_parquet(corpus / "molecules.parquet")[["smiles"]].iloc[::2].to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def models(
    cytomol: Run, corpus: Path, held_out: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Return backbones of one epoch, by method."""
    folder = tmp_path_factory.mktemp("backbones")
    for method, views in (("infoalign", "2d"), ("chmr", "1d,2d"), ("contrastive", "2d")):
        done = cytomol(
            "pretrain", corpus, "--method", method, "--views", views, "--epochs", 1, *SMALL,
            "--exclude-profiles-of", held_out, "-o", folder / method, "-q",
        )  # fmt: skip
        assert done.code == 0, done.err
    return {path.name: path for path in folder.iterdir()}


@pytest.fixture
def molecules(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    pd.DataFrame({"smiles": SMILES, "plate": ["007", "", "x/y", "8"]}).to_csv(path, index=False)
    return path


@pytest.mark.parametrize("method", ["infoalign", "chmr"])
def test_formats_agree_and_invalid_rows_are_empty(
    cytomol: Run, models: dict[str, Path], molecules: Path, tmp_path: Path, method: str
) -> None:
    anndata = pytest.importorskip("anndata")
    for suffix in ("csv", "tsv", "parquet", "h5ad"):
        done = cytomol("impute", models[method], molecules, "-o", tmp_path / f"o.{suffix}")
        assert done.code == 0, done.err
    assert "imputed 3 of 4 molecules, 1 invalid (reason in column 'error')" in done.err
    assert "morphology: not calibrated" in done.err
    imputer = Imputer.of(Backbone.load(models[method]))
    expected = imputer.impute(SMILES)
    names = [one.name for one in imputer.modalities]
    assert {"morphology", "expression"} <= set(names)
    for table in (
        pd.read_csv(tmp_path / "o.csv", dtype={"plate": str}, keep_default_na=False, na_values={"x": []}),
        pd.read_parquet(tmp_path / "o.parquet"),
        pd.read_csv(tmp_path / "o.tsv", sep="\t", dtype={"plate": str}, keep_default_na=False),
    ):
        assert table["smiles"].tolist() == SMILES
        assert table["plate"].fillna("").tolist() == ["007", "", "x/y", "8"]
        assert [bool(why) for why in table["error"]] == [False, True, False, False]
        for one in imputer.modalities:
            columns = [f"{one.name}:{feature}" for feature in one.columns]
            told = table[columns].replace("", np.nan).to_numpy(float)
            np.testing.assert_allclose(told, expected.expected[one.name], rtol=1e-5, atol=1e-6)
            half = table[[f"{column}:half_width" for column in columns]].replace("", np.nan).to_numpy(float)
            np.testing.assert_allclose(half, expected.half_width[one.name], rtol=1e-5, atol=1e-6)
    data = anndata.read_h5ad(tmp_path / "o.h5ad")
    first, second = names[:2]
    assert data.var_names.tolist() == list(imputer.modalities[0].columns)
    np.testing.assert_allclose(data.X, expected.expected[first], rtol=1e-5)
    np.testing.assert_allclose(data.layers["half_width"], expected.half_width[first], rtol=1e-5)
    np.testing.assert_allclose(data.obsm[f"imputed_{second}"], expected.expected[second], rtol=1e-5)
    assert data.uns["columns"][f"imputed_{second}"].tolist() == list(imputer.modalities[1].columns)
    assert data.obs["Metadata_plate"].tolist() == ["007", "", "x/y", "8"]
    assert list(data.obs) == ["Metadata_smiles", "Metadata_plate", "Metadata_error"]
    embedding, _ = imputer.backbone.embed(SMILES)
    np.testing.assert_allclose(data.obsm["X_cytomol"], embedding, rtol=1e-4, atol=1e-5)
    assert ("codes" in data.obsm) == (method == "chmr")
    if method == "chmr":
        assert (data.obsm["codes"][1] == -1).all()
        assert (data.obsm["codes"][[0, 2, 3]] >= 0).all()


def test_chunks_change_nothing(models: dict[str, Path], molecules: Path, tmp_path: Path) -> None:
    from cytomol.cells.impute.imputed_rows import impute_rows
    from cytomol.tables import read_molecules

    imputer, table = Imputer.of(Backbone.load(models["chmr"]), ["expression"]), read_molecules(molecules)
    for size in (1, 3, 100):
        counts, _ = impute_rows(imputer, table, tmp_path / f"{size}.parquet", chunk=size, workers=1)
        assert (counts.rows, counts.invalid) == (4, 1)
        assert counts.reason.startswith("row 2: ")
    whole = pd.read_parquet(tmp_path / "100.parquet")
    for size in (1, 3):
        pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / f"{size}.parquet"), whole, rtol=1e-4)


def test_memory_does_not_grow_with_the_rows(models: dict[str, Path], tmp_path: Path) -> None:
    from cytomol.cells.impute.imputed_rows import impute_rows
    from cytomol.tables import read_molecules

    imputer = Imputer.of(Backbone.load(models["infoalign"]))

    def peak(rows: int) -> int:
        path = tmp_path / f"{rows}.smi"
        path.write_text("CCO\n" * rows)
        table = read_molecules(path)
        tracemalloc.start()
        impute_rows(imputer, table, tmp_path / f"{rows}.parquet", chunk=40, workers=1)
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    peak(40)
    assert peak(800) < 1.3 * peak(80)


def test_calibrated_by_what_was_left_out(
    *, cytomol: Run, models: dict[str, Path], corpus: Path, held_out: Path, molecules: Path, tmp_path: Path
) -> None:
    known = read_corpus(corpus).modalities["morphology"]
    profiles = known.values  # noqa: PD011 - no table of pandas
    common = ("--modality", "morphology", "-o", tmp_path / "a.csv")
    done = cytomol(
        "impute", models["infoalign"], molecules, *common, "--calibrate", corpus, "--held-out", held_out
    )
    assert done.code == 0, done.err
    assert "90% intervals by" in done.err
    assert f"of {known.width} features are not predicted better than their mean, and get it" in done.err
    assert "does not show that it left" not in done.err
    table, said = pd.read_csv(tmp_path / "a.csv"), done.err
    half = table.filter(regex="half_width$").iloc[0].to_numpy(float)
    inside = np.abs(profiles - np.nanmean(profiles, axis=0)) <= half
    assert 0.85 < inside.mean() < 0.97  # one epoch knows little: about the mean, with its interval

    frame = pd.DataFrame(profiles, columns=known.columns)
    frame.insert(0, "Metadata_smiles", [read_corpus(corpus).smiles[row] for row in known.rows])
    frame[known.rows % 2 == 0].to_csv(tmp_path / "profiles.csv", index=False)
    done = cytomol(
        "impute", models["infoalign"], molecules, "--modality", "morphology,gene_knockout", "--force",
        "-o", tmp_path / "a.csv", "--calibrate", tmp_path / "profiles.csv",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "gene_knockout: not calibrated" in done.err  # its features are the same, but no gene was measured
    assert "does not show that it left these molecules out" in done.err
    assert "ridge regression" not in done.err  # a table teaches nothing beside what it calibrates
    counted = re.findall(r"90% intervals by ([\d,]+ molecules of [\d,]+ scaffolds)", said + done.err)
    assert len(counted) == 2
    assert counted[0] == counted[1]
    again = pd.read_csv(tmp_path / "a.csv").filter(regex="^morphology.*half_width$").iloc[0].to_numpy(float)
    np.testing.assert_allclose(again.mean(), half.mean(), rtol=0.05)


def test_the_corpus_that_it_learnt_from_does_not_calibrate(
    cytomol: Run, models: dict[str, Path], corpus: Path, molecules: Path, tmp_path: Path
) -> None:
    done = cytomol("impute", models["chmr"], molecules, "-o", tmp_path / "o.csv", "--calibrate", corpus)
    assert done.code == 2
    assert "is the corpus that the model has learnt from" in done.err
    assert "--held-out" in done.err
    assert not (tmp_path / "o.csv").exists()


@pytest.mark.parametrize(
    ("method", "arguments", "said"),
    [
        ("infoalign", ("--modality", "proteome"), "decodes no modality 'proteome'"),
        ("contrastive", (), "decodes no profiles"),
        ("infoalign", ("--held-out", "x.csv"), "give that too"),
        ("infoalign", ("--coverage", "1"), "--coverage"),
        ("infoalign", ("--keep", "batch"), "has no column 'batch'"),
        ("infoalign", ("--on-error", "raise"), "row 2: invalid molecule 'C1CC'"),
        ("infoalign", ("-o", "out.xlsx"), "use .csv, .tsv, .parquet, .h5ad"),
    ],
)
def test_bad_use_gets_one_line(
    *,
    cytomol: Run,
    models: dict[str, Path],
    molecules: Path,
    tmp_path: Path,
    method: str,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    done = cytomol("impute", models[method], molecules, "-o", tmp_path / "o.csv", "-q", *arguments)
    assert done.code == 2
    assert said in done.err
    assert not (tmp_path / "o.csv").exists()


def test_profiles_of_other_features_or_without_molecules_are_refused(
    cytomol: Run, models: dict[str, Path], corpus: Path, molecules: Path, tmp_path: Path
) -> None:
    known = read_corpus(corpus).modalities["morphology"]
    frame = pd.DataFrame(known.values, columns=known.columns).iloc[:, :-2]
    frame.insert(0, "Metadata_smiles", "CCO")
    frame.to_csv(tmp_path / "narrow.csv", index=False)
    full = pd.DataFrame(known.values, columns=known.columns)
    full.insert(0, "Metadata_Well", "A01")
    full.to_csv(tmp_path / "unnamed.csv", index=False)
    few = pd.DataFrame(known.values, columns=known.columns).head(3)
    few.insert(0, "Metadata_smiles", ["CCO", "CCN", "CCCN"])
    few.to_csv(tmp_path / "few.csv", index=False)
    for name, said in (
        ("narrow.csv", f"lacks 2 of the {known.width} features of morphology: {known.columns[-2]}"),
        ("unnamed.csv", "says of no profile which molecule it is of"),
        ("absent.csv", "not found"),
        ("few.csv", "morphology: 3 molecules of 3 scaffolds cannot calibrate"),
    ):
        done = cytomol(
            "impute", models["infoalign"], molecules, "--modality", "morphology", "-o", tmp_path / "o.csv",
            "--calibrate", tmp_path / name, "-q",
        )  # fmt: skip
        assert done.code == 2, name
        assert said in done.err


def test_no_molecule_at_all_is_an_error_and_rows_can_be_dropped(
    cytomol: Run, models: dict[str, Path], molecules: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.csv").write_text("smiles\nC1CC\nnone\n")
    done = cytomol("impute", models["infoalign"], tmp_path / "bad.csv", "-o", tmp_path / "o.csv")
    assert done.code == 2
    assert "none of its 2 rows holds a molecule" in done.err
    assert not (tmp_path / "o.csv").exists()
    done = cytomol("impute", models["infoalign"], molecules, "-o", tmp_path / "o.csv", "--on-error", "drop")
    assert done.code == 0
    assert pd.read_csv(tmp_path / "o.csv")["smiles"].tolist() == [SMILES[0], *SMILES[2:]]
    done = cytomol("impute", models["infoalign"], tmp_path / "o.csv", "-o", tmp_path / "p.csv")
    assert done.code == 2
    assert "columns that are called as the answers are" in done.err
    done = cytomol(
        "impute", models["infoalign"], tmp_path / "o.csv", "-o", tmp_path / "p.csv", "--keep", "plate"
    )
    assert done.code == 0
    assert pd.read_csv(tmp_path / "p.csv").columns[:2].tolist() == ["smiles", "plate"]
