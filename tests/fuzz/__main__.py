"""The long run of the fuzz drivers: ``python -m tests.fuzz``; benchmarks/results/fuzz.csv has a row a driver.

Every round gives each driver a thousand inputs times its share, from a seed of its own. Rounds that have
rows are not run again, so that a run that was stopped goes on where it ended. Failures are printed, and the
seed that found each; the exit status is then 1.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from pathlib import Path

import click
from tests.fuzz.rounds import Row, added, names, one_round, prepare

ROOT = Path(__file__).parents[2]
OUT = ROOT / "benchmarks" / "results" / "fuzz.csv"
CHUNK = 1000
"""Inputs of a driver of share 1 in a round."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rounds that have no row yet."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--rounds", type=int, default=75, help="rounds that there are to be in the end (75)")
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no round after so many minutes")
    parser.add_argument("--processes", type=int, default=1, help="drivers that run side by side (1)")
    parser.add_argument("--only", help="names of drivers, comma-separated")
    parser.add_argument("--chunk", type=int, default=CHUNK, help=f"inputs of a driver in a round ({CHUNK:,})")
    parser.add_argument("--out", type=Path, default=OUT, help="table of the rows")
    chosen = parser.parse_args(arguments)
    # drivers that know short and long inputs look here
    os.environ.setdefault("CYTOMOL_FUZZ_EXAMPLES", str(chosen.rounds * chosen.chunk))
    rows = read(chosen.out)
    wanted = names() if chosen.only is None else chosen.only.split(",")
    for name in wanted:
        rows.setdefault(name, Row(name))
    end = time.monotonic() + 60 * chosen.minutes
    found = False
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(chosen.processes, spawn, initializer=prepare) as pool:
        numbers = range(1, chosen.rounds + 1)
        left = iter([(name, number) for number in numbers for name in wanted if number > rows[name].rounds])
        running: dict[Future[tuple[Row, list[str]]], tuple[str, int]] = {}
        while True:
            while len(running) < chosen.processes and time.monotonic() < end:
                if (task := next(left, None)) is None:
                    break
                running[pool.submit(one_round, *task, chosen.chunk)] = task
            if not running:
                break
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                if isinstance(future.exception(), BrokenProcessPool):
                    ended = ", ".join(f"{name}, round {number}" for name, number in running.values())
                    click.echo(f"an input ended its process: {ended}", err=True)
                    return 1
                row, stories = future.result()
                del running[future]
                found = found or bool(stories)
                for story in stories:
                    click.echo(f"\n== {row.driver}, round {rows[row.driver].rounds + 1}: {story}", err=True)
                rows[row.driver] = added(rows[row.driver], row)
                write(chosen.out, rows)
    for row in rows.values():
        click.echo(f"{row.driver}: {row.cases:,} cases in {row.seconds:,.0f} s, {row.failures} failures")
    click.echo(f"{sum(row.cases for row in rows.values()):,} cases")
    return int(found)


def read(path: Path) -> dict[str, Row]:
    """Return the rows of an earlier run, by driver."""
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as handle:
        rows = [
            Row(
                one["driver"],
                int(one["rounds"]),
                int(one["cases"]),
                float(one["seconds"]),
                int(one["failures"]),
            )
            for one in csv.DictReader(handle)
        ]
    return {row.driver: row for row in rows}


def write(path: Path, rows: dict[str, Row]) -> None:
    """Write the rows, the drivers in their order."""
    beside = path.with_suffix(".csv.new")
    with beside.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, list(asdict(Row(""))), lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows.values())
    beside.replace(path)


if __name__ == "__main__":
    sys.exit(main())
