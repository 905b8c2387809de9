"""Test molecules with a stereoisomer in train, scored apart: ``python -m benchmarks.quality.stereo``.

A scaffold split does not keep the stereoisomers of a molecule together, so that a model may have learnt the
labels of a test molecule's mirror image. Reads the predictions that the campaign kept; the models of
``AGAIN`` that it kept none of are run again, in the folder outside git, one job and one thread at a time.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from benchmarks.quality.derived import derive
from benchmarks.quality.kept import Kept, Table
from benchmarks.quality.plan import cells
from benchmarks.quality.plugins import PLUGINS, reach_jobs
from numpy.typing import NDArray

from cytomol.assays.metrics import score_tasks
from cytomol.evaluate.rows import Job
from cytomol.evaluate.runner import Benchmark, run_benchmark
from cytomol.evaluate.sets import BenchmarkSet, SetSource, load_set

__all__ = ["AGAIN", "ALL", "COLUMNS", "ONLY", "SET", "WITHOUT", "main", "parts", "stereoisomer_in_train"]

SET = "broad6k"
ALL, WITHOUT, ONLY = "all", "without", "only"
COLUMNS = ("set", "model", "variant", "seed", "rows", "metric", "score", "shared", "molecules", "tasks")
"""``score``: mean over the ``tasks`` that have both classes in these rows; ``shared``: over those tasks that
have both in all three groups of rows, so that the groups are compared on the same tasks."""

AGAIN = {"forest": 1, "mlp": 5, "mlp-one": 5, "cytomol-five-plain": 1}
"""Models that are run again where no predictions were kept, and their seeds: few where one takes minutes."""

_SEEDS = 5


def main(arguments: list[str] | None = None) -> int:
    """Write ``stereo.csv``; return the exit status."""
    return derive("stereo", __doc__, COLUMNS, _records, arguments)


def stereoisomer_in_train(data: BenchmarkSet) -> NDArray[np.bool_]:
    """Return which rows are of the connectivity (first block of the InChIKey) of a train row, shape (n,)."""
    from cytomol.chem.keys import connectivity_block, inchikey
    from cytomol.chem.parse import parse_smiles

    molecules = (parse_smiles(text).mol for text in data.smiles)
    blocks = np.array(["" if mol is None else connectivity_block(inchikey(mol)) for mol in molecules])
    shares: NDArray[np.bool_] = np.isin(blocks, blocks[data.folds == "train"]) & (blocks != "")
    return shares


def parts(table: Table, shares: NDArray[np.bool_], metric: str) -> Iterator[tuple[object, ...]]:
    """Score kept predictions on all their rows, without and only those that are marked.

    Parameters
    ----------
    table
        Predictions of a fold.
    shares
        Marks of all rows of the set, shape (n,).
    metric
        That counts on the set.

    Yields
    ------
    tuple
        ``rows``, ``metric``, ``score``, ``shared``, ``molecules`` and ``tasks``.
    """
    marked = shares[table["index"]]
    groups = {ALL: np.ones(len(marked), dtype=bool), WITHOUT: ~marked, ONLY: marked}
    scores = {
        name: score_tasks(table["observed"][inside], table["predicted"][inside], metric)[1]
        for name, inside in groups.items()
    }
    everywhere = ~np.isnan(np.stack(list(scores.values()))).any(axis=0)
    for name, inside in groups.items():
        own = scores[name][~np.isnan(scores[name])]
        mean, shared = (float(x.mean()) if len(x) else np.nan for x in (own, scores[name][everywhere]))
        yield name, metric, mean, shared, int(inside.sum()), len(own)


def _records(options: argparse.Namespace) -> Iterator[tuple[object, ...]]:
    data = load_set(SET)
    shares, test = stereoisomer_in_train(data), data.folds == "test"
    print(
        f"{SET}: {(shares & test).sum()} of {test.sum()} test rows have a stereoisomer in train", flush=True
    )
    for name, model, variant, _ in cells(_SEEDS):
        if name != SET:
            continue
        kept = Kept(options.out)
        seeds: Sequence[int] = kept.seeds(SET, (model, variant))
        if not seeds and not variant and model in AGAIN:
            kept, seeds = _run(model, options.work / "stereo")
        for seed in seeds:
            table = kept.read(Job(SET, model, seed, variant), "test")
            for record in parts(table, shares, kept.metric(SET)):
                yield SET, model, variant, seed, *record


def _run(model: str, folder: Path) -> tuple[Kept, list[int]]:
    """Run the seeds of a model that have no rows in a folder yet; return what it holds of it."""
    reach_jobs()
    benchmark = Benchmark(
        out=folder,
        sources=[SetSource(SET)],
        models=[model],
        seeds=range(AGAIN[model]),
        threads=1,
        keep_predictions=True,
        plugins=PLUGINS,
        coverage=False,
    )
    failures = run_benchmark(benchmark, resume=True, say=lambda text: print(f"  {text}", flush=True))
    for failure in failures:
        print(f"failed: {failure.job}: {failure.reason} (log: {failure.log})", file=sys.stderr)
    kept = Kept(folder)
    return kept, kept.seeds(SET, (model, ""))


if __name__ == "__main__":
    sys.exit(main())
