"""What averaging the runs of all seeds would give: ``python -m benchmarks.quality.averaged``.

Reads the predictions that the campaign kept for the test rows. An average costs what its runs cost together.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
from benchmarks.quality.derived import derive
from benchmarks.quality.kept import Kept
from benchmarks.quality.plan import SETS

from cytomol.assays.metrics import score_tasks

__all__ = ["COLUMNS", "main"]

_MODELS = (
    *(("cytomol-five", "cell"), ("cytomol-five-refit", "cell")),
    *(("mlp", ""), ("boosting", "")),
)
COLUMNS = ("set", "model", "variant", "metric", "seeds", "single", "averaged")


def main(arguments: list[str] | None = None) -> int:
    """Write ``averaged.csv``; return the exit status."""
    return derive("averaged", __doc__, COLUMNS, lambda options: _records(Kept(options.out)), arguments)


def _records(kept: Kept) -> Iterator[tuple[object, ...]]:
    for name in SETS:
        for model in _MODELS:
            record = _averaged(kept, name, *model)
            if record is not None:
                yield record


def _averaged(kept: Kept, name: str, model: str, variant: str) -> tuple[object, ...] | None:
    """Score the mean prediction of a model's seeds; None where fewer than two were kept."""
    seeds = kept.seeds(name, (model, variant))
    if len(seeds) < 2:
        return None
    runs = kept.tables(name, (model, variant), seeds)
    observed, predicted = runs[0]["observed"], [run["predicted"] for run in runs]
    metric = kept.metric(name)
    single = float(np.mean([score_tasks(observed, one, metric)[0] for one in predicted]))
    together, _ = score_tasks(observed, np.mean(predicted, axis=0), metric)
    return name, model, variant, metric, len(seeds), single, together


if __name__ == "__main__":
    sys.exit(main())
