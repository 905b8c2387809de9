"""One job of a benchmark, in a process of its own: ``python -m cytomol.evaluate.job SPEC FOLDER PARENT``.

The process is fresh so that its peak of memory is that of the job alone, and so that a job that crashes
takes no other with it.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.splits import FOLDS
from cytomol.errors import CytomolError
from cytomol.evaluate.coverage import COVERAGES, coverage_row
from cytomol.evaluate.memory import peak_mb
from cytomol.evaluate.peers import peers
from cytomol.evaluate.rows import Job
from cytomol.evaluate.sets import BenchmarkSet, SetSource
from cytomol.registry import import_plugins
from cytomol.version import __version__

if TYPE_CHECKING:
    from cytomol.chem.store import MoleculeStore
    from cytomol.predict.predictor import Predictor

__all__ = ["JobSpec", "fold_rows", "run_job", "source_commit"]

_WATCH_SECONDS = 1.0


@dataclass(frozen=True)
class JobSpec:
    """All that a job needs to know, as plain values.

    Attributes
    ----------
    job
        Which.
    source
        Where its set comes from.
    threads
        Threads to use; 0 leaves the choice to the libraries.
    backbone
        Pretrained model directory, for models that read one.
    keep_predictions
        Write the predictions of the valid and test rows.
    plugins
        Modules to import first, which register models of the user's own.
    coverage
        Measure how well the model's uncertainty holds on the test rows.
    passed
        Models that the fit goes through and whose rows are wanted too.
    encoders
        Other encoders whose vectors the model reads: names, or ``file:TABLE``.
    """

    job: Job
    source: SetSource
    threads: int = 0
    backbone: str | None = None
    keep_predictions: bool = False
    plugins: tuple[str, ...] = ()
    coverage: bool = True
    passed: tuple[str, ...] = ()
    encoders: tuple[str, ...] = ()

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what :meth:`write` wrote."""
        table = json.loads(path.read_text(encoding="utf-8"))
        source = dict(table.pop("source"))
        if source["targets"] is not None:
            source["targets"] = tuple(source["targets"])
        for name in ("plugins", "passed", "encoders"):
            table[name] = tuple(table[name])
        return cls(job=Job(**table.pop("job")), source=SetSource(**source), **table)


@dataclass(frozen=True)
class _Outcome:
    """What a model answered for some rows, what it took, and how well its uncertainty held."""

    values: NDArray[np.float64]
    details: dict[str, Any]
    seconds_fit: float
    seconds_predict: float
    seconds_features: float
    peak_mb: float
    coverage: Sequence[dict[str, Any]] = ()


def run_job(spec: JobSpec, folder: Path) -> None:
    """Do a job; write ``result.json`` and perhaps predictions into ``folder``.

    The file holds the tables of the job and, before them, those of models that its fit went through.
    """
    import_plugins(spec.plugins)
    data = replace(spec.source.load(), name=spec.job.set)
    rows = np.flatnonzero(np.isin(data.folds, data.scored_folds))
    peer = spec.job.model in peers
    outcomes = _run_peer(spec, data, rows, folder) if peer else _train_and_predict(spec, data, rows)
    source = {"version": __version__, "commit": source_commit()}
    parts = [_tables(job, data, rows, outcome, source) for job, outcome in outcomes.items()]
    if spec.keep_predictions:
        for job, outcome in outcomes.items():
            np.savez_compressed(
                folder / f"{job.stem}.npz",
                index=rows,
                fold=data.folds[rows],
                tasks=np.array(data.labels.names, dtype=str),
                predicted=outcome.values,
                observed=data.labels.matrix[rows],
            )
    (folder / "result.json").write_text(json.dumps(_plain(parts), allow_nan=False), encoding="utf-8")


def _tables(
    job: Job, data: BenchmarkSet, rows: NDArray[np.int64], outcome: _Outcome, source: dict[str, str]
) -> dict[str, Any]:
    """Return the rows of scores and of coverage of a job, and its details."""
    cost = {
        "seconds_fit": round(outcome.seconds_fit, 3),
        "seconds_predict": round(outcome.seconds_predict, 3),
        "seconds_features": round(outcome.seconds_features, 3),
        "peak_mb": round(outcome.peak_mb, 1),
    }
    common = {**asdict(job), **cost, **source}
    return {
        "job": asdict(job),
        "rows": [{**common, **row} for row in fold_rows(data, rows, outcome.values)],
        "coverage": [{**row, **source} for row in outcome.coverage],
        "details": {**asdict(job), **cost, "details": outcome.details},
    }


def _run_peer(
    spec: JobSpec, data: BenchmarkSet, rows: NDArray[np.int64], folder: Path
) -> dict[Job, _Outcome]:
    """Let another program learn and predict."""
    place = folder / "peer"
    place.mkdir()
    result = peers[spec.job.model]().run(data, rows, seed=spec.job.seed, threads=spec.threads, folder=place)
    outcome = _Outcome(
        result.predicted,
        result.details,
        result.seconds_fit,
        result.seconds_predict,
        seconds_features=float("nan"),
        peak_mb=peak_mb(children=True),
    )
    return {spec.job: outcome}


