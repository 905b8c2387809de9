"""What is left of a model as profiles go missing: ``python -m benchmarks.cells.missing``, resumable.

``cytomol stress missing`` on a planted corpus, whose plates are known: every filling of CHMR, at random
first, then by scaffold and by plate; and once more decoded from profiles alone, for imputation in use.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd
from benchmarks.quality.planted import run_cytomol

from cytomol.files import atomic_file

__all__ = ["COLUMNS", "STUDIES", "gather", "main"]

_ROOT = Path(__file__).resolve().parents[2]
_RATES = "0,50,90,100"
# Small on purpose, for a point of a curve is a pretraining: fingerprints alone, and many steps over few.
_SETTINGS = ("views=1d", "width=64", "batch_size=64", "lr=0.002", "threads=1", "workers=1")

STUDIES: dict[str, tuple[str, ...]] = {
    "planted": (),
    "planted, decoded from profiles": ("--place", "use", "--set", "decode_from=modality"),
}
"""Words of the verb for each study."""

_STAGES = ("random", "random,scaffold,plate")  # so that the first pattern is whole before the others begin

COLUMNS = (
    *("study", "molecules", "epochs", "place", "pattern", "hidden", "rate", "share", "filling", "seed"),
    *("measure", "on", "fold", "task", "metric", "score", "low", "high", "n", "chance"),
)
"""Columns of ``missing.csv``: those of the verb's rows, and what they were made with."""


def main(arguments: list[str] | None = None) -> int:
    """Plant, hide, pretrain, score and gather; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cells.missing", description=__doc__)
    parser.add_argument("--size", type=int, default=1500, help="molecules of the corpus (1,500)")
    parser.add_argument("--epochs", type=int, default=12, help="epochs of each pretraining (12)")
    parser.add_argument("--seeds", type=int, default=1, help="seeds, from 0 (1)")
    parser.add_argument("--work", type=Path, default=_ROOT / "build" / "cells", help="folder outside git")
    parser.add_argument("-o", "--out", type=Path, default=_ROOT / "benchmarks" / "results" / "cells")
    options = parser.parse_args(arguments)
    corpus = options.work / f"planted-{options.size}-0" / "corpus"
    if not corpus.exists():
        corpus.parent.mkdir(parents=True, exist_ok=True)
        run_cytomol("corpus", "planted", "-o", corpus, "--size", options.size, "--seed", 0)
    status = 0
    for study, words in STUDIES.items():
        folder = options.work / "missing" / f"{study}-{options.size}-{options.epochs}".replace(" ", "-")
        facts = {"study": study, "molecules": options.size, "epochs": options.epochs}
        for patterns in _STAGES:
            stage = (*words, "--pattern", patterns, "--rates", _RATES, "--keep-models")
            status = max(status, _stress(corpus, folder, stage, options))
            gather(folder, options.out / "missing.csv", facts)
    return status


def _stress(corpus: Path, folder: Path, words: tuple[str, ...], options: argparse.Namespace) -> int:
    """Run the points of a study that have no rows yet; return the exit status."""
    settings = [word for setting in _SETTINGS for word in ("--set", setting)]
    resume = ["--resume"] if (folder / "missing.json").exists() else []
    table = [corpus / "assays.csv", "--split", corpus / "split.csv", "--plates", corpus / "truth" / "plates"]
    counts = ["--epochs", options.epochs, "--seeds", options.seeds]
    return run_cytomol(
        *("stress", "missing", corpus, *table, "-o", folder, *counts, *settings, *words, *resume), check=False
    )


def gather(folder: Path, path: Path, facts: dict[str, object]) -> None:
    """Put the rows of a study into the committed table, in place of those that it has of the study.

    Downstream tasks are averaged by what they follow from, structure or the cell's response.

    Parameters
    ----------
    folder
        Results of the verb.
    path
        The committed table.
    facts
        What the study is, and what it was made with.
    """
    if not (folder / "missing.csv").exists():
        return
    rows = pd.read_csv(folder / "missing.csv")
    tasks = rows["measure"] == "downstream"
    rows.loc[tasks, "task"] = rows.loc[tasks, "task"].str.split("_").str[0]
    rows["task"] = rows["task"].fillna("")
    wanted = [name for name in COLUMNS if name not in facts]
    scores = ("score", "low", "high", "n", "chance")
    keys = [name for name in wanted if name not in scores]
    rows = rows.groupby(keys, sort=False, dropna=False)[list(scores)].mean().reset_index().round(5)
    for name, value in facts.items():
        rows[name] = value
    rows = rows[list(COLUMNS)]
    if path.exists():
        before = pd.read_csv(path, keep_default_na=False, na_values={"low": [""], "high": [""]})
        rows = pd.concat([before[before["study"] != facts["study"]], rows], ignore_index=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path, force=True) as temporary:
        rows.to_csv(temporary, index=False, lineterminator="\n", float_format="%.5g")


if __name__ == "__main__":
    sys.exit(main())
