"""The verb finetune: what it makes and prints, and what it refuses."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rdkit import Chem

from cytomol.artifact.directory import verify

Run = Callable[..., Any]
# The verdict beside the scores is held by test_readme.py, and by the model of conftest.py.
SMALL = (
    "--epochs",
    "2",
    "--hidden",
    "8",
    "--features",
    "1d",
    "--workers",
    "1",
    "--no-baselines",
    "--no-report",
)
RANDOM = ("--split-type", "random")


@pytest.fixture(scope="module")
def plain(cytomol: Run, assays: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return what a run on the table as it is said."""
    done = cytomol("finetune", assays, *SMALL, *RANDOM, "-o", tmp_path_factory.mktemp("plain") / "m")
    assert done.code == 0, done.err
    return done


def test_makes_a_verified_model_directory_with_scores(fine_tuned: Path) -> None:
    manifest = verify(fine_tuned)
    assert manifest["kind"] == "predictor"
    assert {"scores.json", "split.csv", "history.csv"} <= set(manifest["files"])
    scores = json.loads((fine_tuned / "scores.json").read_text())
    assert scores["metric"] == "roc_auc"
    assert set(scores["test"]["tasks"]) == {"nitrogen", "aromatic"}
    assert scores["train"]["rows"] + scores["valid"]["rows"] + scores["test"]["rows"] == 60
    folds = pd.read_csv(fine_tuned / "split.csv")
    assert folds["index"].tolist() == list(range(60))


def test_says_what_it_does(plain: Any) -> None:
    assert "classification (detected from the labels; override with --task-type), 2 tasks" in plain.err
    assert "columns that are no tasks: name (id: every row has another name)" in plain.err
    lines = plain.out.splitlines()
    assert lines[0].split() == ["roc_auc", "valid", "test"]
    assert {"nitrogen", "aromatic"} < {line.split()[0] for line in lines if line}
    assert any(line.startswith("mean over tasks") for line in lines)


