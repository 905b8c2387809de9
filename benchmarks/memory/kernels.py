"""Count the kernels that oneDNN compiles, and read the heap: ``python -m benchmarks.memory.kernels``."""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["RESULTS", "Epoch", "epochs", "epochs_of"]

RESULTS = Path(__file__).resolve().parents[1] / "results" / "memory_kernels.csv"
_MOLECULES, _BATCH, _EPOCHS = 1024, 128, 6
_RUN = ("version", "method", "precision", "molecules", "batch_size")
_COLUMNS = (*_RUN, "epoch", "kernels", "used_mb", "free_mb")


@dataclass(frozen=True)
class Epoch:
    """One epoch.

    Attributes
    ----------
    kernels
        Kernels that oneDNN compiled in it.
    used, free
        Bytes of glibc's heap in use and free as it ends, without blocks that are mapped one by one.
    """

    kernels: int
    used: int
    free: int


def epochs(method: str, molecules: int, options: dict[str, Any]) -> list[Epoch]:
    """Pretrain on so many planted molecules, in a process of its own; ``options`` are the method's."""
    return epochs_of(molecules, [(method, options)])[0]


def epochs_of(molecules: int, runs: Sequence[tuple[str, dict[str, Any]]]) -> list[list[Epoch]]:
    """Pretrain one method with its options after the other, in one process for all; return each's epochs."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory.heap_worker", str(molecules), json.dumps(runs)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[2],  # where the worker is found, wherever this was called
        env={**os.environ, "ONEDNN_VERBOSE": "profile_create", "OMP_NUM_THREADS": str(runs[0][1]["threads"])},
    )
    found: list[list[Epoch]] = []
    kernels = 0
    for line in done.stdout.splitlines():
        kernels += "create:cache_miss" in line
        if line.startswith("run "):
            found.append([])
            kernels = 0
        elif line.startswith("epoch "):
            used, free = map(int, line.split()[1:])
            found[-1].append(Epoch(kernels, used, free))
            kernels = 0
    return found


def main() -> None:
    """Write the rows of one version of the code in place of those that it had."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory.kernels", description=__doc__)
    parser.add_argument("--method", choices=("infoalign", "chmr"), default="infoalign")
    parser.add_argument("--precision", choices=("bf16-mixed", "32-true"), default="bf16-mixed")
    parser.add_argument("--version", default="now", help="name of the code that is measured (now)")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS)
    given = parser.parse_args()
    options = {
        "precision": given.precision, "views": ("1d", "2d") if given.method == "chmr" else ("2d",),
        "batch_size": _BATCH, "epochs": _EPOCHS, "threads": 2,
    }  # fmt: skip
    run = (given.version, given.method, given.precision, str(_MOLECULES), str(_BATCH))
    rows: list[list[str]] = []
    if given.output.exists():
        with given.output.open(newline="") as file:
            rows = [row for row in list(csv.reader(file))[1:] if tuple(row[: len(_RUN)]) != run]
    for number, epoch in enumerate(epochs(given.method, _MOLECULES, options), start=1):
        heap = f"{epoch.used / 1e6:.1f}", f"{epoch.free / 1e6:.1f}"
        rows.append([*run, str(number), str(epoch.kernels), *heap])
    with given.output.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([_COLUMNS, *rows])


if __name__ == "__main__":
    main()
