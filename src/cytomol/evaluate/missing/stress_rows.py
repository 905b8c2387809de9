"""The rows of a stress test: one per figure, appended as jobs finish, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from cytomol.evaluate.job_log import JobLog

__all__ = ["COLUMNS", "NUMBERS", "StressJob", "StressRows"]


class StressJob(NamedTuple):
    """One point of a curve: what is written at once.

    Attributes
    ----------
    method, filling
        What is pretrained, and what stands in for a missing profile.
    place
        Where profiles are hidden: in "pretraining", or in "use".
    pattern, hidden, rate
        What goes missing together, in which modality ("all" for every one), and which share.
    seed
        Of pretraining and of what is hidden.
    """

    method: str
    filling: str
    place: str
    pattern: str
    hidden: str
    rate: float
    seed: int

    def __str__(self) -> str:
        where = f"{self.hidden} by {self.pattern}" if self.pattern != "random" else f"{self.hidden} at random"
        return (
            f"{self.method}, filled by {self.filling}: {self.rate:.0%} of {where} hidden in {self.place}, "
            f"seed {self.seed}"
        )


COLUMNS = (
    *StressJob._fields,
    "share",
    "measure",
    "on",
    "fold",
    "task",
    "metric",
    "score",
    "low",
    "high",
    "n",
    "chance",
    "seconds",
    "model",
    "rows",
)
"""Columns of ``missing.csv``; ``share`` is what was really hidden, ``rows`` how many rows the job has."""

NUMBERS = ("rate", "seed", "share", "score", "low", "high", "n", "chance", "seconds", "rows")


class StressRows(JobLog[StressJob]):
    """``missing.csv``: all rows of a job are on disk before the next begins."""

    columns = COLUMNS
    numbers = NUMBERS
    maker = "a stress test"

    @staticmethod
    def job_of(row: Mapping[str, str]) -> StressJob:
        """Return the job that a row belongs to."""
        words = {name: row[name] for name in ("method", "filling", "place", "pattern", "hidden")}
        return StressJob(**words, rate=float(row["rate"]), seed=int(row["seed"]))

    @staticmethod
    def cell(value: Any) -> str:
        """Return a value as the file holds it, numbers to six digits."""
        return f"{value:.6g}" if isinstance(value, float) else JobLog.cell(value)

    def read(self) -> int:
        """Read what an earlier run wrote and take out jobs that were cut; return how many those are."""
        return self.read_whole(lambda row: int(row["rows"]))

    def append_job(self, job: StressJob, rows: Iterable[Mapping[str, Any]]) -> None:
        """Append the rows of a job and wait until they are on disk."""
        given = list(rows)
        self.append({**row, **job._asdict(), "rows": len(given)} for row in given)