def test_regression_with_a_named_target_and_a_given_split(cytomol: Run, assays: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(assays)
    frame["mass, g"] = frame["smiles"].str.len() / 3.0
    frame["part"] = ["train", "train", "valid", "test"] * 15
    frame.to_csv(tmp_path / "t.tsv", sep="\t", index=False)
    done = cytomol(
        "finetune",
        tmp_path / "t.tsv",
        *SMALL,
        "--targets",
        "mass, g",
        "--split-col",
        "part",
        "-o",
        tmp_path / "m",
    )
    assert done.code == 0, done.err
    scores = json.loads((tmp_path / "m" / "scores.json").read_text())
    assert scores["metric"] == "mae"
    assert (scores["valid"]["rows"], scores["test"]["rows"]) == (15, 15)


def test_split_file_and_several_targets(cytomol: Run, assays: Path, tmp_path: Path) -> None:
    split = pd.DataFrame({"index": range(60), "fold": ["train", "valid", "test"] * 20})
    split.to_csv(tmp_path / "split.csv.gz", index=False)
    done = cytomol(
        "finetune", assays, *SMALL, "--split", tmp_path / "split.csv.gz", "-o", tmp_path / "m",
        "--targets", "nitrogen,aromatic",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert pd.read_csv(tmp_path / "m" / "split.csv")["fold"].tolist() == split["fold"].tolist()


def test_options_come_from_a_file_and_flags_override_them(cytomol: Run, assays: Path, tmp_path: Path) -> None:
    (tmp_path / "o.toml").write_text('epochs = 5\nhidden = 8\nfeatures = "1d"\nsplit_type = "random"\n')
    done = cytomol(
        "finetune",
        assays,
        "--config",
        tmp_path / "o.toml",
        "--epochs",
        "1",
        "-o",
        tmp_path / "m",
        "--workers",
        "1",
    )
    assert done.code == 0, done.err
    config = json.loads((tmp_path / "m" / "config.json").read_text())["finetune"]
    assert (config["epochs"], config["hidden"]) == (1, 8)


def test_paper_preset_follows_the_backbone(
    cytomol: Run, assays: Path, untrained: dict[str, Path], tmp_path: Path
) -> None:
    done = cytomol(
        "finetune", assays, "--backbone", untrained["infoalign"], "--preset", "paper", "--hidden", "8",
        "--epochs", "2", *RANDOM, "-o", tmp_path / "m", "--workers", "1",
    )  # fmt: skip
    assert done.code == 0, done.err
    config = json.loads((tmp_path / "m" / "config.json").read_text())["finetune"]
    assert (config["head"], config["features"], config["optimizer"]) == ("infoalign", "embedding", "adam")


def test_authors_preset_of_a_set(
    cytomol: Run, assays: Path, untrained: dict[str, Path], tmp_path: Path
) -> None:
    done = cytomol(
        "finetune", assays, "--backbone", untrained["chmr"], "--preset", "authors:bace", "--hidden", "8",
        "--epochs", "2", "--forest-trees", "5", *RANDOM, "-o", tmp_path / "m", "--workers", "1",
    )  # fmt: skip
    assert done.code == 0, done.err
    config = json.loads((tmp_path / "m" / "config.json").read_text())["finetune"]
    assert (config["batch_size"], config["norm"], config["forest_gamma"]) == (16, "batch", 0.005)
    assert (config["hidden"], config["epochs"], config["forest_trees"]) == (8, 2, 5)
    predicted = cytomol("predict", tmp_path / "m", assays, "--keep", "", "-o", tmp_path / "p.csv")
    assert predicted.code == 0, predicted.err
    answers = pd.read_csv(tmp_path / "p.csv")
    # logits are a forest's probability and a little of the head
    assert answers[["nitrogen", "aromatic"]].to_numpy().min() > 0.4


def test_authors_preset_needs_no_backbone(cytomol: Run, assays: Path, tmp_path: Path) -> None:
    done = cytomol(
        "finetune", assays, "--preset", "authors", "--hidden", "8", "--epochs", "2", *RANDOM,
        "-o", tmp_path / "m", "--workers", "1",
    )  # fmt: skip
    assert done.code == 0, done.err
    saved = json.loads((tmp_path / "m" / "config.json").read_text())
    assert (saved["blocks"], saved["finetune"]["bits_radius"]) == (["1d"], 1)


def test_invalid_molecules_are_counted_and_left_out(cytomol: Run, assays: Path, tmp_path: Path) -> None:
    text = assays.read_text() + "C1CC,bad,1.0,0.0\n,empty,0.0,1.0\n"
    (tmp_path / "t.csv").write_text(text)
    done = cytomol("finetune", tmp_path / "t.csv", *SMALL, *RANDOM, "-o", tmp_path / "m")
    assert done.code == 0, done.err
    assert "2 of 62 molecules are invalid and left out; row 61:" in done.err


def test_byte_order_mark_and_windows_line_ends_change_nothing(
    cytomol: Run, assays: Path, plain: Any, tmp_path: Path
) -> None:
    text = assays.read_text()
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    other = cytomol("finetune", tmp_path / "t.csv", *SMALL, *RANDOM, "-o", tmp_path / "b")
    assert other.code == 0, other.err
    assert plain.out == other.out


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "sdf", "parquet"])
def test_labels_stay_with_their_molecules(
    cytomol: Run, assays: Path, plain: Any, tmp_path: Path, suffix: str
) -> None:
    frame = pd.read_csv(assays)
    frame["name"] = [f"{i:03d}, {'x' * (i % 3)}\nsecond line" for i in range(len(frame))]
    path = tmp_path / f"t.{suffix}"
    if suffix == "csv":
        frame.to_csv(path, index=False, encoding="utf-16")
    elif suffix == "xlsx":
        frame.to_excel(path, index=False)
    elif suffix == "parquet":
        frame.set_index("smiles").to_parquet(path)
    else:
        blocks = [Chem.MolToMolBlock(Chem.MolFromSmiles(smiles)) for smiles in frame["smiles"]]
        labels = frame[["nitrogen", "aromatic"]].to_numpy()
        path.write_text("".join(
            f"{block}> <nitrogen>\n{a}\n> <aromatic>\n{'' if pd.isna(b) else b}\n$$$$\n"
            for block, (a, b) in zip(blocks, labels, strict=True)
        ))  # fmt: skip
    other = cytomol("finetune", path, *SMALL, *RANDOM, "-o", tmp_path / "b")
    assert other.code == 0, other.err
    assert plain.out == other.out


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


HEADER = "smiles,t\n"
ROWS = "CCO,1\nCCN,0\nCCC,1\nCCCl,0\n"
GOOD = "smiles,t\n" + "CCO,1\nCCN,0\nCCC,1\nc1ccccc1,0\nCCF,1\nCCCN,0\n" * 3

