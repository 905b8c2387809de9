"""score DIR MEASURED: predictions held against what was measured since."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.cli.conftest import RINGS, TAILS

Run = Callable[..., Any]
OPTIONS = ("--learner", "neighbours", "--workers", "1", "--split-type", "random", "--no-report")


@pytest.fixture(scope="module")
def trained(cytomol: Run, assays: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("scored") / "model"
    done = cytomol("finetune", assays, *OPTIONS, "-o", out)
    assert done.code == 0, done.err
    return out


def table(tmp_path: Path, *, right: bool = True) -> Path:
    """Return a table of new molecules; ``right``: whether their labels follow the rule of the training."""
    smiles = [f"C{tail}C{ring}" for ring in RINGS for tail in TAILS if tail not in {"OC(=O)", "Cl", "N#C"}]
    frame = pd.DataFrame({"id": np.arange(len(smiles)), "smiles": smiles})
    label = frame["smiles"].str.contains("N|n").astype(int)
    frame["nitrogen"] = label if right else np.random.default_rng(0).permutation(label)
    path = tmp_path / "measured.csv"
    frame.to_csv(path, index=False)
    return path


def test_a_model_that_knows_the_rule_is_useful(cytomol: Run, trained: Path, tmp_path: Path) -> None:
    done = cytomol("score", trained, table(tmp_path), "-o", tmp_path / "s.json", "--workers", "1")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert any(line.split()[:3] == ["nitrogen", "42", "ROC-AUC"] for line in lines)
    assert any(line.startswith("nitrogen: better than chance by 0.") for line in lines)
    assert any(line.startswith("nitrogen: sets that should hold 90% hold ") for line in lines)
    assert "no column 'aromatic', so this task is not scored" in done.err
    kept = json.loads((tmp_path / "s.json").read_text())
    assert kept["word"] == "useful"
    assert set(kept["tasks"]) == {"nitrogen"}
    assert kept["tasks"]["nitrogen"]["labels"] == 42


def test_labels_that_follow_nothing_make_it_unusable(cytomol: Run, trained: Path, tmp_path: Path) -> None:
    done = cytomol("score", trained, table(tmp_path, right=False), "--workers", "1")
    assert done.code == 0, done.err
    assert "nitrogen: no better than chance: do not use" in done.out


def test_each_row_is_scored_with_its_own_label(cytomol: Run, trained: Path, tmp_path: Path) -> None:
    """The order of the rows does not matter, and an invalid molecule shifts nothing."""
    path = table(tmp_path)
    cytomol("score", trained, path, "-o", tmp_path / "a.json", "--workers", "1")
    frame = pd.read_csv(path).sample(frac=1, random_state=0)
    invalid = pd.DataFrame({"id": [99], "smiles": ["C1CC"], "nitrogen": [1]})
    pd.concat([frame.iloc[:5], invalid, frame.iloc[5:]]).to_csv(tmp_path / "other.csv", index=False)
    done = cytomol("score", trained, tmp_path / "other.csv", "-o", tmp_path / "b.json", "--workers", "1")
    assert done.code == 0, done.err
    assert "1 of 43 molecules is invalid and left out; row 6:" in done.out
    first, second = (
        json.loads((tmp_path / f"{name}.json").read_text())["tasks"]["nitrogen"] for name in "ab"
    )
    assert first["scores"]["model"]["roc_auc"]["value"] == pytest.approx(
        second["scores"]["model"]["roc_auc"]["value"]
    )
    assert (first["unpredicted"], second["unpredicted"]) == (0, 1)


def test_repeats_are_counted_once(cytomol: Run, trained: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(table(tmp_path))
    pd.concat([frame, frame.iloc[:10]]).to_csv(tmp_path / "t.csv", index=False)
    done = cytomol("score", trained, tmp_path / "t.csv", "-o", tmp_path / "s.json", "--workers", "1")
    assert done.code == 0, done.err
    found = json.loads((tmp_path / "s.json").read_text())["tasks"]["nitrogen"]
    assert (found["labels"], found["molecules"]) == (52, 42)


def test_molecules_of_the_training_are_pointed_out(cytomol: Run, trained: Path, assays: Path) -> None:
    done = cytomol("score", trained, assays, "--workers", "1")
    assert done.code == 0, done.err
    assert "look exactly like a training molecule" in done.out


def test_a_table_without_the_tasks_is_refused(cytomol: Run, trained: Path, tmp_path: Path) -> None:
    pd.DataFrame({"smiles": ["CCO"], "other": [1]}).to_csv(tmp_path / "t.csv", index=False)
    done = cytomol("score", trained, tmp_path / "t.csv")
    assert done.code == 2
    assert "has none of the model's tasks as a column: nitrogen, aromatic" in done.err
    assert "its columns are smiles, other" in done.err


def test_an_output_that_exists_is_kept(cytomol: Run, trained: Path, tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text("mine")
    done = cytomol("score", trained, table(tmp_path), "-o", tmp_path / "s.json", "--workers", "1")
    assert done.code == 2
    assert (tmp_path / "s.json").read_text() == "mine"


def test_codes_and_empty_columns_are_not_scored(cytomol: Run, trained: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(table(tmp_path)).assign(aromatic="")
    frame["nitrogen"] = frame["nitrogen"].astype(str)
    frame.loc[::5, "nitrogen"] = "-999"
    frame.to_csv(tmp_path / "t.csv", index=False)
    words = ("score", trained, tmp_path / "t.csv", "-o", tmp_path / "s.json", "--workers", "1")
    refused = cytomol(*words)
    assert refused.code == 2
    assert "'-999' is none of the classes" in refused.err
    done = cytomol(*words, "--missing-codes=-999")
    assert done.code == 0, done.err
    assert "column 'aromatic' has no label, so this task is not scored" in done.err
    found = json.loads((tmp_path / "s.json").read_text())["tasks"]
    assert list(found) == ["nitrogen"]
    assert found["nitrogen"]["labels"] == len(frame) - len(frame.iloc[::5])
