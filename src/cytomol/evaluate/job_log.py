"""A table that grows job by job: all rows of a job are on disk before the next begins."""

from __future__ import annotations

import csv
import io
import os
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import pandas as pd

from cytomol.errors import InputError, OutputError
from cytomol.files import atomic_file
from cytomol.tables.number_texts import as_numbers

__all__ = ["JobLog"]

Key = TypeVar("Key", bound=Hashable)


class JobLog(ABC, Generic[Key]):
    """A CSV file of results to which one process appends.

    Parameters
    ----------
    path
        The file; it is made with the first rows.

    Attributes
    ----------
    columns
        Its columns.
    numbers
        Those that hold numbers.
    maker
        What makes it, as messages have it with its article: "an ablation".
    """

    columns: ClassVar[tuple[str, ...]]
    numbers: ClassVar[tuple[str, ...]]
    maker: ClassVar[str]

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, str]] = []

    @staticmethod
    @abstractmethod
    def job_of(row: Mapping[str, str]) -> Key:
        """Return the job that a row belongs to."""

    def jobs(self) -> set[Key]:
        """Return what is done."""
        return {self.job_of(row) for row in self.rows}

    def first_job(self, **values: str) -> list[dict[str, str]]:
        """Return the rows with these values that are of one job, the first that has some; [] if none has."""
        rows = [row for row in self.rows if all(row[name] == value for name, value in values.items())]
        return [row for row in rows if self.job_of(row) == self.job_of(rows[0])]

    def read_whole(self, expected: Callable[[Mapping[str, str]], int]) -> int:
        """Read what an earlier run wrote and take out jobs that were cut; return how many those are.

        Parameters
        ----------
        expected
            Returns of any row of a job how many rows the job has when it is whole.

        Raises
        ------
        InputError
            If the file is no such table.
        """
        if not self.path.exists():
            return 0
        text = self.path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]  # a last line without its end was cut
        reader = csv.DictReader(io.StringIO(whole))
        if reader.fieldnames is not None and tuple(reader.fieldnames) != self.columns:
            raise InputError(
                f"is no table of {self.maker}", where=str(self.path), hint="choose another folder"
            )
        found = list(reader)
        sizes = Counter(self.job_of(row) for row in found)
        cut = {job for row in found if sizes[job := self.job_of(row)] < expected(row)}
        self.rows = [row for row in found if self.job_of(row) not in cut]
        if cut or whole != text:
            with atomic_file(self.path, force=True) as temporary:
                temporary.write_text(self._text(self.rows, header=True), encoding="utf-8")
        return len(cut)

    def append(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Append rows and wait until they are on disk."""
        written = [{name: self.cell(row[name]) for name in self.columns} for row in rows]
        try:
            with self.path.open("ab") as handle:
                handle.write(self._text(written, header=handle.tell() == 0).encode())
                handle.flush()
                os.fsync(handle.fileno())
        except OSError as error:
            raise OutputError(
                f"cannot be written: {error.strerror or error}", where=str(self.path), hint="check free space"
            ) from error
        self.rows += written

    def frame(self) -> pd.DataFrame:
        """Return all rows, numbers as numbers."""
        frame = pd.DataFrame(self.rows, columns=list(self.columns))
        for name in self.numbers:
            frame[name] = as_numbers(frame[name])
        return frame

    @staticmethod
    def cell(value: Any) -> str:
        """Return a value as the file holds it; None as nothing."""
        return "" if value is None else str(value)

    def _text(self, rows: Iterable[Mapping[str, str]], *, header: bool) -> str:
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, lineterminator="\n")
        if header:
            writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()
