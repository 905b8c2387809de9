"""``cytomol evaluate imputation`` as a user runs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cytomol.corpus.planted import write_planted

Run = Callable[..., Any]
SMALL = (
    "--width", "16", "--layers", "2", "--batch-size", "48", "--threads", "1", "--accelerator", "cpu",
    "--no-report",
)  # fmt: skip


@pytest.fixture(scope="module")
def work(cytomol: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a planted corpus, a list of half of its molecules and a model of one epoch."""
    folder = tmp_path_factory.mktemp("evaluate")
    write_planted(folder / "corpus", 300, seed=2)
    table = pd.read_parquet(folder / "corpus" / "molecules.parquet")[["smiles"]].iloc[::2]
    table.to_csv(folder / "held-out.csv", index=False)
    strata = table.assign(long=(table["smiles"].str.len() > 30).astype(int), name="x")
    strata.to_csv(folder / "strata.csv", index=False)
    done = cytomol(
        "pretrain", folder / "corpus", "--method", "infoalign", "--epochs", 1, *SMALL, "-q",
        "--exclude-profiles-of", folder / "held-out.csv", "-o", folder / "model",
    )  # fmt: skip
    assert done.code == 0, done.err
    return folder


def _run(cytomol: Run, work: Path, *arguments: object) -> Any:
    return cytomol("evaluate", "imputation", work / "corpus", work / "model", *arguments)


def test_rows_of_every_source_and_stratum(cytomol: Run, work: Path, tmp_path: Path) -> None:
    common = (
        "--held-out",
        work / "held-out.csv",
        "--modality",
        "morphology",
        "--strata",
        work / "strata.csv",
    )
    done = _run(cytomol, work, *common, "-o", tmp_path / "rows.csv")
    assert done.code == 0, done.err
    assert "joint " in done.err
    rows = pd.read_csv(tmp_path / "rows.csv")
    assert set(rows["stratum"]) == {"all", "long"}
    assert set(rows["modality"]) == {"morphology"}
    everyone = rows[rows["stratum"] == "all"].pivot_table(index="source", columns="metric", values="value")
    assert set(everyone.index) == {
        "mean", "nearest", "ridge", "ridge calibrated", "decoder", "decoder calibrated", "joint",
    }  # fmt: skip
    assert everyone.loc["mean", "r2"] == 0
    assert everyone.loc["mean", "discrimination"] == 0.5
    assert 0.8 < everyone.loc["joint", "coverage"] <= 1
    assert everyone.loc["joint", "r2"] > -0.1  # one epoch knows little, but is drawn towards the mean
    again = _run(cytomol, work, *common, "-o", tmp_path / "again.csv", "-q")
    assert again.code == 0
    assert again.err == ""
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "rows.csv").read_bytes()


def test_bad_use_gets_one_line(cytomol: Run, work: Path, tmp_path: Path) -> None:
    few = tmp_path / "few.csv"
    pd.read_csv(work / "held-out.csv").head(20).to_csv(few, index=False)
    nothing = tmp_path / "nothing.csv"
    pd.DataFrame({"smiles": ["CCO"], "dose": [3.5]}).to_csv(nothing, index=False)
    held_out = ("--held-out", work / "held-out.csv")
    for arguments, said in (
        ((), "Missing option '--held-out'"),
        ((*held_out, "--modality", "proteome"), "decodes no modality 'proteome'"),
        (("--held-out", few, "--modality", "morphology"), "scaffolds cannot calibrate intervals"),
        ((*held_out, "--strata", nothing), "has no column of 0 and 1"),
        ((*held_out, "--modality", "gene_knockout"), "holds no profiles of molecules of gene_knockout"),
    ):
        done = _run(cytomol, work, "-o", tmp_path / "rows.csv", *arguments)
        assert done.code == 2, done.err
        assert said in done.err
        assert not (tmp_path / "rows.csv").exists()
    done = cytomol("evaluate", "imputation", few, work / "model", *held_out, "-o", tmp_path / "rows.csv")
    assert done.code == 2
    assert "few.csv: is no corpus" in done.err
