"""The results of an ablation: one row per variant, seed, set, fold and task; and their summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from cytomol.evaluate.job_log import JobLog
from cytomol.evaluate.variants import FULL

__all__ = ["COLUMNS", "AblationRows", "Unit", "summarize_ablation"]

COLUMNS = (
    "study",
    "variant",
    "method",
    "seed",
    "set",
    "fold",
    "task",
    "metric",
    "score",
    "seconds_pretrain",
    "seconds_finetune",
    "model",
)
"""Columns of ``ablation.csv``; ``model`` is the key of the options that were pretrained with."""


class Unit(NamedTuple):
    """What is written at once: the scores of one variant and seed on one set."""

    study: str
    variant: str
    method: str
    seed: str
    set: str


class AblationRows(JobLog[Unit]):
    """``ablation.csv``: rows are appended and on disk before the next unit begins."""

    columns = COLUMNS
    numbers = ("seed", "score", "seconds_pretrain", "seconds_finetune")
    maker = "an ablation"

    @staticmethod
    def job_of(row: Mapping[str, str]) -> Unit:
        """Return the unit that a row belongs to."""
        return Unit(row["study"], row["variant"], row["method"], row["seed"], row["set"])

    def read(self, expected: Mapping[str, int]) -> int:
        """Read what an earlier run wrote and take out units that were cut; return how many those are.

        Parameters
        ----------
        expected
            Rows of a whole unit, by set; units of other sets are taken as they are.
        """
        return self.read_whole(lambda row: expected.get(row["set"], 0))


def summarize_ablation(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over tasks; of it mean and standard deviation over seeds, and difference from full.

    Parameters
    ----------
    rows
        As :meth:`AblationRows.frame` gives them.

    Returns
    -------
    One row per study, method, variant, set and fold, in order of appearance. ``std`` is empty for one seed;
    ``difference`` compares the seeds that the variant and the full method of its study share.
    """
    names = ["study", "method", "variant", "set", "fold", "metric"]
    tasks = rows.groupby([*names, "seed"], sort=False)["score"].mean().reset_index()
    full = tasks[tasks["variant"] == FULL].drop(columns=["variant", "metric"])
    shared = ["study", "method", "set", "fold", "seed"]
    tasks = tasks.merge(full, on=shared, how="left", suffixes=("", "_full"))
    tasks["difference"] = tasks["score"] - tasks["score_full"]
    summary = tasks.groupby(names, sort=False).agg(
        seeds=("seed", "size"),
        mean=("score", "mean"),
        std=("score", "std"),
        difference=("difference", "mean"),
    )
    return summary.reset_index()
