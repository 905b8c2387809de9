"""The rows of a stress test: one per figure, appended as jobs finish, whole or not at all."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from cytomol.errors import InputError, OutputError
from cytomol.files import atomic_file

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


class StressRows:
    """``missing.csv``: all rows of a job are on disk before the next begins.

    Parameters
    ----------
    path
        The file; it is made with the first rows.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, str]] = []

    def read(self) -> int:
        """Read what an earlier run wrote and take out jobs that were cut; return how many those are.

        Raises
        ------
        InputError
            If the file is no table of a stress test.
        """
        if not self.path.exists():
            return 0
        text = self.path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]  # a last line without its end was cut
        reader = csv.DictReader(io.StringIO(whole))
        if reader.fieldnames is not None and tuple(reader.fieldnames) != COLUMNS:
            raise InputError(
                "is no table of a stress test", where=str(self.path), hint="choose another folder"
            )
        found = list(reader)
        there = Counter(job_of(row) for row in found)
        cut = {job_of(row) for row in found if there[job_of(row)] != int(row["rows"])}
        self.rows = [row for row in found if job_of(row) not in cut]
        if cut or whole != text:
            with atomic_file(self.path, force=True) as temporary:
                temporary.write_text(_text(self.rows, header=True), encoding="utf-8")
        return len(cut)

    def jobs(self) -> set[StressJob]:
        """Return what is done."""
        return {job_of(row) for row in self.rows}

    def of_model(self, model: str) -> list[dict[str, str]]:
        """Return the rows of one job in pretraining that was scored with a model; [] if there is none."""
        rows = [row for row in self.rows if row["model"] == model and row["place"] == "pretraining"]
        return [row for row in rows if job_of(row) == job_of(rows[0])]

    def append(self, job: StressJob, rows: Iterable[Mapping[str, Any]]) -> None:
        """Append the rows of a job and wait until they are on disk."""
        given = list(rows)
        named = [{**row, **job._asdict(), "rows": len(given)} for row in given]
        written = [{name: _cell(row[name]) for name in COLUMNS} for row in named]
        try:
            with self.path.open("ab") as handle:
                handle.write(_text(written, header=handle.tell() == 0).encode())
                handle.flush()
                os.fsync(handle.fileno())
        except OSError as error:
            raise OutputError(
                f"cannot be written: {error.strerror or error}", where=str(self.path), hint="check free space"
            ) from error
        self.rows += written

    def frame(self) -> pd.DataFrame:
        """Return all rows, numbers as numbers."""
        frame = pd.DataFrame(self.rows, columns=list(COLUMNS))
        for name in NUMBERS:
            frame[name] = pd.to_numeric(frame[name])
        return frame


def job_of(row: Mapping[str, str]) -> StressJob:
    """Return the job that a row belongs to."""
    words = {name: row[name] for name in ("method", "filling", "place", "pattern", "hidden")}
    return StressJob(**words, rate=float(row["rate"]), seed=int(row["seed"]))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _text(rows: Iterable[Mapping[str, str]], *, header: bool) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
