"""How long to pretrain, and what its chance does: ``python -m benchmarks.quality.pretraining``.

Backbones of InfoAlign with and without cell data, by epochs and seed, are put to a linear learner on five
scaffold folds of the train and valid rows of seven sets; no test row is read. What is known of the molecules
of all sets is left out of their pretraining, so that every fold is blind. Cut at any time, it goes on when
called again; rows are of what is there.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.default_backbone.choose import CHOICE_SETS, score_form
from benchmarks.default_backbone.compare import Entrant
from benchmarks.quality.backbones import corpus_folder, evaluated_molecules

from cytomol.errors import CytomolError
from cytomol.files import atomic_file

__all__ = ["COLUMNS", "WITH", "WITHOUT", "Pretraining", "main"]

_ROOT = Path(__file__).resolve().parents[2]
WITH, WITHOUT = "with", "without"
COLUMNS = ("cells", "epochs", "seed", "set", "metric", "features", "folds", "value")
"""``value``: mean over the folds, in points of 100 (MAE times 100)."""

_OPTIONS = (
    *("--method", "infoalign", "--width", "240", "--batch-size", "128", "--precision", "bf16-mixed"),
    *("--molecule-targets", "morgan,maccs,descriptors"),
)
_CELLS = {
    WITH: ("--relation-targets", "compound_targets_gene"),
    WITHOUT: ("--modalities", "", "--walk-length", "0"),
}


@dataclass(frozen=True)
class Pretraining:
    """One pretraining: with or without cell data, its epochs and its seed."""

    cells: str
    epochs: int
    seed: int

    @property
    def name(self) -> str:
        """The name of its directory.

        Examples
        --------
        >>> Pretraining("with", 8, 0).name
        'with-8-0'
        """
        return f"{self.cells}-{self.epochs}-{self.seed}"

    def words(self, corpus: Path, known: Path, out: Path) -> list[str]:
        """Return the command line that makes it, one thread wide."""
        words = [str(corpus), *_OPTIONS, *_CELLS[self.cells], "--epochs", str(self.epochs)]
        words += ["--seed", str(self.seed), "--threads", "1", "--exclude-profiles-of", str(known)]
        words += ["--no-report", "-o", str(out)]
        return words + (["--resume"] if out.with_name(f"{out.name}.partial").exists() else [])


def main(arguments: Sequence[str] | None = None) -> int:
    """Pretrain and score what is missing, write the rows; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.pretraining", description=__doc__)
    parser.add_argument("--epochs", type=int, nargs="+", default=[8], help="lengths (8)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of pretraining (0 1 2)")
    parser.add_argument("--out", type=Path, default=_ROOT / "benchmarks" / "results" / "quality")
    parser.add_argument("--work", type=Path, default=_ROOT / "build" / "quality", help="folder outside git")
    options = parser.parse_args(arguments)
    work = options.work / "pretraining"
    try:
        for epochs in options.epochs:
            for seed in options.seeds:
                for cells in _CELLS:
                    _make(Pretraining(cells, epochs, seed), work)
                    _write(work, options.out / "pretraining.csv")
    except CytomolError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _make(wanted: Pretraining, work: Path) -> None:
    """Pretrain and score one, where that was not done."""
    out = work / wanted.name
    if not (out / "manifest.json").is_file():
        words = wanted.words(corpus_folder(), evaluated_molecules(work, train_too=True), out)
        print("$ cytomol pretrain", " ".join(words), flush=True)
        subprocess.run([sys.executable, "-m", "cytomol", "pretrain", *words], check=True)
    for name in CHOICE_SETS:
        score_form(Entrant(wanted.name, str(out)), name, work)
        print(f"{wanted.name}: {name} scored", flush=True)


def _write(work: Path, path: Path) -> None:
    """Write the rows of all that was scored, in the order of their names."""
    table = pd.DataFrame(_rows(work / "choice"), columns=list(COLUMNS))
    table = table.sort_values(["epochs", "cells", "seed", "features"], kind="stable")
    with atomic_file(path, force=True) as temporary:
        table.round(3).to_csv(temporary, index=False, lineterminator="\n")


def _rows(folder: Path) -> Iterator[tuple[object, ...]]:
    for name in CHOICE_SETS:
        for file in sorted(folder.glob(f"*.{name}.json")):
            cells, epochs, seed = file.name.split(".")[0].split("-")
            result = json.loads(file.read_text(encoding="utf-8"))
            for features, values in result["scores"].items():
                value = float(np.mean(values))
                yield cells, int(epochs), int(seed), name, result["metric"], features, len(values), value


if __name__ == "__main__":
    sys.exit(main())
