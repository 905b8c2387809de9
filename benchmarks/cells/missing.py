"""What is left of a model as profiles go missing: ``python -m benchmarks.cells.missing``, resumable.

``cytomol stress missing`` on a planted corpus, whose plates are known: every filling of CHMR, at random
first, then by scaffold and by plate; once more decoded from profiles alone, for imputation in use; and on a
slice of the real corpus, molecules with Cell Painting of CDRP alone (``--study real``).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.cells.ground import REAL_MODALITY
from benchmarks.quality.backbones import corpus_folder
from benchmarks.quality.planted import run_cytomol

from cytomol.corpus import Corpus, read_corpus
from cytomol.corpus.write import write_corpus
from cytomol.files import atomic_file
from cytomol.training.dataset.exclude import molecule_groups

__all__ = ["COLUMNS", "STUDIES", "Study", "gather", "main", "real_slice"]

_ROOT = Path(__file__).resolve().parents[2]
# Small on purpose, for a point of a curve is a pretraining: fingerprints alone, and many steps over few.
_SETTINGS = ("views=1d", "width=64", "batch_size=64", "lr=0.002", "threads=1", "workers=1")
_RANDOM = ("--pattern", "random", "--rates", "0,50,90,100")
# nothing and all are the same however they are chosen
_TOGETHER = ("--pattern", "scaffold,plate", "--rates", "50,90")


@dataclass(frozen=True)
class Study:
    """One folder of results.

    Attributes
    ----------
    corpus
        "planted" or "real".
    words
        Words of the verb beside those that all studies share.
    stages
        Further words; the first is whole before the second begins, of all studies that are run.
    """

    corpus: str
    words: tuple[str, ...] = ()
    stages: tuple[tuple[str, ...], ...] = (_RANDOM, _TOGETHER)


STUDIES: dict[str, Study] = {
    "planted": Study("planted"),
    "planted, decoded from profiles": Study("planted", ("--place", "use", "--set", "decode_from=modality")),
    "real": Study("real", stages=(_RANDOM, ("--pattern", "scaffold", "--rates", "50,90"))),
}
"""What is run, by name."""

COLUMNS = (
    *("study", "molecules", "epochs", "place", "pattern", "hidden", "rate", "share", "filling", "seed"),
    *("measure", "on", "fold", "task", "metric", "score", "low", "high", "n", "chance"),
)
"""Columns of ``missing.csv``: those of the verb's rows, and what they were made with."""


def main(arguments: list[str] | None = None) -> int:
    """Plant or cut, hide, pretrain, score and gather; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cells.missing", description=__doc__)
    parser.add_argument("--study", nargs="+", choices=("planted", "real"), default=("planted", "real"))
    parser.add_argument("--size", type=int, default=1500, help="molecules of the corpus (1,500)")
    parser.add_argument("--epochs", type=int, default=12, help="epochs of each pretraining (12)")
    parser.add_argument("--seeds", type=int, default=1, help="seeds, from 0 (1)")
    parser.add_argument("--gather", action="store_true", help="only gather what is there")
    parser.add_argument("--work", type=Path, default=_ROOT / "build" / "cells", help="folder outside git")
    parser.add_argument("-o", "--out", type=Path, default=_ROOT / "benchmarks" / "results" / "cells")
    options = parser.parse_args(arguments)
    status = 0
    for name, study, stage in _plan(options.study):
        folder = options.work / "missing" / f"{name}-{options.size}-{options.epochs}".replace(" ", "-")
        if not options.gather:
            words = (*study.words, *stage, "--keep-models")
            status = max(status, _stress(study.corpus, folder, words, options))
        facts = {"study": name, "molecules": options.size, "epochs": options.epochs}
        gather(folder, options.out / "missing.csv", facts)
    return status


def _plan(corpora: list[str]) -> Iterator[tuple[str, Study, tuple[str, ...]]]:
    """Yield what to run: the first stage of all studies, then the next."""
    for number in range(max(len(study.stages) for study in STUDIES.values())):
        for name, study in STUDIES.items():
            if study.corpus in corpora and number < len(study.stages):
                yield name, study, study.stages[number]


def _stress(kind: str, folder: Path, words: tuple[str, ...], options: argparse.Namespace) -> int:
    """Run the points of a study that have no rows yet; return the exit status."""
    corpus = options.work / f"{kind}-{options.size}-0" / "corpus"
    if not corpus.exists():
        corpus.parent.mkdir(parents=True, exist_ok=True)
        if kind == "planted":
            run_cytomol("corpus", "planted", "-o", corpus, "--size", options.size, "--seed", 0)
        else:
            write_corpus(real_slice(read_corpus(corpus_folder()), options.size), corpus)
    settings = [word for setting in _SETTINGS for word in ("--set", setting)]
    resume = ["--resume"] if (folder / "missing.json").exists() else []
    table: list[object] = ["chembl2k"]
    if kind == "planted":
        table = [corpus / "assays.csv", "--split", corpus / "split.csv"]
        table += ["--plates", corpus / "truth" / "plates"]
    counts = ["--epochs", options.epochs, "--seeds", options.seeds]
    return run_cytomol(
        *("stress", "missing", corpus, *table, "-o", folder, *counts, *settings, *words, *resume), check=False
    )


def real_slice(corpus: Corpus, size: int) -> Corpus:
    """Return about ``size`` molecules of the real corpus with Cell Painting of CDRP, and nothing else of it.

    Connectivities are drawn at random (seed 0), each with all its forms.
    """
    modality = corpus.modalities[REAL_MODALITY]
    groups = molecule_groups(corpus)
    named, sizes = np.unique(groups[modality.rows], return_counts=True)
    order = np.random.default_rng(0).permutation(len(named))
    taken = named[order[np.cumsum(sizes[order]) <= size]]
    profiled = np.zeros(len(corpus), np.bool_)
    profiled[modality.rows] = True
    keep = profiled & np.isin(groups, taken)
    place = np.cumsum(keep) - 1
    kept = modality.take(keep[modality.rows])
    return Corpus(
        molecules=corpus.molecules[keep].reset_index(drop=True),
        genes=corpus.genes[:0],
        modalities={REAL_MODALITY: replace(kept, rows=place[kept.rows])},
    )


def gather(folder: Path, path: Path, facts: dict[str, object]) -> None:
    """Put the rows of a study into the committed table, in place of those that it has of the study.

    Downstream tasks are averaged; on a planted corpus by what they follow from, structure or the cell's
    response.

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
    driver = rows["task"].astype(str).str.split("_").str[0]
    rows.loc[tasks, "task"] = driver.where(driver.isin(("structure", "response")), "all")[tasks]
    rows["task"] = rows["task"].fillna("")
    wanted = [name for name in COLUMNS if name not in facts]
    scores = ["score", "low", "high", "n", "chance"]
    keys = [name for name in wanted if name not in scores]
    rows = rows.groupby(keys, sort=False, dropna=False)[scores].mean().reset_index()
    for name, value in facts.items():
        rows[name] = value
    rows = rows[list(COLUMNS)]
    if path.exists():
        before = pd.read_csv(path, keep_default_na=False, na_values={name: [""] for name in scores})
        rows = pd.concat([before[before["study"] != facts["study"]], rows], ignore_index=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path, force=True) as temporary:
        rows.to_csv(temporary, index=False, lineterminator="\n", float_format="%.5g")


if __name__ == "__main__":
    sys.exit(main())
