"""Measure every row of the speed table and write them to a CSV: ``python -m benchmarks.speed``."""

from __future__ import annotations

import argparse
import csv
import importlib
import os
import sys
from dataclasses import asdict, fields
from pathlib import Path

ROWS = (
    "features",
    "batching",
    "similarity",
    "encoder",
    "pretraining",
    "start",
    "context",
    "memory",
    "ideas",
)
_HERE = Path(__file__).resolve().parent
_RESULTS = _HERE.parent / "results" / "speed.csv"


def main() -> None:
    """Pin the threads, measure, write after every group of rows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=ROWS, help="groups of rows (all)")
    parser.add_argument("--repeats", type=int, default=7, help="repeats of quick measurements")
    parser.add_argument("--slow-repeats", type=int, default=3, help="repeats of slow ones")
    parser.add_argument("--threads", type=int, default=2, help="threads (2)")
    parser.add_argument("--molecules", type=int, default=2048, help="molecules in the sample")
    parser.add_argument("-o", "--output", type=Path, default=_RESULTS, help="table to write or to update")
    options = parser.parse_args()
    _pin(options.threads)

    from benchmarks.speed.material import Material
    from benchmarks.speed.measure import machine, release_memory
    from benchmarks.speed.settings import Settings

    from cytomol.nn.allocator import keep_memory

    keep_memory()  # for every variant alike, as in pretraining
    material = Material.load(options.molecules)
    settings = Settings(options.repeats, options.slow_repeats, options.threads)
    print(f"{machine()}\n{material.name}, {settings}", file=sys.stderr)
    for name in options.rows:
        figures = importlib.import_module(f"benchmarks.speed.rows.{name}").run(material, settings)
        _write(options.output, name, figures, material.name, machine())
        release_memory()


def _pin(threads: int) -> None:
    """Fix the number of threads of every library before it is loaded, and the processors used."""
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # as `import cytomol` sets it
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(threads)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    import torch

    torch.set_num_threads(threads)


def _write(path: Path, group: str, figures: list, corpus: str, machine: str) -> None:  # type: ignore[type-arg]
    """Replace the rows of a group, keep the others."""
    from benchmarks.speed.measure import Figure

    columns = ["group", *(field.name for field in fields(Figure)), "corpus", "machine"]
    kept = []
    if path.exists():
        with path.open(newline="") as file:
            kept = [row for row in csv.DictReader(file) if row["group"] != group]
    new = [{"group": group, **asdict(figure), "corpus": corpus, "machine": machine} for figure in figures]
    for row in new:
        for key in ("median", "low", "high"):
            row[key] = f"{row[key]:.6g}"
    order = {name: place for place, name in enumerate(ROWS)}
    rows = sorted([*kept, *new], key=lambda row: order.get(row["group"], len(order)))
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    partial.replace(path)


if __name__ == "__main__":
    main()