BAD_TABLES = {
    "empty": ("t.csv", "", r"is empty"),
    "header alone": ("t.csv", HEADER, r"holds no molecules"),
    "semicolons": ("t.csv", "smiles;t\nCCO;1\n", r"separated by semicolons"),
    "tabs": ("t.csv", "smiles\tt\nCCO\t1\n", r"separated by tabs"),
    "no such column": ("t.csv", "smile,t\nCCO,1\n", r"no column 'smiles'.*did you mean 'smile'.*smile, t"),
    "column twice": ("t.csv", "smiles,t,t\nCCO,1,1\n", r"column 't' stands 2 times"),
    "not a number": ("t.csv", HEADER + ROWS + "CCBr,high\n", r"row 5, column 't'.*'high' is not a finite"),
    "one class": ("t.csv", HEADER + ROWS.replace("0", "1") * 4, r"no column to learn.*every value is 1"),
    "no label": ("t.csv", "smiles,t\n" + "CCO,\nCCN,\n" * 5, r"no column to learn from.*t \(empty\)"),
    "no valid molecule": ("t.csv", HEADER + "xx,1\nC1C,0\n" * 4, r"no valid molecule among 8 rows; row 1"),
    "missing as a number": ("t.csv", HEADER + ROWS + "CCBr,-1\n", r"'t': -1 stands in 1 of 5 cells"),
    "reserved name": ("t.csv", "smiles,error\nCCO,1\nCCN,0\n", r"cannot be called 'error'"),
    "stray quote": ("t.csv", 'smiles,n,t\nCCO,"a,1\nCCN,b,0\nCCC,5",1\n', r"line 2: a quote opens .*line 4"),
    "decimal comma": ("t.csv", 'smiles,t\nCCO,"1,5"\nCCN,"0,2"\n', r"column 't': holds numbers with a comma"),
    "no molecule": ("t.csv", "CC(C)O,1\nCCN,0\n", r"has no header: a molecule stands in the first line"),
    "NUL": ("t.csv", GOOD.encode() + b"CC\0O,1\n", r"line 20: holds binary data"),
    "too many cells": ("t.csv", HEADER + "CCO,1,7\n", r"2 fields in line 2, saw 3"),
    "corrupt gzip": ("t.csv.gz", gzip.compress(GOOD.encode())[:-12], r"is not a whole gzip file"),
    "not gzip": ("t.csv.gz", GOOD, r"is not a whole gzip file"),
    "corrupt Parquet": ("t.parquet", b"PAR1 nonsense PAR1", r"is not a readable Parquet file"),
    "no workbook": ("t.xlsx", b"PK\x03\x04", r"is not a readable Excel workbook"),
    "unknown suffix": ("t.ods", b"PK\x03\x04", r"unknown kind of table"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_TABLES)
def test_bad_tables_are_refused_and_nothing_is_left(cytomol: Run, tmp_path: Path, case: str) -> None:
    name, content, message = BAD_TABLES[case]
    table = write(tmp_path / name, content)
    done = cytomol("finetune", table, *SMALL, *RANDOM, "-o", tmp_path / "m")
    assert_refused(done, message)
    assert listing(tmp_path) == [name]


def listing(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def assert_refused(done: Any, message: str) -> None:
    assert done.code == 2
    assert done.out == ""
    assert "Traceback" not in done.err
    error = next(line for line in done.err.splitlines() if line.startswith("cytomol: error:"))
    assert re.search(message, error), error


BAD_OPTIONS: dict[str, tuple[list[str], str]] = {
    "unknown preset": (["t.csv", "--preset", "authors:esol"], r"unknown preset 'authors:esol'.*authors:bace"),
    "no backbone in training mode": (["t.csv", "--embedding-mode", "training"], r"needs the embedding among"),
    "missing table": (["nowhere.csv"], r"nowhere.csv: molecule file not found"),
    "directory as table": (["."], r"is a directory where a molecule file belongs"),
    "target that is not there": (["t.csv", "--targets", "T"], r"no column 'T'"),
    "target without labels": (["e.csv", "--targets", "u"], r"column 'u': no label is measured"),
    "SMILES as target": (["t.csv", "--targets", "smiles"], r"cannot be called 'smiles'"),
    "wrong SMILES column": (["t.csv", "--smiles-col", "SMILES"], r"did you mean 'smiles'|no column 'SMILES'"),
    "classification of numbers": (
        ["r.csv", "--task-type", "classification"], r"row 1, column 't'.*is no class"),
    "embedding without backbone": (["t.csv", "--features", "embedding"], r"needs a backbone"),
    "backbone that is not there": (["t.csv", "--backbone", "nowhere"], r"nowhere: model directory not found"),
    "backbone that is none": (["t.csv", "--backbone", "."], r"holds no manifest.json"),
    "unknown split type": (["t.csv", "--split-type", "murcko"], r"unknown split type 'murcko'"),
    "fractions": (["t.csv", "--split-fractions", "0.5,0.1,0.1"], r"sum to 1"),
    "split file that is not there": (["t.csv", "--split", "nowhere.csv"], r"nowhere.csv"),
    "split of another table": (["t.csv", "--split", "long.csv"], r"row 40 is not in the table"),
    "split without valid": (["t.csv", "--split", "novalid.csv"], r"the valid fold has no labelled"),
    "unknown fold": (["t.csv", "--split", "badfold.csv"], r"fold 'holdout' is unknown"),
    "split column that is not there": (["t.csv", "--split-col", "fold"], r"no column 'fold'"),
    "two splits": (["t.csv", "--split", "long.csv", "--split-col", "t"], r"both give a split"),
    "split and split type": (["t.csv", "--split", "long.csv", "--split-type", "random"], r"one is given"),
    "unknown feature": (["t.csv", "--features", "2d"], r"features are one or more of"),
    "nothing to unfreeze": (["t.csv", "--features", "auto", "--unfreeze", "all"], r"no backbone to unfreeze"),
    "ensemble of unfrozen": (
        ["t.csv", "--features", "auto", "--unfreeze", "all", "--ensemble", "2"], r"needs a frozen backbone"),
    "unknown head": (["t.csv", "--head", "linear"], r"unknown head 'linear'.*chmr, infoalign"),
    "option out of range": (["t.csv", "--dropout", "1.5"], r"dropout"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_OPTIONS)
def test_bad_options_are_refused_and_nothing_is_left(
    cytomol: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "t.csv", GOOD)
    write(tmp_path / "e.csv", "smiles,t,u\nCCO,1,\nCCN,0,\n")
    write(tmp_path / "r.csv", "smiles,t\nCCO,1.5\nCCN,0.2\n")
    write(tmp_path / "long.csv", "index,fold\n0,train\n40,test\n")
    write(tmp_path / "novalid.csv", "index,fold\n0,train\n1,train\n2,test\n")
    write(tmp_path / "badfold.csv", "index,fold\n0,train\n1,holdout\n")
    before = listing(tmp_path)
    arguments, message = BAD_OPTIONS[case]
    split = [] if any(a.startswith("--split") for a in arguments) else RANDOM
    done = cytomol("finetune", *SMALL, *split, *arguments, "-o", "m")
    assert_refused(done, message)
    assert listing(tmp_path) == before


def test_an_output_that_exists_needs_force(cytomol: Run, assays: Path, tmp_path: Path) -> None:
    out = tmp_path / "m"
    out.mkdir()
    (out / "precious.txt").write_text("mine")
    assert_refused(cytomol("finetune", assays, *SMALL, "-o", out), r"output exists.*--force")
    assert (out / "precious.txt").exists()
    refused = cytomol("finetune", assays, *SMALL, *RANDOM, "-o", out, "--force")
    assert_refused(refused, r"cytomol did not write.*'precious.txt'")
    assert (out / "precious.txt").exists()
    for _ in range(2):
        done = cytomol("finetune", assays, *SMALL, *RANDOM, "-o", tmp_path / "ours", "--force")
        assert done.code == 0, done.err
    assert verify(tmp_path / "ours")["kind"] == "predictor"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to read-only folders")
def test_a_folder_that_cannot_be_written_is_refused_early(cytomol: Run, assays: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    assert_refused(cytomol("finetune", assays, *SMALL, "-o", locked / "m"), r"cannot be written to")


def test_an_altered_backbone_is_refused_with_both_hashes(
    cytomol: Run, assays: Path, untrained: dict[str, Path], tmp_path: Path
) -> None:
    import shutil

    shutil.copytree(untrained["chmr"], tmp_path / "b")
    config = tmp_path / "b" / "config.json"
    config.write_text(config.read_text().replace('"layers": 2', '"layers": 3'))
    done = cytomol("finetune", assays, *SMALL, "--backbone", tmp_path / "b", "-o", tmp_path / "m")
    assert_refused(done, r"config.json.*SHA-256 [0-9a-f]{64}.*[0-9a-f]{64}")
    assert not (tmp_path / "m").exists()


def test_a_full_disk_leaves_no_partial_model(
    cytomol: Run, assays: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes

    def full(self: Path, data: bytes) -> int:
        write(self, data[:4])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    done = cytomol("finetune", assays, *SMALL, *RANDOM, "-o", tmp_path / "m")
    assert_refused(done, r"m: cannot be written: No space left on device")
    assert listing(tmp_path) == []
