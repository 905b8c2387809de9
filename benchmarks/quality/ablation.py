"""Every ablation where the answer is known: ``python -m benchmarks.quality.ablation``, resumable.

``cytomol ablate`` on planted corpora, each of its own seed. Assays that follow from what a molecule does to
a cell and those that follow from its structure are kept apart: a part of a method may serve one of them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd
from benchmarks.quality.planted import run_cytomol

from cytomol.files import atomic_file

__all__ = ["COLUMNS", "gather", "main"]

_ROOT = Path(__file__).resolve().parents[2]
_METHODS = {"chmr": ("chmr.views=1d,2d",), "infoalign": ()}  # conformers take longer than the pretraining
_BATCH = 64  # at the default so small a corpus gives two steps an epoch
COLUMNS = (
    *("size", "epochs", "seed", "study", "method", "variant", "set", "fold", "task", "metric", "score"),
    *("seconds_pretrain", "seconds_finetune"),
)
"""Columns of ``ablation.csv``: ``seed`` is that of the corpus, ``set`` says what the assay follows from."""


def main(arguments: list[str] | None = None) -> int:
    """Plant, ablate and gather, corpus by corpus; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.ablation", description=__doc__)
    parser.add_argument("--corpora", type=int, default=2, help="corpora, each of its own seed (2)")
    parser.add_argument("--size", type=int, default=1000, help="molecules of a corpus (1,000)")
    parser.add_argument("--epochs", type=int, default=8, help="epochs of each pretraining (8)")
    parser.add_argument("--method", nargs="+", choices=tuple(_METHODS), default=tuple(_METHODS))
    parser.add_argument("--work", type=Path, default=_ROOT / "build" / "quality", help="folder outside git")
    parser.add_argument("--out", type=Path, default=_ROOT / "benchmarks" / "results" / "quality")
    options = parser.parse_args(arguments)
    status = 0
    for seed in range(options.corpora):
        facts = {"size": options.size, "epochs": options.epochs, "seed": seed}
        for method in options.method:
            folder = options.work / "ablation" / "-".join(map(str, (method, *facts.values())))
            status = max(status, _ablate(folder, method, facts))
            gather(folder, options.out / "ablation.csv", {"method": method, **facts})
    return status


def _ablate(folder: Path, method: str, facts: dict[str, int]) -> int:
    """Run the variants of one method that have no rows yet; return the exit status."""
    corpus, out = folder / "corpus", folder / "rows"
    if not corpus.exists():
        plant = ("corpus", "planted", "-o", corpus, "--size", facts["size"], "--seed", facts["seed"])
        status = run_cytomol(*plant, check=False)
        if status:
            return status
    words = ["ablate", corpus, corpus / "assays.csv", "--split", corpus / "split.csv", "-o", out]
    words += ["--exclude-profiles-of", corpus / "heldout.csv", "--method", method]
    words += ["--epochs", facts["epochs"]]
    # the rows were made when gene profiles were leaves by default
    leaves = ("gene_profiles=leaf", "unprofiled_genes=true")
    for option in ("threads=1", f"batch_size={_BATCH}", *leaves, *_METHODS[method]):
        words += ["--set", option]
    if (out / "ablation.json").exists():
        words.append("--resume")
    return run_cytomol(*words, check=False)


def gather(folder: Path, path: Path, facts: dict[str, object]) -> None:
    """Put the test scores of one method on one corpus into the committed table, in place of earlier ones."""
    scored = folder / "rows" / "ablation.csv"
    if not scored.exists():
        return
    rows = pd.read_csv(scored)
    driver = pd.read_parquet(folder / "corpus" / "truth" / "assays.parquet").set_index("task")["driver"]
    rows = rows[rows["fold"] == "test"].assign(**facts)
    rows["set"] = [f"{driver[task]} assays" for task in rows["task"]]
    table = rows[list(COLUMNS)]
    if path.exists():
        old = pd.read_csv(path)
        same = pd.concat([old[name] == value for name, value in facts.items()], axis=1).all(axis=1)
        table = pd.concat([old[~same], table], ignore_index=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path, force=True) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n", float_format="%.5g")


if __name__ == "__main__":
    sys.exit(main())
