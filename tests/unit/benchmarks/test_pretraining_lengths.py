"""Pretrainings of several lengths and seeds: what is asked of the command line, rows, page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from benchmarks.quality import pretraining
from benchmarks.quality.lengths import added, lengths
from benchmarks.quality.pretraining import COLUMNS, MODEL, Pretraining, described
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from cytomol.cli.pretrain import command


@pytest.mark.parametrize("cells", ["with", "without"])
def test_the_command_line_takes_the_words(tmp_path: Path, cells: str) -> None:
    out = tmp_path / f"{cells}-8-1"
    words = Pretraining(cells, 8, 1).words(tmp_path, tmp_path, out)
    assert "--resume" not in words
    given = command.make_context("pretrain", list(words)).params
    assert given["out"] == str(out)
    out.with_name(f"{out.name}.partial").mkdir()
    assert Pretraining(cells, 8, 1).words(tmp_path, tmp_path, out) == [*words, "--resume"]


def _model(path: Path, *, done: int = 8) -> Path:
    """A directory of what is asked of a backbone's directory: what it says of itself."""
    path.mkdir(parents=True)
    options = {"batch_size": 1024, "epochs": 8, "seed": 3}
    config = {"method": "chmr", "config": options, "modalities": {"morphology": {}}}
    (path / "config.json").write_text(json.dumps(config))
    (path / "training.json").write_text(json.dumps({"epochs": done}))
    (path / "manifest.json").write_text("{}")
    return path


def test_what_is_there_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work, out = tmp_path / "work" / "pretraining", tmp_path / "out"
    out.mkdir()
    _model(work / "with-8-0")
    asked: list[list[str]] = []

    def ran(words: list[str], check: bool) -> None:
        asked.append(words)
        _model(Path(words[words.index("-o") + 1]), done=7)

    monkeypatch.setattr(pretraining.subprocess, "run", ran)
    monkeypatch.setattr(pretraining, "corpus_folder", lambda: tmp_path)
    monkeypatch.setattr(pretraining, "evaluated_molecules", lambda work, train_too: tmp_path)
    monkeypatch.setattr(pretraining, "score_form", _scored)
    words = ["--epochs", "8", "--seeds", "0", "--out", str(out), "--work", str(tmp_path / "work")]
    assert pretraining.main(words) == 0
    assert [one[one.index("-o") + 1] for one in asked] == [str(work / "without-8-0")]
    table = pd.read_csv(out / "pretraining.csv")
    assert list(table.columns) == list(COLUMNS)
    assert sorted(set(table["epochs"])) == [7, 8]
    assert table["value"].tolist() == [50.0] * 14


def test_models_from_elsewhere_join_the_rows_that_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretraining, "score_form", _scored)
    first, second = _model(tmp_path / "a"), _model(tmp_path / "b", done=5)
    words = ["--epochs", "--out", str(tmp_path), "--work", str(tmp_path), "--models"]
    for models in ([first], [second], [first]):
        assert pretraining.main([*words, *map(str, models)]) == 0
    table = pd.read_csv(tmp_path / "pretraining.csv")
    assert len(table) == 14
    assert described(second) == ("chmr", "with", 1024, 5, 8, 3)
    assert [tuple(row) for row in table[list(MODEL)].drop_duplicates().to_numpy()] == [
        described(second),
        described(first),
    ]


def _scored(entrant: Any, name: str, work: Path) -> Path:
    metric = "mae" if name == "biogenadme" else "roc_auc"
    path = work / f"{entrant.name}.{name}.json"
    work.mkdir(exist_ok=True)
    path.write_text(json.dumps({"metric": metric, "scores": {"embedding": [40.0, 60.0]}}))
    return path


@given(
    first=st.lists(st.floats(0, 100, width=16), min_size=2, max_size=5),
    second=st.lists(st.floats(0, 100, width=16), min_size=2, max_size=5),
)
def test_the_interval_is_welchs(first: list[float], second: list[float]) -> None:
    if np.std(first) < 0.01 or np.std(second) < 0.01:  # two numbers that a float hardly tells apart
        return
    cells = ["with"] * len(first) + ["without"] * len(second)
    text = added(pd.DataFrame({"cells": cells, "signed": [*first, *second]}))
    of_first, of_second = (np.var(values, ddof=1) / len(values) for values in (first, second))
    freedom = (of_first + of_second) ** 2 / (
        of_first**2 / (len(first) - 1) + of_second**2 / (len(second) - 1)
    )
    mean, half = np.mean(first) - np.mean(second), student.ppf(0.975, freedom)
    half *= np.sqrt(of_first + of_second)
    shown = [float(number) for number in re.findall(r"[+-][0-9.]+", text)]
    assert shown == pytest.approx([mean, mean - half, mean + half], abs=0.051)


def test_an_error_counts_below_zero() -> None:
    rows = [
        ("infoalign", "with", 128, 8, 8, 0, "biogenadme", "mae", "embedding", 5, 40.0),
        ("infoalign", "without", 128, 8, 8, 0, "biogenadme", "mae", "embedding", 5, 45.0),
        ("infoalign", "with", 128, 8, 8, 0, "bace", "roc_auc", "embedding", 5, 80.0),
        ("infoalign", "without", 128, 8, 8, 0, "bace", "roc_auc", "embedding", 5, 81.0),
        ("infoalign", "with", 128, 5, 8, 0, "bace", "roc_auc", "embedding", 5, 70.0),
    ]
    text = "\n".join(lengths(SimpleNamespace(pretraining=pd.DataFrame(rows, columns=list(COLUMNS)))))  # type: ignore[arg-type]
    assert "| InfoAlign | 128 | 8 | with | 1 | 80.0 |" in text
    assert "| InfoAlign | 128 | 5 of 8 | with | 1 | 70.0 |" in text  # and nothing to compare it with
    assert text.count("5 of 8") == 1
    assert "| InfoAlign | 128 | 8 | -1.0 | – | – | – | +5.0 | – | – | +2.0 |" in text
