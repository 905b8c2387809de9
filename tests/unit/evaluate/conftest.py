"""Small models of the tests' own, registered by a module that jobs in other processes import too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cytomol.evaluate import runner
from cytomol.evaluate.job import JobSpec, run_job

PLUGIN = '''
import os
import signal
import time
from functools import partial

import numpy as np

from cytomol.errors import InputError
from cytomol.learners import Learner, learners
from cytomol.learners.stack import Ensemble


class Mean(Learner):
    """Answers the mean of the training labels, and a little by chance."""

    name, summary, blocks = "toy-mean", "mean", ("maccs",)

    def fit(self, blocks, learning):
        print("fitting with", os.environ["OMP_NUM_THREADS"], "threads")
        self.mean = np.nanmean(learning.labels[learning.train], axis=0)
        self.seed = learning.seed
        assert learning.labels.shape[0] == len(blocks["maccs"])

    def predict(self, blocks):
        rows = len(blocks["maccs"])
        chance = np.random.default_rng(self.seed).normal(0, 0.01, (rows, len(self.mean)))
        return self.mean + chance

    def state(self):
        return {"seed": self.seed}, {"mean": self.mean}

    @classmethod
    def restore(cls, table, arrays):
        model = cls()
        model.seed, model.mean = table["seed"], arrays["mean"]
        return model


class Hungry(Mean):
    name = "toy-hungry"

    def fit(self, blocks, learning):
        super().fit(blocks, learning)
        np.ones(300_000_000 // 8)


class Crash(Mean):
    name = "toy-crash"

    def fit(self, blocks, learning):
        if not os.environ.get("TOY_CALM"):
            os.kill(os.getpid(), signal.SIGKILL)
        super().fit(blocks, learning)


class Refuse(Mean):
    name = "toy-refuse"

    def fit(self, blocks, learning):
        raise InputError("cannot learn this")


class Stack(Ensemble):
    name = "toy-stack"

    def __init__(self, *, refit=False):
        super().__init__(("counts", "descriptors"), ("kernel",), refit=refit)
        self.passes = ("toy-stack",) if refit else ()


class Sleep(Mean):
    name = "toy-sleep"

    def fit(self, blocks, learning):
        print("pid", os.getpid(), flush=True)
        time.sleep(60)


class Bug(Mean):
    name = "toy-bug"

    def fit(self, blocks, learning):
        raise ZeroDivisionError("a bug")


for model in (Mean, Hungry, Crash, Refuse, Stack, Sleep, Bug):
    learners.register(model.name)(model)
learners.register("toy-stack-refit")(partial(Stack, refit=True))
'''


@pytest.fixture(scope="session")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the name of a module that registers the models."""
    folder = tmp_path_factory.mktemp("plugin")
    (folder / "toy_models.py").write_text(PLUGIN)
    sys.path.insert(0, str(folder))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    return "toy_models"


@pytest.fixture(scope="session")
def assay_table() -> pd.DataFrame:
    """Return 60 molecules, one of them invalid, with two tasks and a column of folds."""
    rings = ["c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1", "c1ccoc1", "c1ccsc1"]
    smiles = [
        f"{tail}{ring}"
        for ring in rings
        for tail in ("", "C", "CC", "CCO", "N", "OC", "F", "CCN", "CCC", "Cl")
    ]
    frame = pd.DataFrame({"smiles": smiles})
    frame["nitrogen"] = frame["smiles"].str.contains("N|n").astype(float)
    frame["aromatic"] = frame["smiles"].str.contains("c").astype(float).where(np.arange(60) % 5 != 0)
    frame["part"] = np.resize(["train", "test", "train", "valid", "train", "test", "train"], 60)
    frame.loc[7, "smiles"] = "not a molecule"
    return frame


@pytest.fixture
def assays(assay_table: pd.DataFrame, tmp_path: Path) -> Path:
    """Return the table as a file."""
    path = tmp_path / "toy.csv"
    assay_table.to_csv(path, index=False)
    return path


class Ended:
    """A job that has run within this process, as the runner sees one of its own process."""

    returncode = 0

    def __init__(self, words: list[str], **_given: Any) -> None:
        *_, spec, folder, _parent = words
        run_job(JobSpec.read(Path(spec)), Path(folder))

    def poll(self) -> int:
        return self.returncode


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let jobs run here: a process takes seconds to import, and not every statement is about it."""
    own = SimpleNamespace(Popen=Ended, DEVNULL=subprocess.DEVNULL, STDOUT=subprocess.STDOUT)
    monkeypatch.setattr(runner, "subprocess", own)
