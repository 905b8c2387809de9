"""The verb explain: atoms of predictions, imputed profiles and matches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.unit.cells.explained_backbones import COLUMNS, cell_backbone, save_cell_backbone

Run = Callable[..., Any]
SMILES = ["CCO", "C1CC", "OC(=O)c1ccccc1"]
ATOMS = [3, 1, 9]  # rows of each: an invalid molecule has one


@pytest.fixture
def molecules(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    pd.DataFrame({"smiles": SMILES, "id": ["a", "b", "c"], "value": [7, 8, 9]}).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def backbones(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("cell-backbones")
    return {
        name: save_cell_backbone(cell_backbone(name), folder / name)
        for name in ("chmr", "infoalign", "contrastive")
    }


@pytest.fixture
def profiles(tmp_path: Path) -> Path:
    """Return a table of two profiles, its features in another order and one more among them."""
    frame = pd.DataFrame({"Metadata_well": ["A1", "A2"], "other": [0.5, 0.1]})
    for number, column in enumerate(reversed(COLUMNS)):
        frame[column] = [number * 1.5, 3.0 - number]
    path = tmp_path / "profiles.csv"
    frame.to_csv(path, index=False)
    return path


def test_tasks_of_a_predictor(cytomol: Run, fine_tuned: Path, molecules: Path, tmp_path: Path) -> None:
    done = cytomol("explain", fine_tuned, molecules, "-o", tmp_path / "e.csv", "--keep", "id")
    assert done.code == 0, done.err
    assert "explained nitrogen, aromatic: 2 of 3 molecules, 1 invalid (reason in column 'error')" in done.err
    table = pd.read_csv(tmp_path / "e.csv")
    assert table.columns.tolist() == [
        *("smiles", "id", "row", "explained", "value", "atom", "symbol", "attribution"),
        *("piece", "piece_smiles", "piece_attribution", "error"),
    ]
    assert table["row"].tolist() == [1] * 6 + [2] + [3] * 18
    assert table["id"].tolist() == ["a"] * 6 + ["b"] + ["c"] * 18
    assert "unclosed ring" in table["error"][6]
    assert pd.isna(table["value"][6])
    assert table["symbol"][:3].tolist() == ["C", "C", "O"]
    assert set(table["piece_smiles"][7:]) == {"O=CO", "c1ccccc1"}
    predicted = tmp_path / "p.csv"
    assert cytomol("predict", fine_tuned, molecules, "-o", predicted, "--no-uncertainty").code == 0
    answers = pd.read_csv(predicted)
    for task in ("nitrogen", "aromatic"):
        of_task = table[table["explained"] == task].groupby("row")["value"].first()
        np.testing.assert_allclose(of_task[[1, 3]], answers[task][[0, 2]], atol=1e-5)
    assert cytomol("explain", fine_tuned, molecules, "-o", tmp_path / "f.csv", "--keep", "id").code == 0
    assert (tmp_path / "e.csv").read_bytes() == (tmp_path / "f.csv").read_bytes()


def test_one_task_and_drawings(cytomol: Run, fine_tuned: Path, molecules: Path, tmp_path: Path) -> None:
    out, folder = tmp_path / "e.parquet", tmp_path / "drawn"
    asked = ("explain", fine_tuned, molecules, "-o", out, "--task", "nitrogen", "--draw", folder)
    done = cytomol(*asked, "--draw-first", "1", "--on-error", "drop")
    assert done.code == 0, done.err
    assert "drew the first 1 of them" in done.err
    table = pd.read_parquet(out)
    assert table["row"].tolist() == [1] * 3 + [3] * 9
    assert set(table["explained"]) == {"nitrogen"}
    assert sorted(path.name for path in folder.iterdir() if path.name[0] != ".") == [
        "000001.svg",
        "index.html",
    ]
    assert "nitrogen 0." in (folder / "000001.svg").read_text()
    assert cytomol(*asked).code == 2  # it is there
    assert cytomol(*asked, "--force").code == 0
    assert (folder / "000003.svg").is_file()


@pytest.mark.parametrize("by", ["occlusion", "gradients"])
@pytest.mark.parametrize("name", ["chmr", "infoalign"])
def test_imputed_profiles(
    cytomol: Run, backbones: dict[str, Path], molecules: Path, tmp_path: Path, *, name: str, by: str
) -> None:
    out = tmp_path / "e.csv"
    done = cytomol("explain", backbones[name], molecules, "-o", out, "--by", by, "--feature", "dna")
    assert done.code == 0, done.err
    table = pd.read_csv(out)
    assert table.groupby("row").size().tolist() == ATOMS
    assert set(table["explained"].dropna()) == {"dna"}
    assert np.isfinite(table["attribution"].dropna()).all()
    if by == "gradients":
        first = table[table["row"] == 1]
        added = first["attribution"].sum() + first["unattributed"].iloc[0]
        assert added == pytest.approx(first["value"].iloc[0] - first["baseline"].iloc[0], abs=1e-4)
    else:
        assert "baseline" not in table
    whole = cytomol("explain", backbones[name], molecules, "-o", out, "--force", "--of", "norm", "--by", by)
    assert whole.code == 0, whole.err
    assert set(pd.read_csv(out)["explained"].dropna()) == {"norm"}


@pytest.mark.parametrize("name", ["chmr", "infoalign", "contrastive"])
def test_a_match(
    cytomol: Run, backbones: dict[str, Path], molecules: Path, profiles: Path, *, tmp_path: Path, name: str
) -> None:
    asked = ("explain", backbones[name], molecules, "--profile", profiles)
    several = cytomol(*asked, "-o", tmp_path / "a.csv")
    assert several.code == 2
    assert "holds 2 profiles, and a match is to one" in several.err
    beyond = cytomol(*asked, "-o", tmp_path / "a.csv", "--profile-row", 3)
    assert beyond.code == 2
    assert "has no row 3: it holds 2 profiles" in beyond.err
    assert not (tmp_path / "a.csv").exists()
    values = []
    for row in (1, 2):
        done = cytomol(*asked, "-o", tmp_path / f"{row}.csv", "--profile-row", row)
        assert done.code == 0, done.err
        table = pd.read_csv(tmp_path / f"{row}.csv")
        values.append(table.groupby("row")["value"].first()[[1, 3]].to_numpy())
    assert (np.abs(values) <= 1).all()
    assert np.abs(values[0] - values[1]).max() > 1e-3


@pytest.mark.parametrize(
    ("model", "options", "said"),
    [
        ("predictor", ["--task", "toxic"], "the model has no task 'toxic' (it has nitrogen, aromatic"),
        ("predictor", ["--by", "gradients"], "integrated gradients explain imputed profiles and matches"),
        ("predictor", ["--modality", "morphology"], "the model has learnt from no profiles"),
        ("chmr", ["--task", "toxic"], "is a pretrained model, which has no tasks"),
        ("chmr", ["--modality", "l1000"], "learnt from no modality 'l1000' (it knows morphology"),
        ("chmr", ["--feature", "nucleus"], "morphology has no feature 'nucleus' (it has 4: area"),
        ("chmr", ["--feature", "dna", "--of", "norm"], "choose one of --feature, --of and --profile"),
        ("chmr", ["--task", "a", "--of", "norm"], "--task is of a fine-tuned model"),
        ("chmr", ["--profile-row", "1"], "--profile-row is a row of --profile TABLE"),
        ("contrastive", [], "contrastive decodes no profiles of morphology"),
        ("untrained", [], "the model has learnt from no profiles"),
        ("chmr", ["--keep", "name"], "has no column 'name'"),
        ("nowhere", ["-o", "e.xlsx"], "unknown kind of output '.xlsx'"),  # before the model is looked for
        ("chmr", ["--on-error", "raise"], "row 2: invalid molecule 'C1CC'"),
    ],
)
def test_what_cannot_be_explained_is_one_line(
    cytomol: Run,
    *,
    backbones: dict[str, Path],
    untrained: dict[str, Path],
    fine_tuned: Path,
    molecules: Path,
    tmp_path: Path,
    model: str,
    options: list[str],
    said: str,
) -> None:
    known = {**backbones, "untrained": untrained["chmr"], "predictor": fine_tuned, "nowhere": tmp_path / "no"}
    done = cytomol("explain", known[model], molecules, "-o", tmp_path / "e.csv", *options)
    assert done.code == 2
    assert said in done.err
    assert "defect" not in done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv"]


def test_profiles_of_other_features(
    cytomol: Run, backbones: dict[str, Path], molecules: Path, tmp_path: Path
) -> None:
    path = tmp_path / "other.csv"
    pd.DataFrame({"Metadata_well": ["A1"], "area": [1.0], "nucleus": [2.0]}).to_csv(path, index=False)
    done = cytomol("explain", backbones["chmr"], molecules, "-o", tmp_path / "e.csv", "--profile", path)
    assert done.code == 2
    assert "lacks 3 of the 4 features of morphology: texture, dna, spread" in done.err


def test_no_molecule_can_be_read(cytomol: Run, backbones: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "in.smi").write_text("C1CC\nnothing\n")
    asked = ("explain", backbones["chmr"], tmp_path / "in.smi", "-o", tmp_path / "e.csv")
    done = cytomol(*asked)
    assert done.code == 2
    assert "none of its 2 rows holds a molecule that can be read; row 1: " in done.err
    assert not (tmp_path / "e.csv").exists()
    kept = cytomol(*asked, "--on-error", "keep")
    assert kept.code == 0, kept.err
    assert len(pd.read_csv(tmp_path / "e.csv")) == 2


def test_columns_of_the_input_stay(
    cytomol: Run, backbones: dict[str, Path], molecules: Path, tmp_path: Path
) -> None:
    done = cytomol("explain", backbones["chmr"], molecules, "-o", tmp_path / "e.csv", "--keep", "value")
    assert done.code == 0, done.err
    assert "the answer is called 'value_explained'" in done.err
    table = pd.read_csv(tmp_path / "e.csv")
    assert table.groupby("row")["value"].first().tolist() == [7, 8, 9]
    assert "value_explained" in table


def test_chunks_do_not_matter(
    cytomol: Run,
    backbones: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from cytomol.scale import explain_job

    (tmp_path / "in.smi").write_text("\n".join(["C" * n for n in range(1, 9)] + ["C1CC", "N"]))
    asked = ("explain", backbones["infoalign"], tmp_path / "in.smi")
    assert cytomol(*asked, "-o", tmp_path / "whole.csv").code == 0
    monkeypatch.setattr(explain_job, "AT_ONCE", 3)
    assert cytomol(*asked, "-o", tmp_path / "parts.csv").code == 0
    whole, parts = (pd.read_csv(tmp_path / name) for name in ("whole.csv", "parts.csv"))
    assert whole["row"].tolist() == parts["row"].tolist()
    np.testing.assert_allclose(whole["attribution"], parts["attribution"], atol=1e-5)
