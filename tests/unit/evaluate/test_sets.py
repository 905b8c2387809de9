"""Benchmark sets: rows stay where they are, splits are whole, and mistakes are told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytomol.chem.parse import parse_smiles
from cytomol.errors import ConfigError, InputError
from cytomol.evaluate.sets import SETS, SetSource, data_folder, load_set

SMILES = ["CCO", "c1ccccc1", "not a molecule", "CCN", "c1ccncc1", "CC(=O)O", "C1CCCCC1", "CCCl", "CO", "CN"]
FOLDS = ["train", "train", "train", "valid", "test", "train", "test", "train", "valid", "train"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of sets that holds bbbp, made up."""
    place = tmp_path / "bbbp"
    place.mkdir()
    frame = pd.DataFrame({"smiles": SMILES, "b": [0, 1] * 5, "a": [1.0, 0.0, None, 1, 0, 1, 1, 0, 0, 1]})
    frame.to_csv(place / "assays.csv.gz", index=False)
    pd.DataFrame({"index": range(10), "fold": FOLDS}).to_csv(place / "split.csv.gz", index=False)
    (place / "card.json").write_text(json.dumps({"kind": "classification", "metric": "roc_auc"}))
    return tmp_path


def test_no_row_shifts(folder: Path) -> None:
    data = load_set("bbbp", data=folder)
    assert data.smiles == SMILES
    assert data.folds.tolist() == FOLDS
    assert data.labels.names == ("b", "a")
    assert data.labels.matrix[:, 0].tolist() == [0, 1] * 5
    assert np.isnan(data.labels.matrix[2, 1])
    assert data.metric == "roc_auc"
    assert data.scored_folds == ("valid", "test")


def test_test_labels_are_not_for_training(folder: Path) -> None:
    data = load_set("bbbp", data=folder)
    seen = data.training_labels().matrix
    test = data.folds == "test"
    assert np.isnan(seen[test]).all()
    np.testing.assert_array_equal(seen[~test], data.labels.matrix[~test])
    assert not np.isnan(data.labels.matrix[test]).any()


def test_a_folder_in_the_same_layout_is_a_set(folder: Path) -> None:
    (folder / "bbbp").rename(folder / "My set")
    data = load_set(folder / "My set")
    assert data.name == "my_set"
    assert len(data) == 10


def test_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CYTOMOL_DATA", str(tmp_path))
    assert data_folder() == tmp_path / "benchmarks"
    assert data_folder(tmp_path / "x") == tmp_path / "x"
    monkeypatch.delenv("CYTOMOL_DATA")
    with pytest.raises(ConfigError, match="CYTOMOL_DATA"):
        data_folder()


def test_unknown_name(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"did you mean 'bbbp'.*toxcast"):
        load_set("bbpb", data=folder)


def test_absent_set(folder: Path) -> None:
    with pytest.raises(InputError, match="cytomol data get bace"):
        load_set("bace", data=folder)


def test_a_published_set_takes_no_other_split(folder: Path) -> None:
    with pytest.raises(ConfigError, match="its own split"):
        load_set("bbbp", data=folder, split_col="b")


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ("{", "not JSON"),
        ("[]", "kind None"),
        ('{"kind": "ranking", "metric": "roc_auc"}', "kind 'ranking'"),
        ('{"kind": "regression", "metric": "roc_auc"}', "metric 'roc_auc'.*mae"),
    ],
)
def test_bad_cards(folder: Path, card: str, message: str) -> None:
    (folder / "bbbp" / "card.json").write_text(card)
    with pytest.raises(InputError, match=message):
        load_set("bbbp", data=folder)


def test_split_without_test_fold(folder: Path) -> None:
    pd.DataFrame({"index": [0, 1], "fold": ["train", "valid"]}).to_csv(
        folder / "bbbp" / "split.csv.gz", index=False
    )
    with pytest.raises(InputError, match="test fold has no labelled"):
        load_set("bbbp", data=folder)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    frame = pd.DataFrame({"id": [f"m{i}" for i in range(10)], "SMILES": SMILES, "y": np.arange(10) / 7})
    frame["part"] = FOLDS
    path = tmp_path / "My assays.csv.gz"
    frame.to_csv(path, index=False)
    return path


def test_own_table_with_a_column(table: Path) -> None:
    data = load_set(table, split_col="part")
    assert (data.name, data.labels.kind, data.metric) == ("my_assays", "regression", "mae")
    assert data.folds.tolist() == FOLDS
    assert data.labels.names == ("y",)


def test_own_table_with_a_file(table: Path, tmp_path: Path) -> None:
    split = tmp_path / "split.csv"
    pd.DataFrame({"index": [4, 0, 3], "fold": ["test", "train", "valid"]}).to_csv(split, index=False)
    data = load_set(table, split_file=split, targets=["y"])
    assert data.folds.tolist() == ["train", "", "", "valid", "test", "", "", "", "", ""]
    assert np.isnan(data.training_labels().matrix[1, 0])


def test_own_table_is_split_by_scaffold(table: Path) -> None:
    data = load_set(table, targets=["y"])
    assert data.folds[2] == ""  # no molecule
    assert set(data.folds) == {"", "train", "valid", "test"}


def test_two_splits(table: Path) -> None:
    with pytest.raises(ConfigError, match="both give a split"):
        load_set(table, split_file="x.csv", split_col="part")


def test_source_loads_the_same(folder: Path) -> None:
    source = SetSource("bbbp", str(folder))
    assert source.name == "bbbp"
    assert source.load().smiles == SMILES


@pytest.mark.real_data
@pytest.mark.parametrize("name", SETS)
def test_published_sets(real_data: Path, name: str) -> None:
    folder = real_data / "benchmarks"
    card = json.loads((folder / name / "card.json").read_text())
    data = load_set(name, data=folder)
    assert (len(data), len(data.labels.names)) == (card["molecules"], card["tasks"])
    assert (data.labels.kind, data.metric) == (card["kind"], card["metric"])
    raw = pd.read_csv(folder / name / "assays.csv.gz")
    assert data.smiles == raw["smiles"].tolist()
    np.testing.assert_array_equal(data.labels.matrix, raw.drop(columns="smiles").to_numpy(dtype=float))
    split = pd.read_csv(folder / name / "split.csv.gz")
    assert data.folds[split["index"]].tolist() == split["fold"].tolist()


@pytest.mark.real_data
def test_molecules_of_hiv_that_do_not_parse_keep_their_rows(real_data: Path) -> None:
    data = load_set("hiv", data=real_data / "benchmarks")
    rows = [137, 987, 12882, 18293, 30784, 30785, 35728]
    assert all(parse_smiles(data.smiles[row]).mol is None for row in rows)
    assert all(parse_smiles(data.smiles[row + 1]).mol is not None for row in rows if row != 30784)
