"""Run the campaign: ``python -m benchmarks.quality``; cut at any time, it goes on when called again."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.quality.backbones import find_backbones, pretrain
from benchmarks.quality.plan import ALL, SETS, STAGES, Step, steps
from benchmarks.quality.plugins import PLUGINS, reach_jobs
from benchmarks.raw_rows import growing

from cytomol.errors import CytomolError
from cytomol.evaluate.runner import Benchmark, Failure, run_benchmark
from cytomol.evaluate.sets import SetSource

__all__ = ["main", "run_step"]

_ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Pretrain what is missing and run every step; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument(
        "--stage", nargs="+", choices=[*STAGES, "all"], default=["all"], help="parts (all that need no GPU)"
    )
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS, metavar="SET", help="sets (all)")
    parser.add_argument("--seeds", type=int, default=5, help="seeds (5; hiv has 3 at most)")
    parser.add_argument("--jobs", type=int, default=2, help="jobs that run at once (2)")
    parser.add_argument("--threads", type=int, default=0, help="threads of a job (cores / jobs)")
    parser.add_argument("--backbones", type=Path, help="folder with cell/, structure/ and others")
    parser.add_argument("--work", type=Path, default=_ROOT / "build" / "quality", help="folder outside git")
    parser.add_argument("--out", type=Path, default=_ROOT / "benchmarks" / "results" / "quality")
    options = parser.parse_args(arguments)
    stages = [*ALL, *options.stage] if "all" in options.stage else options.stage
    planned = list(steps(stages, options.sets, options.seeds))
    names = list(dict.fromkeys(step.run.backbone for step in planned if step.run.backbone))
    try:
        if options.backbones is not None:
            found = find_backbones(options.backbones, names)
        else:
            found = pretrain(options.work, names)
        failures = [failure for step in planned for failure in run_step(step, options, found)]
    except CytomolError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    for failure in failures:
        print(f"failed: {failure.job}: {failure.reason} (log: {failure.log})", file=sys.stderr)
    return 1 if failures else 0


def run_step(step: Step, options: argparse.Namespace, backbones: dict[str, Path]) -> list[Failure]:
    """Run one seed of some models; jobs that have rows, whoever made them, are skipped."""
    reach_jobs()
    run = step.run
    print(f"seed {step.seed}: {', '.join(run.models)} {run.variant}", file=sys.stderr, flush=True)
    benchmark = Benchmark(
        out=options.out,
        sources=[SetSource(name) for name in step.sets],
        models=run.models,
        seeds=(step.seed,),
        jobs=options.jobs,
        threads=options.threads,
        variant=run.variant,
        backbone=str(backbones[run.backbone]) if run.backbone else None,
        encoders=run.encoders,
        keep_predictions=True,
        plugins=PLUGINS,
    )
    with growing(options.out):
        return run_benchmark(
            benchmark, resume=True, say=lambda text: print(f"  {text}", file=sys.stderr, flush=True)
        )


if __name__ == "__main__":
    sys.exit(main())
