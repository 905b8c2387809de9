"""Measure what long pretrainings hold, each in its own process: ``python -m benchmarks.memory``."""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from benchmarks.memory.rows import RESULTS, Run, done, forget

METHODS = ("infoalign", "chmr")
PRECISIONS = ("bf16-mixed", "32-true")
CELLS = ("none", "all")


def main() -> None:
    """Run what the table does not hold yet; an epoch is written as it ends."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=PRECISIONS)
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=CELLS, help="modalities (both)")
    parser.add_argument("--molecules", type=int, default=4096, help="drawn at random; 0 takes all (4096)")
    parser.add_argument("--batch-size", type=int, default=512, help="molecules of a step (512)")
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--version", default="now", help="name of the code that is measured (now)")
    parser.add_argument("--work", type=Path, default=Path("build/memory"), help="folder of the drawn corpus")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS, help="table to write or to go on with")
    options = parser.parse_args()

    corpus, molecules = _corpus(options.molecules, options.work)
    for method, precision, cells in itertools.product(options.methods, options.precisions, options.cells):
        run = Run(options.version, method, precision, cells, molecules, options.batch_size, options.threads)
        if done(options.output, run) >= options.epochs:
            continue
        print(run, file=sys.stderr, flush=True)
        forget(options.output, run)
        told = [json.dumps(asdict(run)), str(options.epochs), str(corpus), str(options.output)]
        environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads)}
        subprocess.run([sys.executable, "-m", "benchmarks.memory.worker", *told], env=environment, check=True)


def _corpus(molecules: int, work: Path) -> tuple[Path, int]:
    """Return the corpus below CYTOMOL_DATA, or so many of its molecules, and how many it has."""
    from benchmarks.memory.sample import sample

    from cytomol.corpus import read_corpus
    from cytomol.corpus.write import write_corpus

    if "CYTOMOL_DATA" not in os.environ:
        raise SystemExit("set CYTOMOL_DATA to the folder that holds the corpus")
    whole = Path(os.environ["CYTOMOL_DATA"]) / "corpus"
    path = work / f"corpus-{molecules}"
    if molecules and not path.exists():
        work.mkdir(parents=True, exist_ok=True)
        write_corpus(sample(read_corpus(whole), molecules), path)
    return (path, molecules) if molecules else (whole, len(read_corpus(whole)))


if __name__ == "__main__":
    main()
