"""Fit every model on every fold: ``python -m benchmarks.quality.repeated``, resumable.

Each fold is fitted by one thread. What the members said is kept in the work folder, so that other ways to
weigh them cost nothing; the scores, and which models differ, are written at the end or by ``--score`` alone.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from benchmarks.quality.repeated.differences import write_differences
from benchmarks.quality.repeated.material import make_material, make_vectors
from benchmarks.quality.repeated.parts import PARTS, READS_ENCODER
from benchmarks.quality.repeated.plan import SETS, Unit, units
from benchmarks.quality.repeated.rows import TABLE, read_scores, without_rows, write_scores
from benchmarks.quality.repeated.worker import run_unit

from cytomol.artifact.backbone import Backbone
from cytomol.errors import CytomolError

__all__ = ["main"]

_ROOT = Path(__file__).resolve().parents[3]
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
_USUAL = ("recipe", "forest")


def main(arguments: list[str] | None = None) -> int:
    """Fit what has no file yet, and score all; return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        backbone = Backbone.load(options.backbone)
        folder = options.work / backbone.digest[:8]
        planned = list(units(options.sets, options.repeats, options.folds, options.parts))
        if options.extend:
            planned = without_rows(planned, read_scores(options.out / TABLE))
        failed = 0
        if not options.score:
            places = {name: make_material(options.work, name, backbone) for name in options.sets}
            if READS_ENCODER & set(options.parts):
                for name, place in places.items():
                    make_vectors(place, name)
            failed = _fit([each for each in planned if not each.path(folder).exists()], places, options.jobs)
        every = units(SETS, options.repeats, options.folds, tuple(PARTS))
        table = write_scores(options.out / TABLE, folder, every)
        write_differences(options.out / "repeated_differences.csv", table)
    except CytomolError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    print(f"{len(table)} rows: {options.out / TABLE}")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.repeated", description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS, metavar="SET", help="sets (all)")
    parser.add_argument("--repeats", type=int, default=5, help="divisions (5; broad6k has 3 at most)")
    parser.add_argument("--folds", type=int, default=5, help="folds of a division (5)")
    usual = ", ".join(_USUAL)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=_USUAL, help=f"what is fitted ({usual})")
    parser.add_argument("--jobs", type=int, default=2, help="folds at once, a process each (2)")
    parser.add_argument("--backbone", default="default", help="model directory, or default")
    parser.add_argument("--extend", action="store_true", help="fit only what the table has no row of")
    parser.add_argument("--score", action="store_true", help="fit nothing, score what is there")
    work = _ROOT / "build" / "quality" / "repeated"
    parser.add_argument("--work", type=Path, default=work, help="folder outside git")
    parser.add_argument("--out", type=Path, default=_ROOT / "benchmarks" / "results" / "quality")
    return parser


def _fit(missing: Sequence[Unit], places: dict[str, Path], jobs: int) -> int:
    """Fit some units, ``jobs`` at once in processes of their own; return how many failed."""
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    failed = 0
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        running = {pool.submit(run_unit, unit, places[unit.set]): unit for unit in missing}
        for done, future in enumerate(as_completed(running), 1):
            unit = running[future]
            what = f"[{done}/{len(missing)}] {unit.set} repeat {unit.repeat} fold {unit.fold} {unit.part}"
            if (error := future.exception()) is not None:
                failed += 1
                print(f"{what}: failed: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            else:
                print(f"{what}: {future.result():.1f} s", file=sys.stderr, flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
