"""--mlflow as a user gives it, against a real store of files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cytomol.corpus.planted import write_planted

mlflow = pytest.importorskip("mlflow", reason="MLflow is not installed")
Run = Callable[..., Any]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    return (tmp_path / "runs").as_uri()


def run_in(store: str) -> Any:
    client = mlflow.tracking.MlflowClient(tracking_uri=store)
    (run,) = client.search_runs([client.get_experiment_by_name("cytomol").experiment_id])
    return run, client, {file.path for file in client.list_artifacts(run.info.run_id)}


def test_finetune_is_told_with_its_verdict(
    cytomol: Run, assays: Path, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    words = ("--learner", "neighbours", "--split-type", "random", "--split-fractions", "0.3,0.1,0.6")
    done = cytomol("finetune", assays, *words, "--mlflow", "env", "-o", tmp_path / "model")
    assert done.code == 0, done.err
    run, _, files = run_in(store)
    assert (run.info.run_name, run.info.status) == ("model", "FINISHED")
    assert run.data.tags["cytomol.verb"] == "finetune"
    assert (run.data.params["learner"], run.data.params["tasks"]) == ("neighbours", "nitrogen,aromatic")
    assert {"test/mean", "test/nitrogen", "gain/model", "gain/forest", "seconds"} <= set(run.data.metrics)
    assert {"README.md", "scores.json"} <= files


def test_every_epoch_of_pretrain_is_told_as_it_ends(cytomol: Run, store: str, tmp_path: Path) -> None:
    write_planted(tmp_path / "corpus", 200, seed=2)
    small = ("--width", 8, "--layers", 1, "--batch-size", 32, "--threads", 1, "--accelerator", "cpu", "-q")
    words = ("--method", "infoalign", "--epochs", 2, *small, "--workers", 1, "-o", tmp_path / "m")
    done = cytomol("pretrain", tmp_path / "corpus", *words, "--mlflow", store)
    assert done.code == 0, done.err
    run, client, files = run_in(store)
    assert run.info.status == "FINISHED"
    told = client.get_metric_history(run.info.run_id, "train/loss")
    table = pd.read_csv(tmp_path / "m" / "metrics.csv")
    assert [one.value for one in told] == pytest.approx(table["train/loss"].tolist())
    assert [one.step for one in told] == table["step"].tolist()
    assert (run.data.params["method"], run.data.params["width"]) == ("infoalign", "8")
    assert run.data.metrics["loss_end"] == pytest.approx(table["train/loss"].iloc[-1])
    assert {"README.md", "metrics.csv"} <= files


def test_a_server_that_is_not_there_ends_it_before_any_work(
    cytomol: Run, assays: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    words = ("--learner", "neighbours", "--mlflow", "http://127.0.0.1:9", "-o", tmp_path / "m")
    done = cytomol("finetune", assays, *words)
    assert done.code == 2
    assert "http://127.0.0.1:9: MLflow cannot be used: " in done.err
    assert list(tmp_path.iterdir()) == []
