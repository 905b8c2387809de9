"""The verb check: what it says of a table, and the command that it proposes."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a table with an id, dates, a task of values, one of classes and one with bounds."""
    generator = np.random.default_rng(0)
    n = 60
    smiles = ["C" * (row // 2 + 1) + "O" for row in range(n)]  # every molecule twice
    frame = pd.DataFrame({"Compound ID": range(1000, 1000 + n), "SMILES": smiles})
    frame["Date"] = [f"2024-01-{1 + row % 28:02}" for row in range(n)]
    frame["clearance, log"] = np.round(generator.normal(2, 1, n), 3)
    frame["outcome"] = ["Active", "Inactive"] * (n // 2)
    frame["ic50"] = [f">{row}.5" if row % 3 == 0 else f"{row}.25" for row in range(n)]
    frame.loc[5, "SMILES"] = "C1CC"
    path = tmp_path_factory.mktemp("newcomer") / "my assays.csv"
    frame.to_csv(path, index=False)
    return path


def test_says_what_each_column_is(cytomol: Run, newcomer: Path) -> None:
    done = cytomol("check", newcomer)
    assert done.code == 0, done.err
    rows = {line[:14].strip(): line for line in done.out.split("\n\n")[0].splitlines()}
    for name, what in {
        "Compound ID": "id",
        "SMILES": "smiles",
        "Date": "date",
        "clearance, log": "number",
        "outcome": "class",
        "ic50": "censored",
    }.items():
        assert rows[name][14:].split()[0] == what
        assert rows[name].endswith("yes") == (what in {"number", "class", "censored"})
    assert "Inactive: 30, Active: 30" in rows["outcome"]
    assert "0 less than, 20 more than" in rows["ic50"]


def test_counts_molecules_and_contradictions(cytomol: Run, newcomer: Path) -> None:
    out = cytomol("check", newcomer).out
    assert "60 rows, 59 valid molecules, 30 different, 29 in several rows" in out
    assert "1 row without a valid molecule; row 6: " in out
    assert "column 'outcome': 29 of 29 repeated molecules have contradictory labels" in out
    assert "outcome: 0 of 29 repeated molecules agree; two labels of one molecule differ in 100%" in out
    assert "clearance, log: 0 of 29 repeated molecules agree; noise of the assay" in out
    assert "column 'Compound ID' is not learnt" in out


def test_the_proposed_command_trains(cytomol: Run, newcomer: Path, tmp_path: Path) -> None:
    command = shlex.split(cytomol("check", newcomer).out.splitlines()[-1])
    assert command[:3] == ["cytomol", "finetune", str(newcomer)]
    targets = [command[at + 1] for at, word in enumerate(command) if word == "--targets"]
    assert targets == ["clearance, log", "outcome", "ic50"]
    assert command[-4:] == ["--folds", "5", "-o", "model"]


@pytest.mark.parametrize(("rows", "crossed"), [(299, True), (300, False)])
def test_a_small_table_is_to_be_cross_validated(
    cytomol: Run, tmp_path: Path, rows: int, crossed: bool
) -> None:
    """A tenth of fewer than 300 labels is no verdict's test."""
    frame = pd.DataFrame({"SMILES": ["C" * (1 + row % 40) + "O" for row in range(rows)]})
    frame["pIC50"] = np.round(np.random.default_rng(0).normal(6, 1, rows), 2)
    frame.to_csv(tmp_path / "table.csv", index=False)
    out = cytomol("check", tmp_path / "table.csv").out
    assert ("--folds 5 -o model" in out) is crossed
    assert ("tests it on all of them (--folds 5)" in out) is crossed


@pytest.mark.parametrize(
    ("cells", "said", "options"),
    [
        (["-1", "0", "1"] * 20, "-1 stands in 20 of 60 cells", ["--missing-codes=-1"]),
        (["-1", "0", "1"] * 20, "-1 stands in 20 of 60 cells", ["--task-type", "classification"]),
        (["-999", "0.5", "1.25", "2.5"] * 15, "-999 in 15 of 60 cells", ["--missing-codes", "-999"]),
        (["-999", "0.5", "1.25", "2.5"] * 15, "-999 in 15 of 60 cells", ["--missing-codes", "none"]),
        (
            ["0.5", "failed", "1.25"] * 20,
            "20 cells are no numbers, as 'failed' in row 2",
            ["--missing-codes=failed"],
        ),
    ],
)
def test_what_must_be_settled_gives_status_1_and_no_command(
    cytomol: Run, tmp_path: Path, cells: list[str], said: str, options: list[str]
) -> None:
    pd.DataFrame({"smiles": ["C" * (row + 1) for row in range(60)], "y": cells}).to_csv(
        tmp_path / "t.csv", index=False
    )
    done = cytomol("check", tmp_path / "t.csv")
    assert done.code == 1
    assert f"to settle: column 'y': {said}" in done.out
    assert "cytomol finetune" not in done.out
    settled = cytomol("check", tmp_path / "t.csv", *options)
    assert settled.code == 0, settled.out
    proposed = settled.out.splitlines()[-1]
    assert "cytomol finetune" in proposed
    assert all(word in proposed.replace("=", " ").split() for option in options for word in option.split("="))


def test_a_table_without_anything_to_learn(cytomol: Run, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("smiles,note\nCCO,fine\nCCN,good\n")
    done = cytomol("check", tmp_path / "t.csv")
    assert done.code == 1
    assert "there is no column to learn from" in done.out


def test_a_split_by_time_goes_by_the_column_of_dates(cytomol: Run, assays: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(assays)
    frame["measured on"] = [f"20{row % 60:02}-03-01" for row in range(len(frame))][::-1]
    frame.to_csv(tmp_path / "t.csv", index=False)
    small = ("--epochs", "1", "--hidden", "8", "--features", "1d", "--workers", "1", "--split-type", "time")
    done = cytomol("finetune", tmp_path / "t.csv", *small, "--time-col", "measured on", "-o", tmp_path / "m")
    assert done.code == 0, done.err
    folds = pd.read_csv(tmp_path / "m" / "split.csv")["fold"].tolist()
    assert folds == ["test"] * 6 + ["valid"] * 6 + ["train"] * 48
    refused = cytomol("finetune", tmp_path / "t.csv", *small, "-o", tmp_path / "n")
    assert refused.code == 2
    assert "--time-col and --split-type time belong together" in refused.err
