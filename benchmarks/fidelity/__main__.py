"""What each mended point does: ``python -m benchmarks.fidelity``; cut at any time, it goes on when called.

Two questions, each on planted corpora and on the real one: what cell data add to a downstream learner, and
how often a molecule finds its own profile among those that pretraining never saw. Every job is a process of
its own; one that fails leaves its log and the others go on.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.fidelity.forms import FORMS, METHODS, Budget
from benchmarks.fidelity.grounds import Ground, planted_ground, real_ground
from benchmarks.fidelity.plan import Entry, Job, entries, job_of, jobs
from benchmarks.fidelity.rows import write_rows

from cytomol.errors import CytomolError

__all__ = ["main"]

_ROOT = Path(__file__).resolve().parents[2]
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


def main(arguments: list[str] | None = None) -> int:
    """Run what has no result yet; return the exit status."""
    options = _options(arguments)
    budgets = _budgets(options)
    chosen = {"seeds": options.corpora, "methods": options.methods}
    wanted = entries(_corpora(options), **chosen, forms=options.forms)
    try:
        planned = jobs(wanted, budgets)
        if options.list:
            _list(planned, options)
            return 0
        return _Runner(options, budgets).run(planned)
    except CytomolError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fidelity", description=__doc__)
    parser.add_argument("--only", choices=("planted", "real"), help="one kind of corpus (both)")
    parser.add_argument("--forms", type=_names(FORMS), default=(), help="a,b,… (all but default)")
    parser.add_argument("--methods", type=_names(METHODS), default=tuple(METHODS), help="a,b (both)")
    parser.add_argument("--corpora", type=int, default=3, help="planted corpora, each of its own seed (3)")
    parser.add_argument("--size", type=int, default=2000, help="molecules of a planted corpus (2,000)")
    parser.add_argument("--planted-epochs", type=int, default=12, help="epochs on a planted corpus (12)")
    parser.add_argument("--width", type=int, default=128, help="width of every representation (128)")
    parser.add_argument("--chmr-epochs", type=int, default=2, help="epochs of CHMR on the real corpus (2)")
    parser.add_argument("--infoalign-epochs", type=int, default=3, help="those of InfoAlign (3)")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="start no job after these")
    parser.add_argument("--jobs", type=int, default=2, help="jobs that run at once, a thread each (2)")
    parser.add_argument("--list", action="store_true", help="say what would be run")
    parser.add_argument("--work", type=Path, default=_ROOT / "build" / "fidelity", help="folder outside git")
    parser.add_argument("--out", type=Path, default=_ROOT / "benchmarks" / "results" / "fidelity.csv")
    return parser.parse_args(arguments)


def _names(known: Sequence[str] | dict[str, Any]) -> Any:
    def parse(text: str) -> tuple[str, ...]:
        names = tuple(name.strip() for name in text.split(",") if name.strip())
        if unknown := [name for name in names if name not in known]:
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
        return names

    return parse


def _corpora(options: argparse.Namespace) -> list[str]:
    """Return the kinds of corpora that are asked for."""
    return [options.only] if options.only else ["planted", "real"]


def _budgets(options: argparse.Namespace) -> dict[tuple[str, str], Budget]:
    """Return what a training may cost, by corpus and method."""
    planted = Budget(options.planted_epochs, 128, width=options.width)
    return {
        ("planted", "chmr"): planted,
        ("planted", "infoalign"): planted,
        ("real", "chmr"): Budget(options.chmr_epochs, 512, width=options.width),
        ("real", "infoalign"): Budget(options.infoalign_epochs, 512, width=options.width),
    }


def _result(job: Job, options: argparse.Namespace) -> Path:
    """Return where a job's result lies; another size of the planted corpus is another result."""
    place = f"{job.name}-{options.size}" if job.entry.corpus == "planted" else job.name
    return Path(options.work) / "jobs" / f"{place}.json"


def _list(planned: list[Job], options: argparse.Namespace) -> None:
    for job in planned:
        state = "done" if _result(job, options).exists() else "open"
        print(f"{state}  {job.entry}  ({job.name})")
    print(f"{len(planned)} jobs")


class _Runner:
    """Runs jobs side by side and writes the table after each."""

    def __init__(self, options: argparse.Namespace, budgets: dict[tuple[str, str], Budget]) -> None:
        self.options = options
        self.budgets = budgets
        self.ends = time.monotonic() + 60 * options.minutes
        self.lock = threading.Lock()
        self.grounds: dict[tuple[str, int], Ground] = {}
        self.failed: list[str] = []
        self.stopped = False

    def run(self, planned: list[Job]) -> int:
        """Run the jobs without a result, in order; return the exit status."""
        missing = [job for job in planned if not _result(job, self.options).exists()]
        print(f"{len(planned)} jobs, {len(missing)} to run", flush=True)
        with ThreadPoolExecutor(self.options.jobs) as pool:
            try:
                list(pool.map(self._run_one, missing))
            except KeyboardInterrupt:
                self.stopped = True
                raise
        self._write()
        for text in self.failed:
            print(f"failed: {text}", file=sys.stderr)
        return 1 if self.failed else 0

    def _run_one(self, job: Job) -> None:
        if self.stopped or time.monotonic() > self.ends:
            return
        out, started = _result(job, self.options), time.monotonic()
        log = out.with_suffix(".log")
        try:
            ground = self._ground(job.entry)
            out.parent.mkdir(parents=True, exist_ok=True)
            told = out.with_suffix(".specification")
            told.write_text(json.dumps({**job.specification, "ground": ground.as_table()}), encoding="utf-8")
            with log.open("w", encoding="utf-8") as handle:
                command = [sys.executable, "-m", "benchmarks.fidelity.job", str(told), str(out)]
                environment = {**os.environ, **dict.fromkeys(_THREADS, "1")}
                subprocess.run(
                    command, check=True, stdout=handle, stderr=subprocess.STDOUT, env=environment, cwd=_ROOT
                )
            self._write()
        except (CytomolError, OSError, subprocess.SubprocessError) as error:
            with self.lock:
                self.failed.append(f"{job.entry}: {error} (log: {log})")
            print(f"failed  {job.entry}: {error} (log: {log})", file=sys.stderr, flush=True)
            return
        print(f"{time.monotonic() - started:6.0f} s  {job.entry}", flush=True)

    def _ground(self, entry: Entry) -> Ground:
        """Return the corpus of an entry, made once."""
        with self.lock:
            key = (entry.corpus, entry.seed)
            if key not in self.grounds:
                work = Path(self.options.work).resolve()
                if entry.corpus == "planted":
                    self.grounds[key] = planted_ground(work, entry.seed, self.options.size)
                else:
                    self.grounds[key] = real_ground(work)
            return self.grounds[key]

    def _write(self) -> None:
        """Write the rows of every entry whose job has a result, whoever ran it."""
        with self.lock:
            results = {}
            for entry in entries(_corpora(self.options), seeds=self.options.corpora, forms=self._forms()):
                path = _result(job_of(entry, self.budgets), self.options)
                if path.exists():
                    results[entry] = json.loads(path.read_text(encoding="utf-8"))
            write_rows(self.options.out, results)

    def _forms(self) -> tuple[str, ...]:
        """Return all forms whose results may be there: "default" where it was asked for."""
        return tuple(name for name in FORMS if name != "default" or name in self.options.forms)


if __name__ == "__main__":
    sys.exit(main())
