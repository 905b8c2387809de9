"""The campaign of measured profiles: its scores, its folds, and that its page says what its rows hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from benchmarks.cells.assays import COLUMNS, FOLDS, SOURCES, Table, answers, divide
from benchmarks.cells.assays_page import interval, section
from benchmarks.cells.page import RESULTS


def test_interval_holds_the_mean_and_narrows_with_the_spread() -> None:
    rng = np.random.default_rng(0)
    wide, narrow = (interval(0.1 + spread * rng.normal(size=60)) for spread in (0.2, 0.02))
    for value, low, high in (wide, narrow):
        assert low < value < high
    assert wide[2] - wide[1] > 5 * (narrow[2] - narrow[1])
    # that of a mean, by the normal approximation
    assert wide[2] - wide[1] == pytest.approx(2 * 1.96 * 0.2 / np.sqrt(60), rel=0.35)


def test_the_page_is_made_of_the_rows() -> None:
    rows = pd.read_csv(RESULTS / "assays.csv", dtype={"task": str})
    assert tuple(rows.columns) == COLUMNS
    assert not rows.duplicated(["set", "learner", "division", "task"]).any()
    assert rows[list(SOURCES)].to_numpy().min() >= 0
    of_task = rows[rows["set"] == "assays111"].groupby("task")["fused"].mean()
    assert f"| fused (`--profiles`) | {of_task.mean():.3f} | {(of_task > 0.7).sum()} |" in section()


def test_test_labels_change_no_answer() -> None:
    rng = np.random.default_rng(0)
    smiles = [f"{'C' * (row % 9)}c1ccc({'C' * (row // 9)}N)cc1" for row in range(60)]
    profiles = rng.normal(size=(60, 4)).astype(np.float32)
    labels = np.stack([(profiles[:, 0] > 0), rng.random(60) > 0.5], axis=1).astype(float)
    blocks = {
        "counts": np.log1p(rng.poisson(0.5, (60, 20))).astype(np.float32),
        "profile:cell": profiles,
    }
    fold = np.arange(60) % FOLDS
    found = []
    for changed in (labels, np.where((fold == 2)[:, None], 1 - labels, labels)):
        table = Table(smiles, changed, ["a", "b"], profiles)
        found.append(answers(table, blocks, fold, 2, "kernel"))
    for source in SOURCES:
        np.testing.assert_array_equal(found[0][source], found[1][source])
    assert set(divide(Table(smiles, labels, ["a", "b"], profiles), 1)) <= set(range(FOLDS))
