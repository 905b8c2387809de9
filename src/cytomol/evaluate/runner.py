"""Run a benchmark: every set, model and seed is a job in a process of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cytomol.counted import agreeing
from cytomol.errors import ConfigError, OutputError
from cytomol.evaluate.benchmark_models import check_encoders, check_models, passed_on_the_way, reads_encoders
from cytomol.evaluate.job import JobSpec
from cytomol.evaluate.results import COVERAGE, ROWS, Results
from cytomol.evaluate.rows import Job
from cytomol.evaluate.sets import SetSource
from cytomol.files import REPORT, atomic_file, check_place, check_space
from cytomol.processes import default_workers

__all__ = ["Benchmark", "Failure", "run_benchmark"]

DETAILS, PREDICTIONS, LOGS = "details", "predictions", "logs"
_TABLES = (ROWS, COVERAGE, f".{ROWS}.lock", f".{COVERAGE}.lock", "summary.csv", "significance.csv", REPORT)
_FOLDERS = {DETAILS: ".json", PREDICTIONS: ".npz", LOGS: ".log"}
_MADE = (*_TABLES, *_FOLDERS)
_POLL_SECONDS = 0.05
_PER_JOB = 1_000_000  # bytes of log, rows and details: a disk that is full is told before hours of work
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


@dataclass(frozen=True)
class Benchmark:
    """What is to be run.

    Attributes
    ----------
    out
        Folder of the results.
    sources
        Sets.
    models
        Names of models.
    seeds
        Seeds.
    jobs
        Jobs that run at once.
    threads
        Threads of a job; 0 gives each its share of the cores.
    variant
        Free text in every row, for runs with other settings beside each other.
    backbone
        Pretrained model directory, for the models that read one.
    keep_predictions
        Write the predictions of the valid and test rows of every job.
    plugins
        Modules that register models of one's own; each job imports them.
    coverage
        Measure how well the models' uncertainty holds on the test rows.
    encoders
        Other encoders, for the models that read vectors: names, or ``file:TABLE``.
    """

    out: Path
    sources: Sequence[SetSource]
    models: Sequence[str]
    seeds: Sequence[int] = (0, 1, 2, 3, 4)
    jobs: int = 1
    threads: int = 0
    variant: str = ""
    backbone: str | None = None
    keep_predictions: bool = False
    plugins: tuple[str, ...] = ()
    coverage: bool = True
    encoders: tuple[str, ...] = ()

    def listed(self) -> dict[Job, SetSource]:
        """Return all jobs, with the set of each."""
        return {
            Job(source.name, model, seed, self.variant): source
            for source in self.sources
            for model in self.models
            for seed in self.seeds
        }


@dataclass(frozen=True)
class Failure:
    """A job that ended without rows.

    Attributes
    ----------
    job
        Which.
    reason
        How it ended, and the last that it said.
    log
        File with all that it said.
    """

    job: Job
    reason: str
    log: Path


@dataclass
class _Running:
    process: subprocess.Popen[bytes]
    job: Job
    folder: Path
    log: Path
    began: float = field(default_factory=time.perf_counter)


def run_benchmark(
    benchmark: Benchmark,
    *,
    resume: bool = False,
    force: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> list[Failure]:
    """Run every job that has no rows yet; return those that failed.

    Parameters
    ----------
    benchmark
        What to run.
    resume
        Go on with the results in its folder.
    force
        Take out what an earlier benchmark left in its folder, and nothing else.
    say
        Called with a line for each job that ends.

    Raises
    ------
    ConfigError
        If a name is unknown, before anything runs.
    InputError
        If a set cannot be read, before anything runs.
    OutputError
        If there are results and neither ``resume`` nor ``force``, the folder is not a benchmark's, or the
        disk is full.
    """
    left = _check_folder(benchmark.out, resume=resume, force=force)
    _check(benchmark)
    check_encoders(benchmark.models, benchmark.encoders, say)
    expected = _expected(benchmark)
    _make_folder(benchmark.out, [] if resume else left)
    jobs = benchmark.listed()
    results = Results(benchmark.out)
    for sentence in results.repair(expected):
        say(sentence)
    done = results.rows.jobs()
    queue = [job for job in jobs if job not in done]
    if len(queue) < len(jobs):
        are = agreeing(len(jobs) - len(queue), "job", "is", "are", of=len(jobs), comma=False)
        say(f"{are} done already")
    passed = {job: passed_on_the_way(job, queue) for job in queue}
    queue = [job for job in queue if not any(job in others for others in passed.values())]
    check_space(benchmark.out / "rows.csv", _PER_JOB * len(queue), what="a benchmark")
    with tempfile.TemporaryDirectory(prefix="cytomol-benchmark-") as work:
        return _Queue(benchmark, results, Path(work), say, passed).run(queue)


def _check_folder(out: Path, *, resume: bool, force: bool) -> list[str]:
    """Say why the folder of the results cannot be used; return the names of what is in it."""
    if resume and force:
        raise ConfigError("--resume goes on and --force starts anew", hint="use one of them")
    check_place(out)
    if out.exists() and not out.is_dir():
        raise OutputError("is a file where a directory belongs", where=str(out))
    left = sorted(entry.name for entry in out.iterdir()) if out.exists() else []
    if left and not (resume or force):
        raise OutputError(
            "output exists", where=str(out), hint="use --resume to go on with it, --force to start anew"
        )
    foreign = [name for name in left if name not in _MADE]
    if not foreign:
        foreign = [str(p.relative_to(out)) for f, end in _FOLDERS.items() for p in _others(out / f, end)]
    if not {ROWS, f".{ROWS}.lock"} & set(left):
        foreign = foreign or left
    if foreign and force:
        raise OutputError(
            f"holds {foreign[0]!r}, which no benchmark made", where=str(out), hint="choose another folder"
        )
    return left


def _others(folder: Path, suffix: str) -> list[Path]:
    """Return what is in a folder of the results that no benchmark writes there."""
    return sorted(p for p in folder.rglob("*") if p.parent != folder or p.suffix != suffix or not p.is_file())


def _make_folder(out: Path, remove: Sequence[str]) -> None:
    # The lock, which says whose folder this is, goes last.
    for name in sorted(remove, key=lambda name: name.startswith(".")):
        path = out / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    out.mkdir(parents=True, exist_ok=True)
    (out / f".{ROWS}.lock").touch()
    for name in (DETAILS, LOGS):
        (out / name).mkdir(parents=True, exist_ok=True)


def _check(benchmark: Benchmark) -> None:
    check_models(benchmark.models, benchmark.plugins, backbone=benchmark.backbone)
    if not re.fullmatch(r"[\w.+=,-]*", benchmark.variant):
        raise ConfigError(
            f"{benchmark.variant!r} cannot be part of a file name",
            where="--variant",
            hint="use letters, digits and . _ + = , -",
        )
    repeated = [name for name, count in Counter(s.name for s in benchmark.sources).items() if count > 1]
    if repeated:
        raise ConfigError(f"two sets are called {repeated[0]!r}", hint="rename a file, or name a set once")


def _expected(benchmark: Benchmark) -> dict[Job, int]:
    """Return how many rows each job will have; every set is read, so a bad one is told before any work."""
    sizes: dict[str, int] = {}
    for source in benchmark.sources:
        data = source.load()
        sizes[source.name] = len(data.labels.names) * len(data.scored_folds)
    return {job: sizes[job.set] for job in benchmark.listed()}


@dataclass
class _Queue:
    """Keeps as many jobs running as asked for until all have ended; none outlives :meth:`run`."""

    benchmark: Benchmark
    results: Results
    work: Path
    say: Callable[[str], None]
    passed: dict[Job, list[Job]]

    def run(self, jobs: Sequence[Job]) -> list[Failure]:
        waiting, running, failures = list(jobs), list[_Running](), list[Failure]()
        ended = 0
        try:
            while waiting or running:
                while waiting and len(running) < self.benchmark.jobs:
                    job = waiting.pop(0)
                    running.append(_start(self.benchmark, job, self.work, self.passed[job]))
                time.sleep(_POLL_SECONDS)
                for item in [item for item in running if item.process.poll() is not None]:
                    running.remove(item)
                    ended += 1
                    failure = _settle(self.benchmark, item, self.results)
                    text = f"{time.perf_counter() - item.began:.1f} s"
                    if failure is not None:
                        failures.append(failure)
                        text = f"FAILED after {text}: {failure.reason}"
                    self.say(f"[{ended}/{len(jobs)}] {item.job}: {text}")
        finally:
            for item in running:
                item.process.kill()
                item.process.wait()
        return failures


def _start(benchmark: Benchmark, job: Job, work: Path, passed: Sequence[Job]) -> _Running:
    """Start a job in a fresh process, with its share of the cores."""
    folder = Path(tempfile.mkdtemp(dir=work))
    threads = benchmark.threads or max(1, default_workers() // benchmark.jobs)
    spec = JobSpec(
        job,
        benchmark.listed()[job],
        threads=threads,
        backbone=benchmark.backbone,
        keep_predictions=benchmark.keep_predictions,
        plugins=benchmark.plugins,
        coverage=benchmark.coverage,
        passed=tuple(other.model for other in passed),
        encoders=benchmark.encoders if reads_encoders(job.model) else (),
    )
    spec.write(folder / "spec.json")
    log = benchmark.out / LOGS / f"{job.stem}.log"
    environment = {**os.environ, **dict.fromkeys(_THREAD_VARIABLES, str(threads))}
    words = [sys.executable, "-P", "-m", "cytomol.evaluate.job", str(folder / "spec.json"), str(folder)]
    words.append(str(os.getpid()))
    with log.open("wb") as handle:
        process = subprocess.Popen(  # noqa: S603 - our own module
            words, stdin=subprocess.DEVNULL, stdout=handle, stderr=subprocess.STDOUT, env=environment
        )
    return _Running(process, job, folder, log)


def _settle(benchmark: Benchmark, item: _Running, results: Results) -> Failure | None:
    """Take over the results of a job that ended; its rows come last, as they say that it is done."""
    code, result = item.process.returncode, item.folder / "result.json"
    if code != 0 or not result.is_file():
        return Failure(item.job, _reason(code, item.log), item.log)
    for table in json.loads(result.read_text(encoding="utf-8")):
        _take_over(benchmark.out, Job(**table["job"]), table, item.folder, results)
    shutil.rmtree(item.folder)
    return None


def _take_over(out: Path, job: Job, table: dict[str, Any], folder: Path, results: Results) -> None:
    """Keep what was made of one model."""
    with atomic_file(out / DETAILS / f"{job.stem}.json", force=True) as temporary:
        temporary.write_text(json.dumps(table["details"], indent=1) + "\n", encoding="utf-8")
    predictions = folder / f"{job.stem}.npz"
    if predictions.is_file():
        with atomic_file(out / PREDICTIONS / f"{job.stem}.npz", force=True) as temporary:
            shutil.copyfile(predictions, temporary)
    results.append(job, table["rows"], table["coverage"])


def _reason(code: int, log: Path) -> str:
    """Say how a process ended, and the last line that it printed."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    last = lines[-1].strip() if lines else "it said nothing"
    if code < 0:
        hint = ", perhaps for lack of memory" if code == -9 else ""
        return f"killed by signal {-code}{hint}; {last}"
    return last.removeprefix("error: ") if code == 2 else f"exit status {code}; {last}"
