"""The predictions that the campaign kept, held against the rows of their jobs before they are believed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.raw_rows import read_rows
from numpy.typing import NDArray

from cytomol.assays.metrics import score_tasks
from cytomol.errors import InputError
from cytomol.evaluate.rows import Job

__all__ = ["Kept", "Table"]

Table = dict[str, NDArray[Any]]
"""Arrays by name: ``index``, ``predicted`` and ``observed`` of rows."""

_TOLERANCE = 1e-4
_MOST_SEEDS = 100


class Kept:
    """Reads kept predictions.

    Parameters
    ----------
    folder
        Folder of the campaign, with raw rows and ``predictions``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._believed: set[tuple[Job, str]] = set()

    def metric(self, name: str) -> str:
        """Return the metric that counts on a set, as its rows have it."""
        if name not in self._rows.index:
            raise InputError(f"has no rows of {name}", where=str(self.folder), hint="run the set")
        return str(self._rows["metric"].loc[name].iloc[0])

    def seeds(self, name: str, *models: tuple[str, str]) -> list[int]:
        """Return the seeds of which the predictions of all models (name, variant) on a set were kept."""
        return [
            seed
            for seed in range(_MOST_SEEDS)
            if all(self._path(Job(name, model, seed, variant)).is_file() for model, variant in models)
        ]

    def read(self, job: Job, fold: str) -> Table:
        """Return ``index``, ``predicted`` and ``observed`` of the rows of a fold; NaN where not answered.

        Raises
        ------
        InputError
            If they do not score what the job's rows say: they are of another run.
        """
        with np.load(self._path(job), allow_pickle=False) as table:
            inside = table["fold"] == fold
            kept = {key: table[key][inside] for key in ("index", "predicted", "observed")}
        # a row may be no molecule
        kept["observed"] = np.where(np.isnan(kept["predicted"]), np.nan, kept["observed"])
        if (job, fold) not in self._believed:
            self._compare(kept, job, fold)
            self._believed.add((job, fold))
        return kept

    def tables(self, name: str, model: tuple[str, str], seeds: Sequence[int]) -> list[Table]:
        """Return the test fold of a model (name, variant), as :meth:`read` does, seed by seed."""
        return [self.read(Job(name, model[0], seed, model[1]), "test") for seed in seeds]

    def _compare(self, kept: Table, job: Job, fold: str) -> None:
        key = (job.set, job.model, job.variant, job.seed, fold)
        stated = self._rows["score"].loc[[key]].mean() if key in self._rows.index else np.nan
        found, _ = score_tasks(kept["observed"], kept["predicted"], self.metric(job.set))
        if not abs(found - stated) < _TOLERANCE:
            raise InputError(
                f"scores {found:.5f} on the {fold} fold, but the job's rows say {stated:.5f}",
                where=str(self._path(job)),
                hint="remove the file and the job's rows, and run it again",
            )

    @cached_property
    def _rows(self) -> pd.DataFrame:
        rows = read_rows(self.folder)
        return rows.set_index(["set", "model", "variant", "seed", "fold"]).sort_index()

    def _path(self, job: Job) -> Path:
        return self.folder / "predictions" / f"{job.stem}.npz"
