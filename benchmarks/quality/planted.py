"""The same question where the answer is known: ``python -m benchmarks.quality.planted``, resumable.

In a planted corpus some assays follow from a molecule's structure and some from what it does to a cell. The
recipe of the real campaign is run with a backbone that saw cell data, one that did not, and none.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import pandas as pd
from benchmarks.quality.plan import LEAVES
from benchmarks.quality.plugins import PLUGINS, reach_jobs

from cytomol.errors import CytomolError
from cytomol.evaluate.rows import read_rows
from cytomol.evaluate.runner import Benchmark, run_benchmark
from cytomol.evaluate.sets import SetSource
from cytomol.files import atomic_file

__all__ = ["COLUMNS", "gather", "main", "run_cytomol"]

_ROOT = Path(__file__).resolve().parents[2]
COLUMNS = ("method", "size", "epochs", "corpus_seed", "model", "variant", "task", "driver", "score", "n")
_METHODS = {
    "infoalign": ("--molecule-targets", "morgan,maccs,descriptors"),
    "chmr": ("--views", "1d,2d", "--molecule-targets", "morgan,maccs,descriptors"),
}
_MODELS = {
    "cell": ("cytomol-five", "mlp-embedding-one"),
    "structure": ("cytomol-five", "mlp-embedding-one"),
    "": ("cytomol-five-plain", "mlp-one", "forest"),
}


def main(arguments: list[str] | None = None) -> int:
    """Plant, pretrain, learn and score, corpus by corpus; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.planted", description=__doc__)
    parser.add_argument("--corpora", type=int, default=5, help="corpora, each of its own seed (5)")
    parser.add_argument("--size", type=int, default=2000, help="molecules of a corpus (2,000)")
    parser.add_argument("--epochs", type=int, default=15, help="epochs of pretraining (15)")
    parser.add_argument("--method", choices=tuple(_METHODS), default="infoalign")
    parser.add_argument("--jobs", type=int, default=2, help="jobs that run at once (2)")
    parser.add_argument("--threads", type=int, default=0, help="threads of a job (cores / jobs)")
    parser.add_argument("--work", type=Path, default=_ROOT / "build" / "quality", help="folder outside git")
    parser.add_argument("--out", type=Path, default=_ROOT / "benchmarks" / "results" / "quality")
    options = parser.parse_args(arguments)
    failed = False
    try:
        for seed in range(options.corpora):
            folder = _folder(options, seed)
            _prepare(folder, options, seed)
            failed |= _learn(folder, options)
            gather(folder, options.out / "planted.csv", _facts(options, seed))
    except CytomolError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return int(failed)


def _folder(options: argparse.Namespace, seed: int) -> Path:
    name = f"{options.method}-{options.size}-{options.epochs}-{seed}"
    return Path(options.work) / "planted" / name


def _facts(options: argparse.Namespace, seed: int) -> dict[str, object]:
    return {
        "method": options.method,
        "size": options.size,
        "epochs": options.epochs,
        "corpus_seed": seed,
    }


def _prepare(folder: Path, options: argparse.Namespace, seed: int) -> None:
    """Plant a corpus and pretrain both backbones, as far as that was not done."""
    corpus = folder / "corpus"
    if not corpus.exists():
        run_cytomol("corpus", "planted", "-o", str(corpus), "--size", str(options.size), "--seed", str(seed))
    common = [str(corpus), "--method", options.method, *_METHODS[options.method], "--batch-size", "128"]
    common += ["--epochs", str(options.epochs), "--seed", str(seed), "--threads", "1", *LEAVES]
    common += ["--exclude-profiles-of", str(corpus / "heldout.csv")]
    for name, words in (("cell", ()), ("structure", ("--modalities", "", "--walk-length", "0"))):
        out = folder / name
        if not (out / "manifest.json").is_file():
            resume = ["--resume"] if out.with_name(f"{name}.partial").exists() else []
            run_cytomol("pretrain", *common, *words, *resume, "--quiet", "-o", str(out))


def run_cytomol(*words: object, check: bool = True) -> int:
    """Run a verb as a user would, telling it; return the exit status, which is 0 if it is checked."""
    command = [str(word) for word in words]
    print("$ cytomol", " ".join(command), flush=True)
    return subprocess.run([sys.executable, "-m", "cytomol", *command], check=check).returncode


def _learn(folder: Path, options: argparse.Namespace) -> bool:
    """Run the models that have no rows yet; return whether one failed."""
    reach_jobs()
    corpus, failed = folder / "corpus", False
    for variant, models in _MODELS.items():
        benchmark = Benchmark(
            out=folder / "results",
            sources=[SetSource(str(corpus / "assays.csv"), split=str(corpus / "split.csv"))],
            models=models,
            seeds=(0,),
            jobs=options.jobs,
            threads=options.threads,
            variant=variant,
            backbone=str(folder / variant) if variant else None,
            coverage=False,
            plugins=PLUGINS,
        )
        failures = run_benchmark(benchmark, resume=True, say=lambda text: print(f"  {text}", flush=True))
        for failure in failures:
            print(f"failed: {failure.job}: {failure.reason} (log: {failure.log})", file=sys.stderr)
        failed |= bool(failures)
    return failed


def gather(folder: Path, path: Path, facts: dict[str, object]) -> None:
    """Put the test scores of one corpus into the committed table, in place of earlier ones of it."""
    rows = read_rows(folder / "results" / "rows.csv")
    drivers = pd.read_parquet(folder / "corpus" / "truth" / "assays.parquet").set_index("task")["driver"]
    test = rows[rows["fold"] == "test"]
    table = test.assign(**facts, driver=drivers.loc[test["task"]].to_numpy())[list(COLUMNS)]
    if path.exists():
        old = pd.read_csv(path, keep_default_na=False)
        same = pd.concat([old[name].astype(str) == str(value) for name, value in facts.items()], axis=1)
        table = pd.concat([old[~same.all(axis=1)], table], ignore_index=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path, force=True) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n", float_format="%.6g")


if __name__ == "__main__":
    sys.exit(main())
