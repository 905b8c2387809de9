"""How long to pretrain, and what its chance does: ``python -m benchmarks.quality.pretraining``.

Backbones with and without cell data, by epochs and seed, are put to a linear learner on five scaffold folds
of the train and valid rows of seven sets; no test row is read. What is known of the molecules of all sets is
left out of their pretraining, so that every fold is blind. InfoAlign is pretrained here; ``--models`` takes
what was pretrained elsewhere, such as on a GPU (``benchmarks.gpu``). Cut at any time, it goes on when called
again; rows of other models that the table has stay.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.default_backbone.choose import CHOICE_SETS, score_form
from benchmarks.default_backbone.compare import Entrant
from benchmarks.quality.backbones import corpus_folder, evaluated_molecules

from cytomol.errors import CytomolError
from cytomol.files import atomic_file

__all__ = ["COLUMNS", "MODEL", "WITH", "WITHOUT", "Pretraining", "described", "main"]

_ROOT = Path(__file__).resolve().parents[2]
WITH, WITHOUT = "with", "without"
MODEL = ("method", "cells", "batch", "epochs", "planned", "seed")
"""What tells a backbone from others; ``epochs`` are those done of the ones ``planned``."""
COLUMNS = (*MODEL, "set", "metric", "features", "folds", "value")
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
    parser.add_argument("--epochs", type=int, nargs="*", default=[8], help="lengths (8)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of pretraining (0 1 2)")
    parser.add_argument("--models", type=Path, nargs="+", default=[], help="backbones from elsewhere")
    parser.add_argument("--out", type=Path, default=_ROOT / "benchmarks" / "results" / "quality")
    parser.add_argument("--work", type=Path, default=_ROOT / "build" / "quality", help="folder outside git")
    options = parser.parse_args(arguments)
    work, table = options.work / "pretraining", options.out / "pretraining.csv"
    try:
        for path in options.models:
            _score(path, work, table)
        for epochs in options.epochs:
            for seed in options.seeds:
                for cells in _CELLS:
                    _score(_made(Pretraining(cells, epochs, seed), work), work, table)
    except CytomolError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _made(wanted: Pretraining, work: Path) -> Path:
    """Return the directory of a backbone, pretrained where that was not done."""
    out = work / wanted.name
    if not (out / "manifest.json").is_file():
        words = wanted.words(corpus_folder(), evaluated_molecules(work, train_too=True), out)
        print("$ cytomol pretrain", " ".join(words), flush=True)
        subprocess.run([sys.executable, "-m", "cytomol", "pretrain", *words], check=True)
    return out


def _score(model: Path, work: Path, path: Path) -> None:
    """Score a backbone where that was not done, and write its rows into the table."""
    entrant, named = Entrant(model.name, str(model)), described(model)
    found: list[tuple[object, ...]] = []
    for name in CHOICE_SETS:
        result = json.loads(score_form(entrant, name, work).read_text(encoding="utf-8"))
        print(f"{model.name}: {name} scored", flush=True)
        for features, values in result["scores"].items():
            value = round(float(np.mean(values)), 3)
            found.append((*named, name, result["metric"], features, len(values), value))
    rows = pd.DataFrame(found, columns=list(COLUMNS))
    if path.is_file():
        before = pd.read_csv(path)
        same = pd.MultiIndex.from_frame(before[list(MODEL)]).isin([named])
        rows = pd.concat([before[~same], rows], ignore_index=True)
    rows = rows.sort_values([*MODEL, "features"], kind="stable")
    with atomic_file(path, force=True) as temporary:
        rows.to_csv(temporary, index=False, lineterminator="\n")


def described(model: Path) -> tuple[str, str, int, int, int, int]:
    """Return what tells a backbone from others, in the order of ``MODEL``, as its directory says."""
    config, training = (
        json.loads((model / name).read_text(encoding="utf-8")) for name in ("config.json", "training.json")
    )
    options = config["config"]
    cells = WITH if config["modalities"] else WITHOUT
    planned = int(options["epochs"])
    return (
        config["method"],
        cells,
        int(options["batch_size"]),
        int(training["epochs"]),
        planned,
        options["seed"],
    )


if __name__ == "__main__":
    sys.exit(main())
