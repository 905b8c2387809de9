"""Measure how time and memory grow: ``python -m benchmarks.growth``; a run that was cut goes on."""

from __future__ import annotations

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.growth.points import BASE, plan
from benchmarks.growth.steps import STEPS
from benchmarks.growth.study import Study

_RESULTS = Path(__file__).resolve().parent.parent / "results" / "growth.csv"


def main(arguments: list[str] | None = None) -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--sizes", nargs="+", type=int, default=[10**3, 10**4, 10**5, 10**6])
    parser.add_argument("--only", nargs="+", choices=tuple(STEPS), help="steps (all)")
    parser.add_argument("--axes", nargs="+", help="axes: molecules, modalities, width, walk_length (all)")
    parser.add_argument("--base", type=int, default=BASE, help="molecules on the other axes (10,000)")
    parser.add_argument("--most", type=float, help="leave out points expected to take longer, in seconds")
    parser.add_argument("--threads", type=int, default=2, help="threads of each process (2)")
    parser.add_argument("--work", type=Path, help="folder that keeps the inputs (a temporary one)")
    parser.add_argument("--again", action="store_true", help="also run points that are in the table")
    parser.add_argument("-o", "--output", type=Path, default=_RESULTS, help="table to write or to continue")
    options = parser.parse_args(arguments)

    from benchmarks.speed.measure import machine

    points = plan(options.sizes, options.only, options.base)
    if options.axes:
        points = [point for point in points if point.axis in options.axes]
    with ExitStack() as stack:
        work = options.work or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="growth-")))
        Study(
            work=Path(work),
            output=options.output,
            machine=f"{machine()}; {options.threads} threads",
            threads=options.threads,
            most=options.most,
            again=options.again,
        ).run(points)


if __name__ == "__main__":
    main()
