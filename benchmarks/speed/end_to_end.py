"""Time whole predictions, CSV to CSV, beside peers: ``python -m benchmarks.speed.end_to_end --peers PYTHON``.

Every program is a process of its own that reads one table of SMILES, loads its model, computes its features
and writes a table; programs run in turn. One table has many molecules, one has a single molecule (a cold
start). What one molecule costs when the model is loaded, in Python, comes last.

``PYTHON`` is the interpreter of an environment with chemprop and ADMET-AI; without it they are left out.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path

import pandas as pd
from benchmarks.speed.material import Material
from benchmarks.speed.measure import Figure, Variant, compare, machine
from benchmarks.speed.process import python

from cytomol.files import atomic_file

__all__ = ["ASSAY", "ROWS", "main"]

_ROOT = Path(__file__).resolve().parents[2]
_RESULTS = _ROOT / "benchmarks" / "results" / "end_to_end.csv"
ASSAY = _ROOT / "examples" / "assay.csv"
"""What every model that is fitted here learns: a column of values and one of classes."""

ROWS = ("many molecules, CSV to CSV", "one molecule, cold start", "one molecule, loaded model")
_OURS = {
    "cytomol recipe": ((), "perceptrons, trees, boosting, kernel, neighbours; intervals, evidence"),
    "cytomol heads": (
        ("--learner", "head", "--backbone", "default", "--features", "embedding", "--epochs", "20"),
        "heads on the backbone that comes with it; intervals, evidence",
    ),
}
_CHEMPROP = "one network of three epochs, RDKit descriptors beside its graph"
_ADMET = "its own models: 5 networks for each of two kinds, 41 assays, RDKit descriptors"


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit what is compared, run it in turn, write the rows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.end_to_end", description=__doc__)
    parser.add_argument("--peers", type=Path, help="Python of an environment with chemprop and ADMET-AI")
    parser.add_argument("--molecules", type=int, default=5_000, help="molecules of the long table (5,000)")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each program (3)")
    parser.add_argument("--threads", type=int, default=2, help="threads of each program (2)")
    parser.add_argument(
        "--work", type=Path, default=_ROOT / "build" / "end_to_end", help="folder outside git"
    )
    parser.add_argument("-o", "--output", type=Path, default=_RESULTS, help="table to write")
    options = parser.parse_args(arguments)
    options.work.mkdir(parents=True, exist_ok=True)
    material = Material.load(options.molecules)
    smiles = material.smiles[: options.molecules]
    figures = []
    for row, count, repeats in ((ROWS[0], len(smiles), options.repeats), (ROWS[1], 1, 3 * options.repeats)):
        table = options.work / f"{count}.csv"
        table.write_text("\n".join(["SMILES", *smiles[:count], ""]), encoding="utf-8")
        variants = list(_programs(options, table, count))
        unit = "s" if count == 1 else "mol/s"
        figures += compare(row, unit, variants, repeats=repeats, threads=options.threads, warm=0)
    figures += compare(
        ROWS[2], "s", list(_loaded(options.work, smiles[0])), repeats=20, threads=options.threads, warm=3
    )
    _write(options.output, figures, material.name)


def _programs(options: argparse.Namespace, table: Path, count: int) -> Iterator[Variant]:
    """Yield a run of each program on a table."""
    for name, (chosen, note) in _OURS.items():
        model = _ours(options.work, name, chosen, options.threads)
        ask = ["-m", "cytomol", "predict", str(model), str(table), "--smiles-col", "SMILES"]
        ask += ["-o", str(options.work / "ours.csv"), "--force", "-q"]
        yield Variant(name, partial(python, ask, threads=options.threads, memory=False), count, note)
    if options.peers is None:
        return
    out = str(options.work / "theirs.csv")
    model = _chemprop(options.work, options.peers)
    ask = ["predict", "-i", str(table), "-s", "SMILES", "--model-paths", str(model), "-o", out]
    ask += ["--molecule-featurizers", "rdkit_2d", "--accelerator", "cpu", "-q"]
    run = partial(_peer, options.peers, "chemprop", ask)
    yield Variant("chemprop", run, count, f"{_version(options.peers, 'chemprop')}; {_CHEMPROP}")
    ask = ["--data_path", str(table), "--smiles_column", "SMILES", "--save_path", out]
    run = partial(_peer, options.peers, "admet_predict", ask)
    yield Variant("ADMET-AI", run, count, f"{_version(options.peers, 'admet_ai')}; {_ADMET}")


def _ours(work: Path, name: str, chosen: Sequence[str], threads: int) -> Path:
    model = work / name.replace(" ", "-")
    if not (model / "manifest.json").exists():
        ask = [
            "-m",
            "cytomol",
            "finetune",
            str(ASSAY),
            *chosen,
            "-o",
            str(model),
            "--force",
            "--no-baselines",
        ]
        python([*ask, "--no-report", "-q"], threads=threads, memory=False)
    return model


def _chemprop(work: Path, peers: Path) -> Path:
    """Return chemprop's model of the values of the same table; how well it learnt does not matter here."""
    folder = work / "chemprop"
    model = folder / "model_0" / "best.pt"
    if not model.exists():
        table = pd.read_csv(ASSAY)
        table["LogSol"] = pd.to_numeric(table["LogSol"], errors="coerce")  # it knows no ">2.7"
        plain = work / "plain.csv"
        table[["SMILES", "LogSol"]].dropna().to_csv(plain, index=False)
        ask = ["train", "-i", str(plain), "-s", "SMILES", "--target-columns", "LogSol", "-t", "regression"]
        ask += [
            "--molecule-featurizers",
            "rdkit_2d",
            "--epochs",
            "3",
            "--accelerator",
            "cpu",
            "-o",
            str(folder),
        ]
        _peer(peers, "chemprop", ask)
    return model


def _peer(peers: Path, program: str, ask: Sequence[str]) -> None:
    done = subprocess.run([str(peers.parent / program), *ask], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{program}: {done.stderr[-2000:]}")


def _version(peers: Path, package: str) -> str:
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    return subprocess.run([str(peers), "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def _loaded(work: Path, smiles: str) -> Iterator[Variant]:
    """Yield predictions of one molecule by models that lie in memory."""
    from cytomol.predict.predictor import Predictor

    for name, (_, note) in _OURS.items():
        model = Predictor.load(work / name.replace(" ", "-"))
        yield Variant(name, partial(model.predict, [smiles]), 1, note)


def _write(path: Path, figures: Sequence[Figure], corpus: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    names = [field.name for field in fields(Figure)]
    with atomic_file(path, force=True) as part, part.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, [*names, "corpus", "machine"], lineterminator="\n")
        table.writeheader()
        table.writerows({**asdict(figure), "corpus": corpus, "machine": machine()} for figure in figures)


if __name__ == "__main__":
    main(sys.argv[1:])
