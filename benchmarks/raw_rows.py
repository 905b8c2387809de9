"""The raw rows of the quality campaign: compressed Parquet at rest, CSV while a campaign appends to them.

A campaign appends its rows to ``rows.csv`` and ``coverage.csv``, where a row is safe on disk as soon as its
job ends. When it stops, the rows move to ``rows.parquet`` and ``coverage.parquet``, a sixteenth of the size,
which are what is committed. After a crash both may be there; readers take the rows of both.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from cytomol.errors import InputError
from cytomol.evaluate.coverage import COVERAGE_COLUMNS, COVERAGE_TEXT
from cytomol.evaluate.results import Results
from cytomol.evaluate.rows import COLUMNS, TEXT
from cytomol.files import atomic_file

__all__ = ["COVERAGE", "ROWS", "RawTable", "growing", "pack", "read_coverage", "read_rows", "unpack"]

_WHOLE = frozenset({"seed", "n", "positives", "tasks"})
_JOB = ["set", "model", "seed", "variant"]


@dataclass(frozen=True)
class RawTable:
    """One table of raw rows.

    Attributes
    ----------
    name
        Name of its files, without suffix.
    columns
        Its columns.
    text
        Those of them that are no numbers.
    """

    name: str
    columns: tuple[str, ...]
    text: frozenset[str]

    def is_in(self, folder: Path) -> bool:
        """Say whether a folder has rows of this table."""
        return any((folder / f"{self.name}{suffix}").is_file() for suffix in (".parquet", ".csv"))

    @property
    def schema(self) -> pa.Schema:
        """Types of the columns in the Parquet file."""
        return pa.schema([(column, self._type(column)) for column in self.columns])

    def _type(self, column: str) -> pa.DataType:
        if column in self.text:
            return pa.string()
        return pa.int64() if column in _WHOLE else pa.float64()


ROWS = RawTable("rows", COLUMNS, TEXT)
"""Scores: a row for each job, fold and task."""

COVERAGE = RawTable("coverage", COVERAGE_COLUMNS, COVERAGE_TEXT)
"""What the stated uncertainty is worth: a row for each job and stated coverage."""


def read_rows(folder: Path) -> pd.DataFrame:
    """Read the scores of a campaign; empty cells of text columns are "", of numbers NaN.

    Raises
    ------
    InputError
        If there are none, or a file is no table of them.
    """
    return _frame(folder, ROWS)


def read_coverage(folder: Path) -> pd.DataFrame:
    """Read what the uncertainty of a campaign's models is worth, as :func:`read_rows` reads scores."""
    return _frame(folder, COVERAGE)


def pack(folder: Path) -> None:
    """Move the rows of a campaign from CSV to Parquet."""
    with Results(folder).rows.lock:
        for raw in (COVERAGE, ROWS):
            path = folder / f"{raw.name}.csv"
            if not path.is_file():
                continue
            table = _merged(folder, raw)
            with atomic_file(folder / f"{raw.name}.parquet", force=True) as temporary:
                parquet.write_table(table, temporary, compression="zstd", compression_level=19)
            path.unlink()


def unpack(folder: Path) -> None:
    """Write the rows of a campaign as CSV, so that a benchmark can go on with them."""
    if not any((folder / f"{raw.name}.parquet").is_file() for raw in (ROWS, COVERAGE)):
        return
    with Results(folder).rows.lock:
        for raw in (COVERAGE, ROWS):
            if not (folder / f"{raw.name}.parquet").is_file():
                continue
            text = io.StringIO()
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(raw.columns)
            writer.writerows(zip(*_merged(folder, raw).to_pydict().values(), strict=True))
            with atomic_file(folder / f"{raw.name}.csv", force=True) as temporary:
                temporary.write_text(text.getvalue(), encoding="utf-8")


@contextmanager
def growing(folder: Path) -> Iterator[None]:
    """Keep the rows of a campaign as CSV within the block, and as Parquet after it."""
    unpack(folder)
    try:
        yield
    finally:
        if folder.is_dir():
            pack(folder)


def _frame(folder: Path, raw: RawTable) -> pd.DataFrame:
    frame = _merged(folder, raw).to_pandas()
    for column in raw.columns:
        if column == "seed":
            frame[column] = frame[column].astype(int)
        elif column not in raw.text:
            frame[column] = frame[column].astype(float)
    return frame


def _merged(folder: Path, raw: RawTable) -> pa.Table:
    """Return the rows at rest, then those appended since; of a job that has both, the latter."""
    rest, since = folder / f"{raw.name}.parquet", folder / f"{raw.name}.csv"
    parts = [_from_parquet(rest, raw)] if rest.is_file() else []
    if since.is_file():
        new = _from_csv(since, raw)
        if parts:
            again = _jobs(parts[0]).isin(_jobs(new))
            parts = [parts[0].filter(pa.array(~again))]
        parts.append(new)
    if not parts:
        raise InputError(f"has no {raw.name}.parquet", where=str(folder), hint="run the campaign first")
    return pa.concat_tables(parts)


def _jobs(table: pa.Table) -> pd.Index:
    return pd.MultiIndex.from_frame(table.select(_JOB).to_pandas())


def _from_parquet(path: Path, raw: RawTable) -> pa.Table:
    try:
        return parquet.read_table(path).select(list(raw.columns)).cast(raw.schema)
    except (pa.ArrowException, KeyError, OSError) as error:
        raise InputError(f"is no table of rows: {error}", where=str(path)) from None


def _from_csv(path: Path, raw: RawTable) -> pa.Table:
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]  # a crash may have cut the last row off
    if not whole:
        return raw.schema.empty_table()
    lines = csv.DictReader(io.StringIO(whole.decode()))
    missing = [column for column in raw.columns if column not in (lines.fieldnames or ())]
    if missing:
        raise InputError(f"has no column {missing[0]!r}", where=str(path))
    rows = list(lines)
    columns = {
        column: [
            _value(cells[column], raw, column, f"{path}, row {row}") for row, cells in enumerate(rows, 1)
        ]
        for column in raw.columns
    }
    return pa.table(columns, schema=raw.schema)


def _value(cell: str | None, raw: RawTable, column: str, where: str) -> str | int | float | None:
    if column in raw.text:
        return cell or ""
    if not cell:
        return None
    try:
        return int(cell) if column in _WHOLE else float(cell)
    except ValueError:
        raise InputError(f"{cell!r} is not a number", where=f"{where}, column {column!r}") from None
