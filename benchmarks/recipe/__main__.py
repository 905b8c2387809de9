"""Does the recipe still score what it did? ``python -m benchmarks.recipe run --before CHECKOUT``.

Both codes learn the published split of each set without a backbone, one after the other, each in a process of
its own. It goes on where it was cut, set by set.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from benchmarks.recipe.rows import RESULTS, TOLERANCE, Fit, add, fallen, has, read, row_of, table

from cytomol.errors import CytomolError

ORDER = ("bace", "bbbp", "clintox", "biogenadme", "chembl2k", "sider", "broad6k", "toxcast", "hiv")
"""The nine sets, the quick ones first."""
_ROOT = Path(__file__).resolve().parents[2]
_REHEARSAL = _ROOT / "build" / "recipe" / "rehearsal.csv"


def main(arguments: list[str] | None = None) -> int:
    """Measure what the table does not hold yet, or print it; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recipe", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    run = verbs.add_parser("run", help="measure what the table does not hold yet")
    run.add_argument("--set", nargs="+", choices=ORDER, default=ORDER, help="sets (all nine)")
    run.add_argument("--before", type=Path, required=True, help="checkout of the code before")
    run.add_argument("--seeds", type=int, nargs="+", default=[0], help="seeds (0)")
    run.add_argument("--threads", type=int, default=2, help="threads of a fit (2)")
    run.add_argument(
        "--molecules", type=int, default=0, help="rehearse on so many molecules; 0 takes all (0)"
    )
    shown = verbs.add_parser("table", help="print the rows; the status is 1 if a set fell")
    for verb in (run, shown):
        verb.add_argument("-o", "--output", type=Path, help="table, to go on with where it is there")
    options = parser.parse_args(arguments)
    output = options.output or (_REHEARSAL if getattr(options, "molecules", 0) else RESULTS)
    try:
        return _run(options, output) if options.verb == "run" else _show(output)
    except CytomolError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


def _run(options: argparse.Namespace, output: Path) -> int:
    for seed in options.seeds:
        for name in options.set:
            if has(output, name, seed):
                continue
            spec = {"set": name, "seed": seed, "threads": options.threads, "molecules": options.molecules}
            fits = [fit(spec, which, code) for which, code in (("before", options.before), ("now", _ROOT))]
            row = row_of(name, seed, *fits)
            add(output, row)
            print(f"{name}, seed {seed}: {row['difference']:+.2f} points", file=sys.stderr, flush=True)
    return 0


def fit(spec: dict[str, object], which: str, code: Path) -> Fit:
    """Let a checkout fit the recipe, in a process that sees no other code.

    Raises
    ------
    CytomolError
        If it fails; it has said why.
    """
    path = code.resolve() / "src"
    if not (path / "cytomol").is_dir():
        raise CytomolError("holds no src/cytomol", where=str(code), hint="give the folder of a checkout")
    environment = {**os.environ, "PYTHONPATH": str(path), "OMP_NUM_THREADS": str(spec["threads"])}
    told = json.dumps({**spec, "which": which, "code": str(path)})
    worker = str(Path(__file__).with_name("worker.py"))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "fit"
        command = [sys.executable, "-P", worker, told, str(out)]
        status = subprocess.run(command, env=environment, cwd=folder, check=False).returncode
        if status:
            raise CytomolError(f"{spec['set']} ended with exit status {status}", where=f"the code {which}")
        with np.load(out.with_suffix(".npz")) as arrays:
            answered = arrays["predicted"], arrays["observed"]
        return Fit(*answered, json.loads(out.with_suffix(".json").read_text(encoding="utf-8")))


def _show(output: Path) -> int:
    rows = read(output)
    print("\n".join(table(rows)))
    if names := fallen(rows):
        print(f"fell by more than {TOLERANCE} points: {', '.join(names)}", file=sys.stderr)
    return int(bool(names))


if __name__ == "__main__":
    sys.exit(main())
