"""Missing profiles: the verb's rows become the committed table, the section and its figure."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from benchmarks.cells import missing_page
from benchmarks.cells.ground import REAL_MODALITY
from benchmarks.cells.missing import COLUMNS, STUDIES, gather, real_slice

from cytomol.corpus import Corpus
from cytomol.corpus.planted import generate_planted

FILLINGS = ("zero", "mean", "neighbour", "propagation-paper", "propagation-held-out")
KEYS = ("filling", "place", "pattern", "rate", "measure", "on", "task", "metric", "score")


def _results(folder: Path) -> None:
    """Write rows as the verb does: held-out propagation is best, zeros are worst."""
    asked = [
        ("matching", "morphology", "molecule to profile", "mrr"),
        ("imputation", "morphology", "", "r2"),
        ("downstream", "assays", "response_a", "roc_auc"),
        ("downstream", "assays", "response_b", "roc_auc"),
    ]
    rows = []
    for place, pattern, rate, one in product(("pretraining", "use"), ("random", "plate"), (0.5, 0.9), asked):
        for number, filling in enumerate(FILLINGS):
            score = number / 10 + rate / 100 + (0.02 if one[2] == "response_b" else 0.0)
            rows.append(dict(zip(KEYS, (filling, place, pattern, rate, *one, score), strict=True)))
    frame = pd.DataFrame(rows).assign(
        method="chmr", hidden="all", seed=0, share=0.5, fold="test", n=10, chance=0.1, seconds=1, model="x"
    )
    interval = frame["measure"] != "downstream"
    frame["low"] = np.where(interval, frame["score"] - 0.01, np.nan)
    frame["high"] = np.where(interval, frame["score"] + 0.01, np.nan)
    folder.mkdir()
    frame.assign(rows=4).to_csv(folder / "missing.csv", index=False)


def test_tasks_are_averaged_by_what_they_follow_from(tmp_path: Path) -> None:
    _results(tmp_path / "rows")
    path = tmp_path / "out" / "missing.csv"
    for _ in range(2):  # a study takes the place of its own rows
        gather(tmp_path / "rows", path, {"study": "planted", "molecules": 5, "epochs": 1})
    table = pd.read_csv(path)
    assert tuple(table.columns) == COLUMNS
    tasks = table[table["measure"] == "downstream"]
    assert set(tasks["task"]) == {"response"}
    point = tasks[(tasks["filling"] == "mean") & (tasks["rate"] == 0.5)]
    assert point["score"].tolist() == pytest.approx([0.115] * 4)
    assert len(table) == 5 * 2 * 2 * 2 * 3
    gather(tmp_path / "rows", path, {"study": "real", "molecules": 5, "epochs": 1})
    assert len(pd.read_csv(path)) == 2 * len(table)
    gather(tmp_path / "absent", path, {"study": "other", "molecules": 5, "epochs": 1})
    assert len(pd.read_csv(path)) == 2 * len(table)


def test_the_section_says_which_filling_is_best_and_which_worst(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _results(tmp_path / "rows")
    gather(tmp_path / "rows", tmp_path / "missing.csv", {"study": "planted", "molecules": 5, "epochs": 1})
    monkeypatch.setattr(missing_page, "ROWS", tmp_path / "missing.csv")
    monkeypatch.setattr(missing_page, "FIGURES", tmp_path)
    text = missing_page.section()
    assert "slice of the real corpus" not in text
    assert (
        "- Matching measured profiles, MRR, hidden in pretraining (mean of 50% and 90% at random): "
        "best propagation (held out) 0.407, worst zero 0.007; the default, held-out propagation, has 0.407."
        in text
    )
    assert "| mean | 0.105 (0.095 to 0.115) |" in text
    assert "Response assays, ROC-AUC, hidden in use" in text
    drawn = (tmp_path / "cells-missing.svg").read_text()
    assert "propagation (paper)" in drawn
    missing_page.section()
    assert (tmp_path / "cells-missing.svg").read_text() == drawn  # equal rows, equal figure


def test_the_slice_holds_whole_connectivities_and_one_modality() -> None:
    planted = generate_planted(300, seed=1).corpus
    corpus: Corpus = replace(planted, modalities={REAL_MODALITY: planted.modalities["morphology"]})
    part = real_slice(corpus, 60)
    assert 50 <= len(part) <= 60
    assert list(part.modalities) == [REAL_MODALITY]
    assert not part.relations
    modality, before = part.modalities[REAL_MODALITY], corpus.modalities[REAL_MODALITY]
    assert set(modality.rows.tolist()) == set(range(len(part)))
    for row, values in zip(modality.rows, np.asarray(modality.values), strict=True):
        smiles = part.smiles[row]
        own = [corpus.smiles[owner] == smiles for owner in before.rows]
        assert any(np.array_equal(values, one, equal_nan=True) for one in np.asarray(before.values)[own])


def test_every_study_has_a_corpus() -> None:
    assert {study.corpus for study in STUDIES.values()} == {"planted", "real"}
