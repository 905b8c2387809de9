"""A table of profiles before it is joined: who was measured, and what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.feature_columns import ColumnChoice, ColumnReport, some
from cytomol.corpus.identifiers import as_ids, entity_of_column
from cytomol.corpus.problems import Problems
from cytomol.corpus.schema import Entity, Modality
from cytomol.counted import counted
from cytomol.errors import InputError
from cytomol.tables.number_texts import as_numbers

__all__ = [
    "Aggregate",
    "ProfileTable",
    "aggregate_profiles",
    "choose_columns",
    "feature_matrix",
    "modality_from",
    "split_matrix",
    "split_profiles",
    "without_infinite",
]

Aggregate = Literal["median", "mean", "none"]

_NAMED = 30  # columns of text that one message names
_TEXT_HINT = (
    "call columns that are no features Metadata_..., or take them out of the table (corpus build: --leave-out"
    " PATTERN, or --features PATTERN for those that are)"
)


@dataclass(frozen=True)
class ProfileTable:
    """Profiles with the columns that say whose they are.

    Attributes
    ----------
    where
        The file.
    metadata
        Ids and all other columns that are no features, as text, one row per profile.
    features
        Measured values, float32, shape (profiles, width).
    columns
        Names of the features.
    report
        Which columns became features, and why the others did not; None where nobody had to choose.
    notes
        What reading it found that a user should know, one sentence each.
    """

    where: str
    metadata: pd.DataFrame
    features: NDArray[np.float32]
    columns: tuple[str, ...]
    report: ColumnReport | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.features)


def split_profiles(
    frame: pd.DataFrame,
    *,
    where: str,
    id_column: str | None = None,
    only: bool = False,
    choice: ColumnChoice | None = None,
) -> ProfileTable:
    """Separate features from ids and from what stands beside them (see `cytomol.corpus.feature_columns`).

    Parameters
    ----------
    frame
        Table as read.
    where
        The file, for messages.
    id_column
        A further column of ids.
    only
        Take ``id_column`` alone (and ``Metadata_*``), whatever the other columns are called.
    choice
        Which columns the user wants as features.

    Raises
    ------
    InputError
        If features are not numbers (all such columns are named), or there is no feature at all.
    """
    if len(frame) == 0:
        raise InputError("holds no rows", where=where)
    names = list(map(str, frame.columns))
    if only:
        reasons = {name: "metadata by their prefix" for name in names if name.startswith("Metadata_")}
        report = _report(names, reasons, {id_column or ""})
    else:
        report = choose_columns(names, choice, where, id_column)
    if not report.features:
        raise InputError("holds no feature columns", where=where, hint=str(report))
    kept = set(report.features)
    metadata = pd.DataFrame({n: as_ids(frame[n]) for n in names if n not in kept}, index=frame.index)
    values = feature_matrix(frame, report.features, where)
    return ProfileTable(where, metadata.reset_index(drop=True), values, report.features, report)


def split_matrix(table: ProfileTable, choice: ColumnChoice | None = None) -> ProfileTable:
    """Move the columns of a matrix that are no features to the metadata.

    Formats that keep the matrix apart may still hold metadata in it: pycytominer writes numeric
    ``Metadata_*`` columns of its tables into the ``X`` of an AnnData file.
    """
    report = choose_columns(table.columns, choice, table.where, None, beside=tuple(map(str, table.metadata)))
    keep = np.isin(np.array(table.columns, dtype=object), np.array(report.features, dtype=object))
    if keep.all():
        return replace(table, report=report)
    if not keep.any():
        raise InputError("holds no feature columns", where=table.where, hint=str(report))
    moved = {
        name: as_ids(pd.Series(table.features[:, place].astype(np.float64).round(6)))
        for place, name in enumerate(table.columns)
        if not keep[place] and name not in table.metadata
    }
    metadata = pd.concat([table.metadata, pd.DataFrame(moved, index=table.metadata.index)], axis=1)
    return replace(
        table, metadata=metadata, features=table.features[:, keep], columns=report.features, report=report
    )


def choose_columns(
    names: Sequence[str],
    choice: ColumnChoice | None,
    where: str,
    id_column: str | None,
    beside: tuple[str, ...] = (),
) -> ColumnReport:
    """Return which columns are features; ``beside`` are names that a pattern may fit as well."""
    choice = choice or ColumnChoice()
    choice.check((*names, *beside), where)  # a pattern may speak of what stands beside the matrix
    ids = {name for name in names if name == id_column or entity_of_column(name) is not None}
    reasons = {name: reason for name in names if (reason := choice.reason(name)) is not None}
    if choice.features:  # a feature asked for by name is one, even if it is called like an id
        ids -= {name for name in names if name not in reasons and name != id_column}
    return _report(names, reasons, ids)


def _report(names: Sequence[str], reasons: dict[str, str], ids: set[str]) -> ColumnReport:
    left_out: dict[str, list[str]] = {}
    for name in names:
        if name in reasons and name not in ids:
            left_out.setdefault(reasons[name], []).append(name)
    features = tuple(name for name in names if name not in reasons and name not in ids)
    found = tuple(name for name in names if name in ids)
    return ColumnReport(features, found, {reason: tuple(some) for reason, some in left_out.items()})


def feature_matrix(
    frame: pd.DataFrame, names: Sequence[str], where: str, *, start: int = 0
) -> NDArray[np.float32]:
    """Return columns as float32, shape (rows, width); NaN where empty.

    Parameters
    ----------
    frame
        The table, or rows of it from row ``start``.
    names
        The columns.
    where
        The file, for messages.
    start
        Row of the file with which the frame begins, from 0.

    Raises
    ------
    InputError
        If a column holds text; every such column is named with its first such row.
    """
    values = np.empty((len(frame), len(names)), np.float32)
    text: list[tuple[str, int, Any]] = []
    for j, name in enumerate(names):
        column, wrong = _numbers(frame[name])
        if wrong >= 0:
            text.append((name, start + wrong, frame[name].iloc[wrong]))
        else:
            values[:, j] = column
    if len(text) == 1:
        name, row, cell = text[0]
        raise InputError(
            f"{cell!r} is not a number", where=f"{where}, row {row + 1}, column {name}", hint=_TEXT_HINT
        )
    if text:
        shown = ", ".join(f"{name} (row {row + 1}: {cell!r})" for name, row, cell in text[:_NAMED])
        more = f", and {len(text) - _NAMED:,} more" if len(text) > _NAMED else ""
        raise InputError(f"{len(text):,} columns hold text: {shown}{more}", where=where, hint=_TEXT_HINT)
    return values


def _numbers(column: pd.Series[Any]) -> tuple[NDArray[np.float32], int]:
    """Return a column as float32, NaN where empty, and its first row that is no number (-1: none)."""
    if not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)):
        text = column.astype("string").str.strip()
        numbers = as_numbers(text)
        wrong = numbers.isna() & text.notna() & ~text.str.lower().isin(["", "nan", "na"])
        if wrong.any():
            return np.empty(0, np.float32), int(np.flatnonzero(wrong.to_numpy(bool))[0])
        column = numbers
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, which is unmeasured
        return column.to_numpy(np.float64, na_value=np.nan).astype(np.float32), -1


def without_infinite(table: ProfileTable, problems: Problems) -> ProfileTable:
    """Return the table with infinite values as not measured, and note how many there were, and where.

    Normalising by a spread of 0 gives such values; they say nothing of the cells.
    """
    infinite = np.isinf(table.features)
    if not infinite.any():
        return table
    count = int(infinite.sum())
    columns = [table.columns[j] for j in np.flatnonzero(infinite.any(axis=0))]
    row = int(np.flatnonzero(infinite.any(axis=1))[0])
    problems.note(
        f"{table.where}: {counted(count, 'infinite value')} (or beyond float32) in"
        f" {counted(len(columns), 'column')} ({some(columns)}), first in row {row + 1}: counted as not"
        " measured"
    )
    return replace(table, features=np.where(infinite, np.float32(np.nan), table.features))


def aggregate_profiles(
    rows: NDArray[np.int64], values: NDArray[np.float32], how: Aggregate
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Bring replicates together: one profile per entity, in the order of the entities.

    Parameters
    ----------
    rows
        Entity of each profile, int64, shape (profiles,).
    values
        Float32, shape (profiles, width); NaN is left out of medians and means.
    how
        "median", "mean" or "none" (keep every replicate, in the order of the file).
    """
    if how == "none":
        return rows, values
    if len(np.unique(rows)) == len(rows):
        order = np.argsort(rows, kind="stable")
        return rows[order], values[order]
    groups = pd.DataFrame(values).groupby(rows, sort=True)
    merged = groups.median() if how == "median" else groups.mean()
    return merged.index.to_numpy(np.int64), merged.to_numpy(np.float32)


def modality_from(
    table: ProfileTable,
    rows: NDArray[np.int64],
    *,
    name: str,
    kind: str,
    entity: Entity,
    aggregate: Aggregate = "none",
) -> Modality:
    """Return the profiles that joined (row >= 0) as a modality."""
    kept, values = rows, table.features
    if (rows < 0).any():
        kept, values = rows[rows >= 0], values[rows >= 0]
    kept, values = aggregate_profiles(kept, values, aggregate)
    return Modality(name, kind, entity, kept.astype(np.int64), values, table.columns)
