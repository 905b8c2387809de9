"""Rows and weights from minutes on a GPU machine: ``python -m benchmarks.gpu --corpus D --out D --work D``.

Stages run one after the other, each in a process of its own and for its share of the time; what is in the
folder of results already is not done again. docs/gpu.md says what to carry and what comes back.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.gpu.plan import (
    STAGES,
    TRAININGS,
    Clock,
    Settings,
    Sizes,
    Training,
    measured,
    stage_seconds,
)
from benchmarks.gpu.rows import Row, Table
from benchmarks.gpu.stage import Log, run_process

__all__ = ["main"]

_ROOT = Path(__file__).resolve().parents[2]
_ENDING = 8.0  # seconds kept for ending by itself
_FEWEST = 15.0  # seconds with which a stage that failed is started once more
_MOST_FILES, _LARGEST_FILE, _LARGEST_OUT = 8, 16 * 2**20, 64 * 2**20


def main(arguments: list[str] | None = None) -> int:
    """Run the stages; return the exit status, 0 also where time ran out."""
    options = _options(arguments)
    clock = Clock(60 * options.minutes)
    if (device := options.device or _found_device()) is None or not _there(device):
        print(_no_gpu(), file=sys.stderr)
        return 1
    if not (options.corpus / "molecules.parquet").is_file():
        print(f"error: {options.corpus} is no corpus: it has no molecules.parquet", file=sys.stderr)
        return 1
    settings = _settings(options, device)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that a stage under way ends too
    settings.work.mkdir(parents=True, exist_ok=True)
    log = Log(settings.out / "log.txt")
    log.say(f"{', '.join(options.stages)} on {device}, {options.minutes:g} minutes")
    failed = [
        stage
        for stage in STAGES
        if stage in options.stages and not _run(stage, options, settings, clock, log)
    ]
    _close(settings, options.stages, log)
    return 1 if failed else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="folder of the corpus")
    parser.add_argument(
        "--exclude", type=Path, help="molecules whose cell data are left out (published sets)"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of what comes home: at most 8 files")
    parser.add_argument(
        "--work", type=Path, required=True, help="folder of checkpoints and caches, stays there"
    )
    parser.add_argument("--device", choices=("cuda", "cpu"), help="where to compute (a GPU)")
    parser.add_argument("--minutes", type=float, default=9.5, help="time in all (9.5)")
    parser.add_argument("--stages", type=_names(STAGES), default=STAGES, help=f"of {','.join(STAGES)} (all)")
    parser.add_argument(
        "--trainings",
        type=_trainings,
        default=TRAININGS,
        help="names METHOD-cell|structure-EPOCHS-SEED, the most important first",
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="trainings at a time (cores there are)"
    )
    parser.add_argument("--batch-size", type=int, help="molecules of a step of a training (1024)")
    parser.add_argument("--commit", help="commit of the code (asked of git)")
    parser.add_argument("--tiny", action="store_true", help="a rehearsal: everything small")
    return parser.parse_args(arguments)


def _names(known: Any) -> Any:
    def parse(text: str) -> tuple[str, ...]:
        names = tuple(name.strip() for name in text.split(",") if name.strip())
        if unknown := [name for name in names if name not in known]:
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
        return names

    return parse


def _trainings(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        try:
            Training.read(name)
        except ValueError:
            raise argparse.ArgumentTypeError(f"no training: {name}; one is {TRAININGS[0]}") from None
    return names


def _found_device() -> str | None:
    import torch

    return "cuda" if torch.cuda.is_available() else None


def _there(device: str) -> bool:
    return device == "cpu" or _found_device() == "cuda"


def _no_gpu() -> str:
    import torch

    return (
        f"error: there is no GPU here: torch {torch.__version__} sees none.\n"
        "Run this on a machine with an NVIDIA GPU and a torch built for CUDA (docs/gpu.md), or rehearse it "
        "here with --device cpu --tiny."
    )


def _settings(options: argparse.Namespace, device: str) -> Settings:
    sizes = Sizes.tiny() if options.tiny else Sizes()
    return Settings(
        corpus=options.corpus.resolve(),
        exclude=None if options.exclude is None else options.exclude.resolve(),
        out=options.out.resolve(),
        work=options.work.resolve(),
        device=device,
        sizes=sizes if options.batch_size is None else replace(sizes, batch_size=options.batch_size),
        trainings=options.trainings,
        jobs=max(1, options.jobs),
        commit=_commit() if options.commit is None else options.commit,
    )


def _commit() -> str:
    """Return the commit of the code; "" where there is no git."""
    command = ["git", "-C", str(_ROOT), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def _complete(stage: str, settings: Settings) -> bool:
    """Say whether a stage has nothing left to do."""
    from benchmarks.gpu.machine import device_name

    table = Table(settings.out, device=device_name(settings.device))
    if stage == "pretraining":
        from benchmarks.gpu.pretraining import complete

        return complete(settings, table)
    return table.has(Row(stage, "stage"))


def _run(stage: str, options: argparse.Namespace, settings: Settings, clock: Clock, log: Log) -> bool:
    """Run a stage, once more if it fails half-way; say whether it ended well."""
    if _complete(stage, settings):
        log.say(f"== {stage}: done before")
        return True
    for attempt in range(2):
        seconds = stage_seconds(stage, options.stages, clock.left() - _ENDING)
        if seconds <= (_FEWEST if attempt else 0.0):
            log.say(f"== {stage}: no time is left")
            return attempt == 0
        log.say(f"== {stage}: up to {seconds:.0f} s")
        words = [stage, settings.within(seconds, skip_failed=attempt > 0).text()]
        outcome = run_process(
            "benchmarks.gpu.worker", words, seconds=seconds + 1, work=settings.work, log=log
        )
        log.say(f"== {stage}: {outcome}")
        if outcome != "failed":
            return True
    return False


def _close(settings: Settings, stages: tuple[str, ...], log: Log) -> None:
    """Say what was not reached and what comes home."""
    for leftover in settings.out.glob(".tmp-*"):
        leftover.unlink(missing_ok=True)
    rows = Table(settings.out).read()
    if "speed" in stages:
        done = {(r.what, r.method, r.batch, r.precision, r.mode) for r in rows if r.stage == "speed"}
        open_ones = [
            f"{c.what} {c.method} {c.batch} {c.precision} {c.mode}"
            for c in measured(settings.sizes)
            if (c.what, c.method, str(c.batch), c.precision, c.mode) not in done
        ]
        log.say(f"not reached: {'; '.join(open_ones) or 'nothing'}")
    if failed := [_named(row) for row in rows if row.failed]:
        log.say(f"failed: {'; '.join(failed)}")
    files = sorted(settings.out.iterdir())
    sizes = [path.stat().st_size for path in files]
    log.say(
        f"{len(rows)} rows; comes home: "
        + ", ".join(f"{p.name} {n:,}" for p, n in zip(files, sizes, strict=True))
    )
    if len(files) > _MOST_FILES or sum(sizes) > _LARGEST_OUT or max(sizes, default=0) > _LARGEST_FILE:
        log.say("more than may come home: 8 files of 16 MiB, 64 MiB together")


def _named(row: Row) -> str:
    return " ".join(part for part in row.key[:-1] if part)


if __name__ == "__main__":
    sys.exit(main())
