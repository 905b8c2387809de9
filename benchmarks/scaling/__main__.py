"""Measure one process, two shards side by side, and Ray: ``python -m benchmarks.scaling --head DIR``.

Models are made by ``cytomol finetune examples/assay.csv`` (see docs/scaling.md); embed uses the backbone that
comes with cytomol. Molecules are of the real corpus where CYTOMOL_DATA has it, else planted. Processor time
is what counts, so that other work beside it harms little.
"""

from __future__ import annotations

import argparse
import filecmp
import importlib.util
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import psutil
from benchmarks.scaling.rows import RESULTS, Row, add
from benchmarks.speed.measure import machine
from benchmarks.streaming.__main__ import planted

SMALL = 512
"""Molecules of the small run, which tells what a process costs before its first answer."""
READ = 1_000_000
"""Rows of the table whose reading is measured."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write a row for each run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--head", help="directory of a model whose learner is the head on a backbone")
    parser.add_argument("--recipe", help="directory of a model whose learner is the recipe, cytomol")
    parser.add_argument("--molecules", type=int, default=20_000, help="(20,000)")
    parser.add_argument("--only", nargs="+", help="embed, predict head, predict recipe, read")
    parser.add_argument("--ray", action="store_true", help="measure --engine ray too")
    parser.add_argument("--work", type=Path, default=Path("build/scaling"))
    parser.add_argument("-o", "--output", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    options.work.mkdir(parents=True, exist_ok=True)
    asked = {"embed": ["embed", "default"]}
    asked |= {"predict head": ["predict", options.head]} if options.head else {}
    asked |= {"predict recipe": ["predict", options.recipe]} if options.recipe else {}
    for what, verb in asked.items():
        if not options.only or what in options.only:
            measure(what, verb, options)
    if not options.only or "read" in options.only:
        for kind in ("csv", "parquet"):
            read(kind, options)


def measure(what: str, verb: list[str], options: argparse.Namespace) -> None:
    """Measure a verb: few molecules, all of them by one process, by two shards, and gathering these."""
    work, count = options.work, options.molecules
    sizes = {size: table(size, work) for size in (SMALL, count)}
    whole = work / "whole.parquet"
    rows = -(-count // 8)  # of a chunk
    for size, place in sizes.items():
        run((what, "one", size), [[*verb, str(place), "--chunk-rows", str(rows)]], whole, options)
    parts = [work / f"part-{index}" for index in (1, 2)]
    for part in parts:
        shutil.rmtree(part, ignore_errors=True)
    shards = [
        [*verb, str(sizes[count]), "--chunk-rows", str(rows), "--shard", f"{index}/2", "-o", f"{part}/"]
        for index, part in enumerate(parts, start=1)
    ]
    run((what, "shards", count), shards, None, options)
    gather(what, parts, whole, options)
    if options.ray and importlib.util.find_spec("ray"):
        ask = [*verb, str(sizes[count]), "--chunk-rows", str(rows), "--engine", "ray", "--workers", "2"]
        by_ray(what, ask, whole, options)


def by_ray(what: str, command: list[str], whole: Path, options: argparse.Namespace) -> None:
    """Run a command on a Ray cluster of this machine, and kill a worker when the first chunk is finished."""
    out = options.work / "ray.parquet"
    out.unlink(missing_ok=True)
    load, began, killed = os.getloadavg()[0], time.perf_counter(), 0
    process = psutil.Popen([sys.executable, "-m", "cytomol", *command, "-q", "-o", str(out), "--force"])
    parts = out.with_name(f".{out.name}.parts")
    while process.poll() is None:
        if not killed and any(parts.glob("[0-9]*.json")):
            workers = [one for one in process.children(recursive=True) if is_worker(one)]
            for one in workers[:1]:
                one.kill()
                killed += 1
        time.sleep(0.05)
    if process.returncode or not killed:
        raise SystemExit(f"status {process.returncode}, {killed} killed: {command}")
    wall, same = time.perf_counter() - began, str(filecmp.cmp(whole, out, shallow=False))
    size, nothing = out.stat().st_size, float("nan")  # its workers are no children of ours
    row = Row(what, "ray", 2, options.molecules, wall, nothing, size, same, load, machine())
    print(row, flush=True)
    add(row, options.output)


def is_worker(process: psutil.Process) -> bool:
    """Say whether a process answers chunks for Ray."""
    try:
        return "".join(process.cmdline()).startswith("ray::_Worker")
    except psutil.Error:
        return False


def run(
    label: tuple[str, str, int],
    commands: list[list[str]],
    out: Path | None,
    options: argparse.Namespace,
) -> None:
    """Run commands side by side, each with one thread, and write the row; a label is that of the row."""
    if out is not None:
        out.unlink(missing_ok=True)
        commands = [[*one, "-o", str(out)] for one in commands]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    load, before, began = os.getloadavg()[0], processor_time(), time.perf_counter()
    started = [
        subprocess.Popen([sys.executable, "-m", "cytomol", *one, "--workers", "1", "-q"], env=environment)
        for one in commands
    ]
    ended = [one.wait() for one in started]
    if any(ended):
        raise SystemExit(f"failed: {commands}")
    wall, cpu = time.perf_counter() - began, processor_time() - before
    what, engine, molecules = label
    size = out.stat().st_size if out is not None else 0
    row = Row(what, engine, len(commands), molecules, wall, cpu, size, "", load, machine())
    print(row, flush=True)
    add(row, options.output)


def gather(what: str, parts: list[Path], whole: Path, options: argparse.Namespace) -> None:
    """Measure gathering without the start of a process, for it is done once."""
    from cytomol.tables.streaming.gather import gather_shards

    joined = options.work / "joined.parquet"
    gather_shards(parts, str(joined), force=True)  # what is used for the first time is loaded
    load, began, cpu = os.getloadavg()[0], time.perf_counter(), time.process_time()
    answered, _ = gather_shards(parts, str(joined), force=True)
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    same, size = str(filecmp.cmp(whole, joined, shallow=False)), joined.stat().st_size
    label, rows = f"gather, {what}", answered.errors.rows
    row = Row(label, "one", 1, rows, wall, cpu, size, same, load, machine())
    print(row, flush=True)
    add(row, options.output)


def read(kind: str, options: argparse.Namespace) -> None:
    """Measure what opening a long table takes, which every shard does."""
    from cytomol.tables.streaming import open_source

    place = options.work / f"planted-{READ}.{kind}"
    if not place.exists():
        names = [f"m{row}" for row in range(READ)]
        frame = pd.DataFrame({"id": names, "smiles": [planted(row) for row in range(READ)]})
        frame.to_csv(place, index=False) if kind == "csv" else frame.to_parquet(place, row_group_size=65536)
    load, began, cpu = os.getloadavg()[0], time.perf_counter(), time.process_time()
    assert open_source(place).rows == READ
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    row = Row(f"read {kind}", "one", 1, READ, wall, cpu, place.stat().st_size, "", load, machine())
    print(row, flush=True)
    add(row, options.output)


def processor_time() -> float:
    """Return the processor time of all processes that were started here and have ended, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def table(count: int, work: Path) -> Path:
    """Write molecules in a random order, the same each time."""
    data = os.environ.get("CYTOMOL_DATA")
    if data and (Path(data) / "corpus" / "molecules.parquet").is_file():
        smiles = pd.read_parquet(Path(data) / "corpus" / "molecules.parquet", columns=["smiles"])["smiles"]
        smiles = smiles.sample(frac=1, random_state=0).iloc[:count].reset_index(drop=True)
    else:
        smiles = pd.Series([planted(row) for row in range(count)], name="smiles")
    place = work / f"molecules-{count}.csv"
    smiles.to_frame().assign(id=range(count)).to_csv(place, index=False)
    return place


if __name__ == "__main__":
    main()
