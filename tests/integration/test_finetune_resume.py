"""An interrupted fine-tuning goes on where it stopped, and gives what an uninterrupted one does."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cytomol.assays.labels import Labels, Task
from cytomol.cli.main import main
from cytomol.errors import OutputError
from cytomol.learners import learners
from cytomol.learners.stack import Ensemble
from cytomol.predict.config import FinetuneConfig
from cytomol.predict.finetune import Listener, finetune

RINGS = ["c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1", "c1ccoc1"]
TAILS = ["", "C", "CC", "CCO", "N", "OC", "Cl", "CCN"]
SMILES = [f"{tail}{ring}" for ring in RINGS for tail in TAILS]
LABELS = Labels((Task("size", "regression"),), np.array([[float(len(text))] for text in SMILES]))
HEAD = {"epochs": 6, "hidden": 8, "features": "1d+descriptors", "patience": 2}
PLAIN = ("counts", "maccs", "descriptors")


@pytest.fixture(autouse=True)
def small_learners(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(learners._entries, "small", partial(Ensemble, PLAIN, ("extra-trees", "kernel")))


def run(learner: str, **given: Any) -> Any:
    own = HEAD if learner == "head" else {}
    common: dict[str, Any] = {
        "workers": 1,
        "cache": None,
        "threads": 1,
        "baselines": False,
        "learner": learner,
    }
    config = FinetuneConfig.build({"folds": given.pop("rounds", 0)})
    return finetune(SMILES, LABELS, config, **{**common, **own, "split_type": "random", **given})


class StopError(Exception):
    """What interrupts."""


def stopping(at: str) -> Listener:
    """Return a listener that interrupts at a step."""

    def step(_done: int, _total: int, what: str) -> None:
        if at in what:
            raise StopError

    return Listener(step=step)


@pytest.mark.parametrize("learner", ["head", "small", "neighbours"])
@pytest.mark.parametrize(
    ("at", "options"),
    [("fold 3 of 5", {}), ("round 2 of 3", {"rounds": 3}), ("fold 1 of 5", {"replicates": "mean"})],
    ids=["calibration", "round", "first fold"],
)
def test_an_interrupted_run_ends_as_an_uninterrupted_one(
    tmp_path: Path, learner: str, at: str, options: dict[str, Any]
) -> None:
    expected = run(learner, **options)
    partial_run = tmp_path / "model.partial"
    with pytest.raises(StopError):
        run(learner, listener=stopping(at), partial=partial_run, **options)
    assert partial_run.is_dir()
    found = run(learner, partial=partial_run, **options)
    assert not partial_run.exists()  # nothing is left of an ended run
    answers = [each.predictor.predict(SMILES, workers=1, uncertainty=True) for each in (expected, found)]
    np.testing.assert_array_equal(answers[0].columns, answers[1].columns)
    pd.testing.assert_frame_equal(answers[0].frame(), answers[1].frame())
    assert {k: v for k, v in found.scores.items() if k != "seconds"} == {
        k: v for k, v in expected.scores.items() if k != "seconds"
    }


def test_stages_of_another_run_are_not_taken(tmp_path: Path) -> None:
    partial_run = tmp_path / "model.partial"
    with pytest.raises(StopError):
        run("neighbours", listener=stopping("fold 3 of 5"), partial=partial_run)
    found = run("neighbours", partial=partial_run, seed=1, split_seed=7)
    expected = run("neighbours", seed=1, split_seed=7)
    assert found.scores["test"] == expected.scores["test"]


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    partial_run = tmp_path / "model.partial"
    partial_run.mkdir()
    (partial_run / "thesis.doc").write_text("mine")
    with pytest.raises(OutputError, match="cytomol did not write"):
        run("neighbours", partial=partial_run)
    assert (partial_run / "thesis.doc").read_text() == "mine"


def test_resume_without_an_interrupted_run_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pd.DataFrame({"smiles": SMILES, "size": LABELS.matrix[:, 0]}).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(SystemExit) as stop:
        main(["finetune", str(tmp_path / "t.csv"), "--resume", "-o", str(tmp_path / "m")])
    assert stop.value.code == 2
    assert "there is no interrupted run in" in capsys.readouterr().err
