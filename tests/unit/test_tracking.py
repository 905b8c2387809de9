"""What a directory says of a run is told to a real store of MLflow; what cannot be is said in one line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from cytomol.errors import ConfigError, MissingDependencyError, OutputError
from cytomol.tracking import facts_of, history_of, scores_of, tracked

mlflow = pytest.importorskip("mlflow", reason="MLflow is not installed")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of an empty store of files."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    return (tmp_path / "runs").as_uri()


def run_in(store: str) -> Any:
    """Return the one run of a store."""
    client = mlflow.tracking.MlflowClient(tracking_uri=store)
    experiment = client.get_experiment_by_name("cytomol")
    (run,) = client.search_runs([experiment.experiment_id])
    return run


@pytest.fixture
def result(tmp_path: Path) -> Path:
    """Return a directory that says what those of finetune and benchmark say."""
    out = tmp_path / "result"
    out.mkdir()
    config = {"learner": "head", "finetune": {"lr": 0.1, "missing_codes": [-1]}, "tasks": [{"name": "a%b"}]}
    (out / "config.json").write_text(json.dumps(config))
    scores = {"valid": {"mean": 0.5, "tasks": {"a%b": None}}, "test": {"mean": 0.25, "tasks": {"a%b": 0.75}}}
    (out / "scores.json").write_text(json.dumps({**scores, "seconds": 3.0}))
    (out / "history.csv").write_text(
        "kind,head,epoch,loss,valid\nregression,0,1,2.5,nan\nregression,1,1,2,3\n"
    )
    (out / "summary.csv").write_text(
        "set,model,metric,mean\nbace,forest,roc_auc,0.875\nbace,kernel,roc_auc,\n"
    )
    (out / "README.md").write_text("# card")
    (out / "report.html").write_text("<p>report</p>")
    return out


def test_options_epochs_scores_and_files_are_told(store: str, result: Path) -> None:
    with tracked(store, "finetune", result):
        pass
    run = run_in(store)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "result"
    assert run.data.params == {"learner": "head", "lr": "0.1", "missing_codes": "[-1]", "tasks": "a%b"}
    assert run.data.metrics == {
        "regression/head 0/loss": 2.5,
        "regression/head 1/loss": 2.0,
        "regression/head 1/valid": 3.0,
        "valid/mean": 0.5,
        "test/mean": 0.25,
        "test/a_b": 0.75,
        "seconds": 3.0,
        "bace/forest/roc_auc": 0.875,
    }
    client = mlflow.tracking.MlflowClient(tracking_uri=store)
    files = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert files == {"README.md", "report.html", "scores.json", "history.csv", "summary.csv"}


def test_a_run_that_fails_is_told_as_failed_and_its_error_stays(store: str, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), tracked(store, "finetune", tmp_path / "none"):
        raise ZeroDivisionError
    assert run_in(store).info.status == "FAILED"


def test_without_an_address_nothing_is_told(result: Path) -> None:
    with tracked(None, "finetune", result) as tracker:
        assert tracker is None


def test_many_and_long_values_are_taken(store: str, result: Path) -> None:
    (result / "config.json").write_text(json.dumps({"config": {f"o{i}": "x" * 9000 for i in range(150)}}))
    with tracked(store, "pretrain", result):
        pass
    params = run_in(store).data.params
    assert len(params) == 150
    assert params["o7"].endswith("xxx...")


@pytest.mark.parametrize("missing", [None, "env"])
def test_what_cannot_be_used_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str | None
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("MLFLOW_ALLOW_FILE_STORE", raising=False)
    if missing == "env":
        with (
            pytest.raises(ConfigError, match="MLFLOW_TRACKING_URI is not set"),
            tracked("env", "v", tmp_path),
        ):
            pass
        return
    # a file stands where the store's folder belongs
    (tmp_path / "taken").write_text("")
    address = (tmp_path / "taken").as_uri()
    with pytest.raises(OutputError, match="MLflow cannot be used"), tracked(address, "v", tmp_path):
        pytest.fail("began")


def test_without_the_extra_the_command_that_installs_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mlflow.tracking", None)
    with (
        pytest.raises(
            MissingDependencyError, match=r"MLflow is not installed.*pip install 'cytomol\[mlflow\]'"
        ),
        tracked("http://127.0.0.1:1", "finetune", tmp_path),
    ):
        pytest.fail("began")


def test_an_empty_directory_says_nothing(tmp_path: Path) -> None:
    assert (facts_of(tmp_path), history_of(tmp_path), scores_of(tmp_path)) == ({}, [], {})
