"""The tables that a benchmark grows as its jobs end: scores, and what stated uncertainty is worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cytomol.evaluate.coverage import coverage_file
from cytomol.evaluate.rows import Job, RowFile

__all__ = ["COVERAGE", "ROWS", "Results"]

ROWS, COVERAGE = "rows.csv", "coverage.csv"


class Results:
    """``rows.csv`` and ``coverage.csv`` of a folder: a job in the second is in the first too.

    The lock of the first is that of both. The rows of coverage are written first, those of scores say that
    the job is done; what a crash left between is taken out by the next run.

    Parameters
    ----------
    folder
        The benchmark's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.rows = RowFile(folder / ROWS)
        self.coverage = coverage_file(folder / COVERAGE)

    def append(
        self, job: Job, rows: Iterable[Mapping[str, Any]], coverage: Iterable[Mapping[str, Any]]
    ) -> bool:
        """Append all rows of a job and wait until they are on disk; False if the job is there already."""
        table = list(coverage)
        with self.rows.lock:
            if self.rows.jobs()[job]:
                return False
            if self.coverage.jobs()[job]:
                self.coverage.drop([job])
            if table:
                self.coverage.append(job, table)
            return self.rows.append(job, rows)

    def repair(self, expected: Mapping[Job, int]) -> list[str]:
        """Take out what a crash left half written, as :meth:`RowFile.repair` does; return what was done."""
        with self.rows.lock:
            said = self.rows.repair(expected)
            self.coverage.repair({})
            done = self.rows.jobs()
            self.coverage.drop([job for job in self.coverage.jobs() if job not in done])
        return said
