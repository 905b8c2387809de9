"""Ours against each baseline with test molecules drawn again: ``python -m benchmarks.quality.molecules``.

For sets of fewer than five tasks, whose seeds alone would say nothing of other molecules. Reads the
predictions that the campaign kept.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
from benchmarks.quality.derived import derive
from benchmarks.quality.kept import Kept
from benchmarks.quality.resampled import molecule_interval
from benchmarks.quality.rows import OURS, Rows

from cytomol.evaluate.significance import FEWEST_DRAWN

__all__ = ["COLUMNS", "main"]

COLUMNS = ("set", "first", "second", "metric", "low", "high", "seeds", "molecules")


def main(arguments: list[str] | None = None) -> int:
    """Write ``molecules.csv``; return the exit status."""
    return derive(
        "molecules",
        __doc__,
        COLUMNS,
        lambda options: _intervals(Rows.read(options.out), Kept(options.out)),
        arguments,
    )


def _intervals(rows: Rows, kept: Kept) -> Iterator[tuple[object, ...]]:
    """Yield a record for each set of few tasks and baseline with predictions of a seed that ours has too."""
    labels = rows.scores.drop_duplicates("label")
    names = {row.label: (str(row.model), str(row.variant)) for row in labels.itertuples()}
    for name in rows.sets:
        tasks = rows.scores.loc[rows.scores["set"] == name, "task"].nunique()
        if tasks >= FEWEST_DRAWN or OURS not in names:
            continue
        for label in rows.baselines():
            pair = (names[OURS], names[label])
            seeds = kept.seeds(name, *pair)
            if not seeds:
                continue
            ours, theirs = (kept.tables(name, model, seeds) for model in pair)
            observed, metric = ours[0]["observed"], kept.metric(name)
            sides = ([table["predicted"] for table in side] for side in (ours, theirs))
            interval = molecule_interval(observed, *sides, metric)
            molecules = int((~np.isnan(observed)).any(axis=1).sum())
            yield name, OURS, label, metric, *interval, len(seeds), molecules


if __name__ == "__main__":
    sys.exit(main())