def _train_and_predict(spec: JobSpec, data: BenchmarkSet, rows: NDArray[np.int64]) -> dict[Job, _Outcome]:
    """Train on the folds that may be seen, and predict the rows that are scored.

    The models that the fit went through come first, with the seconds that each took.
    """
    from cytomol.predict.config import SCORED_ALONE, FinetuneConfig
    from cytomol.predict.finetune import Listener, finetune

    workers = spec.threads or None
    began = time.perf_counter()
    options = {"learner": spec.job.model, "seed": spec.job.seed, "threads": spec.threads, **SCORED_ALONE}
    model = finetune(
        data.smiles,
        data.training_labels(),  # the test labels stay here
        FinetuneConfig.build(options),
        folds=data.folds,
        backbone=spec.backbone,
        encoders=spec.encoders,
        workers=workers,
        listener=Listener(say=lambda text: print(text, file=sys.stderr)),  # noqa: T201 - into the job's log
    ).predictor
    fit = time.perf_counter() - began
    # all rows, as in training: so these are the features that training has cached
    store = model.features.store(data.smiles, workers=workers).take(rows)
    features = float(model.details["feature_seconds"])
    fits = {spec.job: (model, fit - features)}
    for name, (passed, seconds) in model.learner.passed().items():
        if name not in spec.passed:
            continue
        # its members said the same of the valid rows, so that the uncertainty is its own too
        before = replace(model, name=name, learner=passed)
        fits = {replace(spec.job, model=name): (before, seconds), **fits}
    outcomes = {}
    for job, (each, seconds) in fits.items():
        began = time.perf_counter()
        values = each.predict(store, workers=workers).values
        predict = time.perf_counter() - began
        peak = peak_mb()
        # after clocks and memory were read: what it costs is no cost of the model
        coverage = _measure_coverage(job, each, store, data, rows) if spec.coverage else []
        outcomes[job] = _Outcome(values, dict(each.details), seconds, predict, features, peak, coverage)
    return outcomes


def _measure_coverage(
    job: Job, model: Predictor, store: MoleculeStore, data: BenchmarkSet, rows: NDArray[np.int64]
) -> list[dict[str, Any]]:
    """Answer the test rows with uncertainty; one table row for each stated coverage."""
    test = np.flatnonzero(data.folds[rows] == FOLDS[2])
    if model.uncertainty is None or not len(test):
        return []
    answer = model.predict(store.take(test), uncertainty=True, coverage=COVERAGES[0]).uncertainty
    assert answer is not None
    labels = data.labels.matrix
    spread = np.array([_deviation(column) for column in labels[data.folds == FOLDS[0]].T])
    return [
        coverage_row(job, model.uncertainty.restated(answer, coverage), labels[rows[test]], spread)
        for coverage in COVERAGES
    ]


def _deviation(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.std()) if len(known) else 0.0


def fold_rows(
    data: BenchmarkSet, rows: NDArray[np.int64], values: NDArray[np.float64]
) -> Sequence[dict[str, Any]]:
    """Score the predictions of some rows: one table row per fold and task.

    Parameters
    ----------
    data
        The set.
    rows
        Row numbers that were predicted, shape (m,).
    values
        Their predictions, NaN where there is none, shape (m, tasks).
    """
    from cytomol.assays.metrics import score_tasks

    table = []
    for fold in data.scored_folds:
        chosen = data.folds[rows] == fold
        predicted = values[chosen]
        observed = np.where(np.isnan(predicted), np.nan, data.labels.matrix[rows[chosen]])
        _, scores = score_tasks(observed, predicted, data.metric)
        for task, name in enumerate(data.labels.names):
            column = observed[:, task]
            positives = int((column == 1).sum()) if data.labels.kind == "classification" else None
            table.append(
                {
                    "fold": fold,
                    "task": name,
                    "metric": data.metric,
                    "score": None if np.isnan(scores[task]) else float(scores[task]),
                    "n": int((~np.isnan(column)).sum()),
                    "positives": positives,
                }
            )
    return table


def source_commit() -> str:
    """Return what ``git describe`` says of the checkout that this package runs from, else ""."""
    here = Path(__file__).resolve()

    def git(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - fixed words
            ["git", "-C", str(here.parent), *words],  # noqa: S607 - whichever git there is
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    try:
        # an installed copy may lie below somebody else's checkout
        if git("ls-files", "--error-unmatch", here.name).returncode != 0:
            return ""
        return git("describe", "--always", "--dirty", "--tags").stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _plain(value: Any) -> Any:
    """Turn what NumPy and pathlib make into what JSON holds; a number that is not finite becomes None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _end_with_parent(parent: int) -> None:
    """End this process once the one that started it is gone: a runner that is killed cannot see to it.

    The runner hands over its own id, since it may be gone before it is looked for. On Windows, where a
    parent's id never changes and may be a launcher's, nothing happens.
    """
    if sys.platform == "win32":
        return

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main(arguments: list[str]) -> int:
    """Run the job that a file describes; an error of ours is printed as one line."""
    _end_with_parent(int(arguments[2]))
    spec, folder = JobSpec.read(Path(arguments[0])), Path(arguments[1])
    try:
        run_job(spec, folder)
    except CytomolError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - the runner reads it
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
