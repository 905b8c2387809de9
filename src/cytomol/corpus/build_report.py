"""The report of a build: which columns became features, and what became of every row of every table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.feature_columns import ColumnReport
from cytomol.corpus.identifiers import entity_of_column
from cytomol.counted import counted
from cytomol.errors import InputError
from cytomol.files import require_file

__all__ = [
    "REPORT",
    "BuildReport",
    "Difference",
    "Fates",
    "FileReport",
    "ModalityReport",
    "read_build_report",
]

REPORT = "build.json"
_EXAMPLES = 5


@dataclass(frozen=True)
class Difference:
    """A column of conditions in which the wells of one entity differ.

    Attributes
    ----------
    column
        Its name (of the first file that has it).
    role
        dose, time, cell or condition.
    values
        Distinct values among the wells that were used.
    entities
        Molecules or genes whose wells differ in it.
    example
        One of the values, as it may be selected.
    """

    column: str
    role: str
    values: int
    entities: int
    example: str

    def __str__(self) -> str:
        return f"{self.column} ({counted(self.values, 'value')})"


class Fates:
    """What became of every row of one table; the first thing that befell it counts.

    Parameters
    ----------
    metadata
        Columns that are no features, to name rows by.
    """

    def __init__(self, metadata: pd.DataFrame) -> None:
        self._metadata = metadata
        self._of = np.full(len(metadata), "", dtype=object)
        self._places = np.arange(len(metadata))

    def __len__(self) -> int:
        return len(self._of)

    @property
    def columns(self) -> list[str]:
        """Names of the columns that are no features."""
        return list(map(str, self._metadata))

    def mark(self, rows: NDArray[np.bool_], fate: str) -> NDArray[np.bool_]:
        """Give a fate to rows that have none yet; return which these are."""
        new = np.asarray(rows & self.open)
        self._of[self._places[new]] = fate
        return new

    def narrow(self, rows: NDArray[np.bool_]) -> None:
        """From now on speak of some of the rows only: those that are read."""
        self._places = self._places[rows]

    @property
    def open(self) -> NDArray[np.bool_]:
        """Rows without a fate, bool, shape (rows spoken of,)."""
        return np.asarray(self._of[self._places] == "", dtype=np.bool_)

    def counts(self) -> dict[str, int]:
        """Return the number of rows by fate, most first; they add up to all rows."""
        counts = pd.Series(self._of).value_counts()
        return {str(fate): int(count) for fate, count in counts.items()}

    def as_list(self) -> list[dict[str, Any]]:
        """Return fates with their counts and examples (row, counted from 1, and id)."""
        listed = []
        for fate, count in self.counts().items():
            rows = np.flatnonzero(self._of == fate)[:_EXAMPLES]
            examples = [{"row": int(row) + 1, "id": self._name(int(row))} for row in rows]
            listed.append({"fate": fate, "count": count, "examples": examples})
        return listed

    def _name(self, row: int) -> str:
        names = [c for c in map(str, self._metadata) if entity_of_column(c) is not None]
        return next((text for c in names if (text := str(self._metadata[c].iloc[row]))), "")


@dataclass(frozen=True)
class FileReport:
    """One table of profiles as it came in.

    Attributes
    ----------
    file
        Its path.
    rows
        Number of its rows.
    columns
        Which became features.
    roles
        Columns by role (dose, time, cell, plate, batch, control, condition).
    fates
        What became of its rows.
    lacking
        Features of the modality that this file does not have.
    """

    file: str
    rows: int
    columns: ColumnReport | None
    roles: dict[str, tuple[str, ...]]
    fates: Fates
    lacking: tuple[str, ...] = ()

    def names(self) -> set[str]:
        """Return every column of the file."""
        return {*(self.columns.names() if self.columns is not None else ()), *self.fates.columns}

    def __str__(self) -> str:
        parts = [f"{count:,} {fate}" for fate, count in self.fates.counts().items()]
        return f"{self.file}: {counted(self.rows, 'row')}: {', '.join(parts)}"

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON has it."""
        return {
            "file": self.file,
            "rows": self.rows,
            "columns": None if self.columns is None else self.columns.as_dict(),
            "roles": {role: list(names) for role, names in self.roles.items()},
            "fates": self.fates.as_list(),
            "lacking": {"count": len(self.lacking), "examples": list(self.lacking[:_EXAMPLES])},
        }


@dataclass(frozen=True)
class ModalityReport:
    """What was built of the tables of one name.

    Attributes
    ----------
    name, kind, entity
        As the modality has them.
    files
        The tables that went in.
    used
        Rows that count in a profile.
    profiles
        Profiles by modality; several where the tables were split.
    width
        Features.
    aggregate
        How rows of one entity became one profile: "median", "mean" or "none".
    differences
        In what the rows of one entity differ; empty where they are replicates.
    options
        Selections and normalisation as chosen.
    """

    name: str
    kind: str
    entity: str
    files: tuple[FileReport, ...]
    used: int
    profiles: dict[str, int]
    width: int
    aggregate: str
    differences: tuple[Difference, ...]
    options: dict[str, Any] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """Return what is said of it on the screen."""
        said = [f"{file.file}: {file.columns}" for file in self.files if file.columns is not None]
        return said + [str(file) for file in self.files if len(file.fates.counts()) > 1]

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON has it."""
        return {
            "name": self.name,
            "kind": self.kind,
            "entity": self.entity,
            "files": [file.as_dict() for file in self.files],
            "rows_used": self.used,
            "profiles": dict(self.profiles),
            "features": self.width,
            "aggregate": self.aggregate,
            "replicates": not self.differences,
            "differences": [vars(difference) for difference in self.differences],
            "options": self.options,
        }


@dataclass(frozen=True)
class BuildReport:
    """The report of a build.

    Attributes
    ----------
    modalities
        One for each name of tables of profiles that this build added.
    notes
        What a user should know, one sentence each.
    joins
        How every table found its molecules or genes, one sentence each.
    before
        The report of the corpus that was extended, if it had one.
    """

    modalities: Sequence[ModalityReport] = ()
    notes: Sequence[str] = ()
    joins: Sequence[str] = ()
    before: dict[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON has it."""
        report: dict[str, Any] = {
            "version": 1,
            "modalities": [modality.as_dict() for modality in self.modalities],
            "joins": list(self.joins),
            "notes": list(self.notes),
        }
        return report if self.before is None else {**report, "before": self.before}

    def write(self, directory: Path) -> None:
        """Write ``build.json`` into a corpus directory."""
        text = json.dumps(self.as_dict(), indent=1, ensure_ascii=False)
        (directory / REPORT).write_text(text + "\n", encoding="utf-8")


def read_build_report(corpus: str | Path) -> dict[str, Any]:
    """Return the report of how a corpus was built.

    Parameters
    ----------
    corpus
        Directory of the corpus.

    Raises
    ------
    InputError
        If it has no report, or one that cannot be read.
    """
    path = require_file(Path(corpus) / REPORT, what="report of a build")
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"is no JSON: {error}", where=str(path)) from None
    if not isinstance(report, dict):
        raise InputError("is no report of a build", where=str(path))
    return report
