"""The verb benchmark: a comparison from start to end, and what it refuses."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

Run = Callable[..., Any]

PLUGIN = """
import os

import numpy as np

from cytomol.learners import Learner, learners


class Constant(Learner):
    name, summary, blocks = "cli-constant", "", ("maccs",)

    def fit(self, blocks, learning):
        self.tasks = learning.labels.shape[1]

    def predict(self, blocks):
        return np.full((len(blocks["maccs"]), self.tasks), 0.5)

    def state(self):
        return {"tasks": self.tasks}, {}

    @classmethod
    def restore(cls, table, arrays):
        model = cls()
        model.tasks = table["tasks"]
        return model


class Crash(Constant):
    name = "cli-crash"

    def fit(self, blocks, learning):
        os._exit(3)


for model in (Constant, Crash):
    learners.register(model.name)(model)
"""


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the name of a module with two models."""
    folder = tmp_path_factory.mktemp("plugin")
    (folder / "cli_models.py").write_text(PLUGIN)
    sys.path.insert(0, str(folder))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    return "cli_models"


def test_own_table_from_start_to_end(cytomol: Run, assays: Path, plugin: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    common = (assays, "--plugin", plugin, "--seeds", "1", "-o", out)
    done = cytomol("benchmark", *common, "--models", "cli-constant,cli-crash")
    assert done.code == 1
    assert "assays cli-crash seed 0: exit status 3" in done.err
    assert done.out.startswith("assays: roc_auc on test, higher is better")
    rows = pd.read_csv(out / "rows.csv")
    assert set(rows["task"]) == {"nitrogen", "aromatic"}
    assert set(rows["score"].dropna()) == {0.5}
    made = {path.name for path in out.iterdir()}
    assert {"summary.csv", "significance.csv", "details", "logs", "report.html"} <= made

    assert "--resume" in cytomol("benchmark", *common, "--models", "cli-constant").err
    done = cytomol("benchmark", *common, "--models", "cli-constant", "--resume")
    assert (done.code, "1 of 1 job is done already" in done.err) == (0, True)
    again = cytomol("benchmark", "-o", out, "--summary-only")
    assert (again.code, again.out) == (0, done.out)


def test_unknown_model(cytomol: Run, assays: Path, tmp_path: Path) -> None:
    done = cytomol("benchmark", assays, "--models", "nothing", "-o", tmp_path / "out")
    assert done.code == 2
    assert "unknown model 'nothing'" in done.err


def test_summary_of_nothing(cytomol: Run, tmp_path: Path) -> None:
    done = cytomol("benchmark", "-o", tmp_path, "--summary-only")
    assert (done.code, "run cytomol benchmark first" in done.err) == (2, True)
    done = cytomol("benchmark", "bace", "-o", tmp_path, "--summary-only")
    assert (done.code, "give -o DIR alone" in done.err) == (2, True)
