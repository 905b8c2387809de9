"""A table of profiles before it is joined: who was measured, and what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.identifiers import as_ids, entity_of_column
from cytomol.corpus.problems import Problems
from cytomol.corpus.schema import Entity, Modality
from cytomol.errors import InputError

__all__ = [
    "Aggregate",
    "ProfileTable",
    "aggregate_profiles",
    "check_finite",
    "modality_from",
    "split_profiles",
]

Aggregate = Literal["median", "mean", "none"]


@dataclass(frozen=True)
class ProfileTable:
    """Profiles with the columns that say whose they are.

    Attributes
    ----------
    where
        The file.
    metadata
        Id columns as text, one row per profile.
    features
        Measured values, float32, shape (profiles, width).
    columns
        Names of the features.
    notes
        What its reader has to say.
    """

    where: str
    metadata: pd.DataFrame
    features: NDArray[np.float32]
    columns: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.features)


def split_profiles(
    frame: pd.DataFrame, *, where: str, id_column: str | None = None, only: bool = False
) -> ProfileTable:
    """Separate ids from features: ``Metadata_*`` columns and columns named like an id are ids.

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

    Raises
    ------
    InputError
        If a feature is not a number (with row and column), or there is no feature at all.
    """
    ids = [
        name
        for name in frame.columns
        if name.startswith("Metadata_")
        or name == id_column
        or (not only and entity_of_column(name) is not None)
    ]
    features = [name for name in frame.columns if name not in set(ids)]
    if len(frame) == 0:
        raise InputError("holds no rows", where=where)
    if not features:
        raise InputError("holds no feature columns", where=where)
    metadata = pd.DataFrame({name: as_ids(frame[name]) for name in ids}, index=frame.index)
    values = np.empty((len(frame), len(features)), np.float32)
    for j, name in enumerate(features):
        values[:, j] = _numbers(frame[name], where)
    return ProfileTable(where, metadata.reset_index(drop=True), values, tuple(features))


def _numbers(column: pd.Series[Any], where: str) -> NDArray[np.float32]:
    """Return a column as float32; NaN where empty."""
    if not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)):
        text = column.astype("string").str.strip()
        numbers = pd.to_numeric(text, errors="coerce")
        wrong = numbers.isna() & text.notna() & ~text.str.lower().isin(["", "nan", "na"])
        if wrong.any():
            row = int(np.flatnonzero(wrong.to_numpy(bool))[0])
            raise InputError(
                f"{column.iloc[row]!r} is not a number",
                where=f"{where}, row {row + 1}, column {column.name}",
                hint="name columns that are no features Metadata_...",
            )
        column = numbers
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, which is reported
        return column.to_numpy(np.float64, na_value=np.nan).astype(np.float32)


def check_finite(table: ProfileTable, problems: Problems) -> None:
    """Report infinite values with the place of the first."""
    infinite = np.isinf(table.features)
    if infinite.any():
        row, column = np.argwhere(infinite)[0]
        count = int(infinite.sum())
        problems.error(
            InputError(
                f"{count:,} infinite value{'' if count == 1 else 's'} (or beyond float32)",
                where=f"{table.where}, row {row + 1}, column {table.columns[column]}",
                hint="leave the cell empty where nothing was measured",
            )
        )


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
    if how == "none" or len(np.unique(rows)) == len(rows):
        if how == "none":
            return rows, values
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
