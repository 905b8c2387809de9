"""What averaging the runs of all seeds would give: ``python -m benchmarks.quality.averaged``.

Reads the predictions that the campaign kept for the test rows. An average costs what its runs cost together.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.quality.kept import Kept
from benchmarks.quality.plan import SETS

from cytomol.errors import CytomolError
from cytomol.files import atomic_file
from cytomol.predict.metrics import score_tasks

__all__ = ["COLUMNS", "main"]

_ROOT = Path(__file__).resolve().parents[2]
_MODELS = (("cytomol", "cell"), ("cytomol-refit", "cell"), ("mlp", ""), ("boosting", ""))
COLUMNS = ("set", "model", "variant", "metric", "seeds", "single", "averaged")


def main(arguments: list[str] | None = None) -> int:
    """Write ``averaged.csv``; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.averaged", description=__doc__)
    parser.add_argument("--out", type=Path, default=_ROOT / "benchmarks" / "results" / "quality")
    options = parser.parse_args(arguments)
    kept = Kept(options.out)
    try:
        found = [_averaged(kept, name, *model) for name in SETS for model in _MODELS]
    except CytomolError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    records = [record for record in found if record is not None]
    if not records:
        print("error: no predictions of two seeds were kept; run the campaign first", file=sys.stderr)
        return 2
    with atomic_file(options.out / "averaged.csv", force=True) as temporary:
        table = pd.DataFrame(records, columns=list(COLUMNS))
        table.to_csv(temporary, index=False, lineterminator="\n", float_format="%.6g")
    return 0


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
