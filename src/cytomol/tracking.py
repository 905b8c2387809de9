"""What a run was made with, how it went and what came of it, told to an MLflow server or store."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cytomol.errors import ConfigError, MissingDependencyError, OutputError

__all__ = ["ENVIRONMENT", "Tracker", "facts_of", "history_of", "scores_of", "tracked"]

ENVIRONMENT = "MLFLOW_TRACKING_URI"
EXPERIMENT = "cytomol"
_LONGEST = 6000  # characters of a parameter that every version of MLflow takes
_BATCH = 500  # parameters or metrics that a server takes at once
# Files of a result that are told as they are.
_TEXTS = ("README.md", "report.html", "scores.json", "metrics.csv", "history.csv", "summary.csv")


class Tracker:
    """One run in an MLflow server or store.

    Parameters
    ----------
    client
        MLflow's client.
    run
        Id of the run.
    """

    def __init__(self, client: Any, run: str) -> None:
        self.client = client
        self.run = run

    def params(self, values: Mapping[str, Any]) -> None:
        """Tell what the run is made with; long values are cut."""
        from mlflow.entities import Param

        told = [Param(name, _text(value)) for name, value in values.items()]
        for start in range(0, len(told), _BATCH):
            self.client.log_batch(self.run, params=told[start : start + _BATCH])

    def metrics(self, values: Mapping[str, Any], step: int = 0) -> None:
        """Tell numbers of a step; what is no finite number is left out."""
        import time

        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        told = [Metric(name, float(value), now, step) for name, value in values.items() if _finite(value)]
        for start in range(0, len(told), _BATCH):
            self.client.log_batch(self.run, metrics=told[start : start + _BATCH])

    def directory(self, path: str | Path, *, history: bool = True) -> None:
        """Tell all that the directory of a result says.

        Parameters
        ----------
        path
            The directory: its options are told, its scores, and its texts as files.
        history
            Tell the numbers of every epoch too.
        """
        path = Path(path)
        self.params(facts_of(path))
        for step, numbers in history_of(path) if history else ():
            self.metrics(numbers, step)
        self.metrics(scores_of(path))
        for name in _TEXTS:
            if (path / name).is_file():
                self.client.log_artifact(self.run, str(path / name))


@contextmanager
def tracked(
    address: str | None, verb: str, out: str | Path, *, live: bool = False
) -> Iterator[Tracker | None]:
    """Track a run from its beginning to its end; nothing happens without an address.

    Parameters
    ----------
    address
        Of the server or store (MLflow's tracking URI), or "env": the one in ``MLFLOW_TRACKING_URI``.
    verb, out
        What is run, and where its result goes: they name the run.
    live
        The run itself logs its epochs, by MLflow's environment variables, which are set as long as it lasts.

    Raises
    ------
    MissingDependencyError
        If MLflow is not installed.
    ConfigError
        If "env" is asked for and the variable is not set.
    OutputError
        If the server or store cannot be reached or written to.
    """
    if address is None:
        yield None
        return
    address = _address(address)
    tracker = _begin(address, verb, Path(out))
    try:
        with _environment({ENVIRONMENT: address, "MLFLOW_RUN_ID": tracker.run} if live else {}):
            yield tracker
    except BaseException:
        # what failed is told first of all, so a server that is gone as well is not
        with suppress(OutputError), _reached(address):
            if Path(out).is_dir():
                tracker.directory(out, history=not live)
            tracker.client.set_terminated(tracker.run, "FAILED")
        raise
    with _reached(address):
        tracker.directory(out, history=not live)
        tracker.client.set_terminated(tracker.run, "FINISHED")


def _begin(address: str, verb: str, out: Path) -> Tracker:
    try:
        from mlflow.tracking import MlflowClient
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"MLflow is not installed: {error}", where="--mlflow", hint="pip install 'cytomol[mlflow]'"
        ) from None
    with _reached(address):
        client = MlflowClient(tracking_uri=address)
        found = client.get_experiment_by_name(EXPERIMENT)
        experiment = client.create_experiment(EXPERIMENT) if found is None else found.experiment_id
        run = client.create_run(experiment, run_name=out.name, tags={"cytomol.verb": verb})
    return Tracker(client, run.info.run_id)


def _address(address: str) -> str:
    if address != "env":
        return address
    if not (found := os.environ.get(ENVIRONMENT, "")):
        raise ConfigError(f"{ENVIRONMENT} is not set", where="--mlflow env", hint="give the address itself")
    return found


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for a while."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _reached(address: str) -> Iterator[None]:
    """Say in one line why a server or store could not be used."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (MlflowException, OSError, ModuleNotFoundError) as error:
        what = str(error).split("\n", 1)[0].split(" Please ", 1)[0]
        hint = "start a server (mlflow server) and give its address, such as http://127.0.0.1:5000"
        if "MLFLOW_ALLOW_FILE_STORE" in str(error):
            hint += ", or set MLFLOW_ALLOW_FILE_STORE=true to write files"
        raise OutputError(f"MLflow cannot be used: {what}", where=address, hint=hint) from None


def facts_of(path: Path) -> dict[str, Any]:
    """Return the options that the result in a directory was made with, and what it was made of."""
    config, facts = _read(path / "config.json"), dict[str, Any]()
    for name in ("method", "learner"):
        facts |= {name: config[name]} if name in config else {}
    facts |= config.get("config", {}) | config.get("finetune", {})
    if tasks := config.get("tasks"):
        facts["tasks"] = ",".join(str(task["name"]) for task in tasks)
    data = _read(path / "training.json").get("data", {})
    facts |= {f"data.{name}": value for name, value in data.items()}
    digest = _read(path / "manifest.json").get("digest")
    return facts | ({"digest": digest} if digest else {})


def history_of(path: Path) -> list[tuple[int, dict[str, float]]]:
    """Return the numbers of every epoch of a result, by epoch, in order."""
    for name in ("metrics.csv", "history.csv"):
        if (path / name).is_file():
            with (path / name).open(newline="", encoding="utf-8") as handle:
                rows = list(csv.DictReader(handle))
            return [_numbers(row, place) for place, row in enumerate(rows, start=1)]
    return []


def scores_of(path: Path) -> dict[str, float]:
    """Return the scores of a result: of a predictor by fold and task, of a benchmark by set and model."""
    scores, found = _read(path / "scores.json"), dict[str, Any]()
    for fold in ("valid", "test"):
        table = scores.get(fold, {})
        found[f"{fold}/mean"] = table.get("mean")
        found |= {f"{fold}/{_named(task)}": value for task, value in table.get("tasks", {}).items()}
    for name, estimate in scores.get("verdict", {}).get("gain", {}).items():
        found[f"gain/{name}"] = estimate["value"]
    training = _read(path / "training.json")
    found |= {name: training.get(name) for name in ("loss_start", "loss_end", "molecules_per_second")}
    found["seconds"] = scores.get("seconds", training.get("seconds"))
    if (path / "summary.csv").is_file():
        with (path / "summary.csv").open(newline="", encoding="utf-8") as handle:
            for row in csv.DictReader(handle):
                found[_named(f"{row['set']}/{row['model']}/{row['metric']}")] = row["mean"]
    return {name: float(value) for name, value in found.items() if _finite(value)}


def _numbers(row: Mapping[str, str], place: int) -> tuple[int, dict[str, float]]:
    numbers = {_named(name): float(value) for name, value in row.items() if _finite(value)}
    epoch = int(numbers.pop("epoch", place))
    if "kind" not in row:
        return epoch, numbers
    of_head = f"{row['kind']}/head {int(numbers.pop('head'))}"  # of a predictor there may be several
    return epoch, {f"{of_head}/{name}": value for name, value in numbers.items()}


def _named(text: str) -> str:
    """Return a text with the letters alone that MLflow allows in a name."""
    return "".join(letter if letter.isalnum() or letter in "_-. /" else "_" for letter in text)


def _finite(value: Any) -> bool:
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    table = json.loads(path.read_text(encoding="utf-8"))
    return table if isinstance(table, dict) else {}
