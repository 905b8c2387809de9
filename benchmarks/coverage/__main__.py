"""Measure what stated coverage is worth on published scaffold splits: ``python -m benchmarks.coverage``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import process_time

import pandas as pd
from benchmarks.coverage.predictions import LEARNERS, predictions
from benchmarks.coverage.ways import compared

from cytomol.evaluate.sets import SETS

RESULTS = Path(__file__).parents[1] / "results" / "coverage.csv"


def main() -> None:
    """Measure the sets; rows of a set and learner that are there already are replaced."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--learners", nargs="+", choices=LEARNERS, default=LEARNERS[:1])
    parser.add_argument("--molecules", type=int, default=2000, help="most of the train and valid fold (2000)")
    parser.add_argument("--tests", type=int, default=1500, help="most of the test fold (1500)")
    parser.add_argument("--tasks", type=int, default=2, help="most tasks of a set (2)")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    for name in options.sets:
        for learner in options.learners:
            start = process_time()
            size = {"molecules": options.molecules, "tests": options.tests, "tasks": options.tasks}
            rows = pd.DataFrame(compared(predictions(name, learner, **size)))
            rows.insert(0, "set", name)
            rows.insert(1, "learner", learner)
            if options.output.is_file():
                old = pd.read_csv(options.output)
                rows = pd.concat([old[(old["set"] != name) | (old["learner"] != learner)], rows])
            options.output.parent.mkdir(parents=True, exist_ok=True)
            rows.to_csv(options.output, index=False, float_format="%.4g", lineterminator="\n")
            print(f"{name}, {learner}: {process_time() - start:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
