"""How far stacked weights are to be drawn to equal ones: ``python -m benchmarks.quality.stacking``.

Reads the predictions that the campaign kept for the valid rows, nothing of a test row. Weights are fitted on
one half of them and scored on the other, both ways, in four random divisions.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
from benchmarks.quality.derived import derive
from benchmarks.quality.kept import Kept
from benchmarks.quality.plan import SETS

from cytomol.assays.metrics import metrics, score_tasks
from cytomol.evaluate.rows import Job
from cytomol.learners.stack_weights import stack, weighted_mean

__all__ = ["COLUMNS", "main"]

COLUMNS = ("set", "values", "members", "draw", "score")
_MEMBERS = (("mlp", ""), ("mlp-embedding", "cell"), ("boosting", ""), ("kernel", ""), ("forest", ""))
_DRAWS = (1.0, 3.0, 10.0, 30.0, 100.0, 200.0, 400.0, 1000.0, 10000.0)


def main(arguments: list[str] | None = None) -> int:
    """Write ``stacking.csv``: set, values, members, draw (times 1 / n) and score; return the exit status."""
    return derive(
        "stacking", __doc__, COLUMNS, lambda options: _records(Kept(options.out)), arguments, form="%.5g"
    )


def _records(kept: Kept) -> Iterator[tuple[object, ...]]:
    for name in SETS:
        yield from _of_set(kept, name)


def _of_set(kept: Kept, name: str) -> list[tuple[object, ...]]:
    there = [member for member in _MEMBERS if 0 in kept.seeds(name, member)]
    tables = [kept.read(Job(name, model, 0, variant), "valid") for model, variant in there]
    if len(tables) < 2:
        return []
    members, labels = np.stack([table["predicted"] for table in tables]), tables[0]["observed"]
    labels = np.where(np.isnan(members).any(axis=0), np.nan, labels)  # a row may be no molecule
    metric = kept.metric(name)
    kind = metrics[metric].kind
    records = []
    for draw in _DRAWS:
        scores = []
        for seed in range(4):
            half = np.random.default_rng(seed).permutation(len(labels)) < len(labels) // 2
            held = np.full(labels.shape, np.nan)
            for fitted, scored in ((half, ~half), (~half, half)):
                ridge = draw / max(1, (~np.isnan(labels[fitted])).sum())
                weights = stack(members[:, fitted], labels[fitted], kind, ridge=ridge)
                held[scored] = weighted_mean(members[:, scored], weights, kind)
            scores.append(score_tasks(labels, held, metric)[0])
        records.append((name, int((~np.isnan(labels)).sum()), len(tables), draw, np.mean(scores)))
    return records


if __name__ == "__main__":
    sys.exit(main())
