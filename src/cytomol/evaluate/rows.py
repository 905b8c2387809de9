"""The raw rows of a benchmark: one per job, fold and task, appended as jobs finish."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cytomol.errors import InputError, OutputError
from cytomol.files import Lock, atomic_file

__all__ = ["COLUMNS", "TEXT", "Job", "RowFile", "read_rows", "read_table_of"]

COLUMNS = (
    "set",
    "model",
    "seed",
    "fold",
    "task",
    "metric",
    "score",
    "n",
    "positives",
    "seconds_fit",
    "seconds_predict",
    "seconds_features",
    "peak_mb",
    "version",
    "commit",
    "variant",
)
"""Columns of ``rows.csv``."""

TEXT = frozenset({"set", "model", "fold", "task", "metric", "version", "commit", "variant"})


@dataclass(frozen=True, order=True)
class Job:
    """One fit: a model learns a set from a seed.

    Attributes
    ----------
    set, model, seed
        Which.
    variant
        What else distinguishes it from jobs of the same names.
    """

    set: str
    model: str
    seed: int
    variant: str = ""

    def __str__(self) -> str:
        variant = f" ({self.variant})" if self.variant else ""
        return f"{self.set} {self.model}{variant} seed {self.seed}"

    @property
    def stem(self) -> str:
        """Name of the job's files, without suffix."""
        return f"{self.set}.{self.model}.{self.variant}.{self.seed}"


def read_rows(path: Path) -> pd.DataFrame:
    """Read ``rows.csv``; empty cells of text columns are "", of numbers NaN.

    Raises
    ------
    InputError
        If it is absent, is no table of rows, or holds a cell that is no number.
    """
    return read_table_of(path, COLUMNS, TEXT)


def read_table_of(path: Path, columns: Sequence[str], text: Collection[str]) -> pd.DataFrame:
    """Read a table of a benchmark: see :func:`read_rows`.

    Parameters
    ----------
    path
        The file.
    columns
        Columns that it must have, ``seed`` among them.
    text
        Those of them that are no numbers.
    """
    if not path.is_file():
        raise InputError("no rows of a benchmark here", where=str(path), hint="run cytomol benchmark first")
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"is no table of rows: {error}", where=str(path)) from None
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise InputError(f"has no column {missing[0]!r}", where=str(path))
    for name in columns:
        if name not in text:
            frame[name] = _numbers(frame[name], path)
    frame["seed"] = frame["seed"].astype(int)
    return frame


def _numbers(cells: pd.Series[str], path: Path) -> pd.Series[float]:
    numbers = pd.Series([_number(cell) for cell in cells], dtype=float, index=cells.index)
    wrong = numbers.isna() & (cells != "") if cells.name != "seed" else numbers.isna()
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise InputError(
            f"{cells.iloc[row]!r} is not a number", where=f"{path}, row {row + 1}, column {cells.name!r}"
        )
    return numbers


def _number(cell: str) -> float:
    """Return the very number that was written (pandas may miss its last bit, which breaks ties of ranks)."""
    try:
        return float(cell)
    except ValueError:
        return float("nan")


class RowFile:
    """``rows.csv`` of a benchmark's folder, safe when a run is killed and when several runs write.

    Parameters
    ----------
    path
        The file; it is made with the first rows.
    columns, text
        Its columns, and those of them that are no numbers.

    Attributes
    ----------
    lock
        Held while the file is changed; it may be taken again by who holds it.
    """

    def __init__(self, path: Path, columns: Sequence[str] = COLUMNS, text: Collection[str] = TEXT) -> None:
        self.path = path
        self.columns = tuple(columns)
        self.lock = Lock(path.with_name(f".{path.name}.lock"), f"another process is at work on {path.name}")
        self._text = text

    def jobs(self) -> Counter[Job]:
        """Return how many rows each job has."""
        if not self.path.exists():
            return Counter()
        frame = read_table_of(self.path, self.columns, self._text)
        keys = zip(frame["set"], frame["model"], frame["seed"], frame["variant"], strict=True)
        return Counter(Job(*key) for key in keys)

    def append(self, job: Job, rows: Iterable[Mapping[str, Any]]) -> bool:
        """Append all rows of a job and wait until they are on disk; False if the job is there already."""
        text = self._lines(list(rows))
        try:
            with self.lock:
                if self.jobs()[job]:
                    return False
                with self.path.open("ab") as handle:
                    if handle.tell() == 0:
                        text = ",".join(self.columns) + "\n" + text
                    handle.write(text.encode())
                    handle.flush()
                    os.fsync(handle.fileno())
        except OSError as error:
            raise OutputError(
                f"cannot be written: {error.strerror or error}", where=str(self.path), hint="check free space"
            ) from error
        return True

    def repair(self, expected: Mapping[Job, int]) -> list[str]:
        """Take out what a crash left half written; return what was done, a sentence each.

        Parameters
        ----------
        expected
            Rows that each job has when it is whole. Rows of other jobs are left alone.
        """
        if not self.path.exists():
            return []
        said: list[str] = []
        with self.lock:
            data = self.path.read_bytes()
            if data and not data.endswith(b"\n"):
                self._replace(data[: data.rfind(b"\n") + 1])
                said.append("the last row was cut off by a crash and is taken out")
            if not self.path.stat().st_size:
                self.path.unlink()
                return said
            torn = [job for job, count in self.jobs().items() if count < expected.get(job, 0)]
            self.drop(torn)
            said += [f"{job}: only a part of its rows was written; it runs again" for job in torn]
        return said

    def drop(self, jobs: Collection[Job]) -> None:
        """Write the file again without some jobs, every other line as it was."""
        if not jobs:
            return
        content = self.path.read_text(encoding="utf-8")
        records = list(csv.reader(io.StringIO(content)))
        at = [records[0].index(name) for name in ("set", "model", "seed", "variant")]
        gone = {(job.set, job.model, str(job.seed), job.variant) for job in jobs}
        kept = io.StringIO()
        csv.writer(kept, lineterminator="\n").writerows(
            record for record in records if tuple(record[i] for i in at) not in gone
        )
        self._replace(kept.getvalue().encode())

    def _replace(self, data: bytes) -> None:
        with atomic_file(self.path, force=True) as temporary:
            temporary.write_bytes(data)

    def _lines(self, rows: Sequence[Mapping[str, Any]]) -> str:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for row in rows:
            writer.writerow(["" if row[name] is None else row[name] for name in self.columns])
        return text.getvalue()
