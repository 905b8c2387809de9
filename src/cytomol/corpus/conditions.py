"""Under what conditions wells were measured: which to keep, how to split them, in what they differ."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.build_report import Difference
from cytomol.corpus.feature_columns import some, words_of
from cytomol.corpus.problems import Problems
from cytomol.corpus.profiles import ProfileTable
from cytomol.corpus.roles import CONDITIONS, Roles, absent, amounts, matches
from cytomol.errors import InputError

__all__ = ["Condition", "condition_table", "differences", "select_rows", "split_labels"]

Table = tuple[ProfileTable, Roles]
Condition = tuple[str, str, "pd.Series[str]"]  # role, name of the column, value of every well of all tables


def condition_table(tables: Sequence[Table]) -> list[Condition]:
    """Return the conditions of all wells: what must agree in replicates.

    Columns of different files that play the same role are one condition; a file without it has "".
    """
    found: list[Condition] = []
    for role in CONDITIONS[:-1]:
        names = [roles.column(role) for _, roles in tables]
        if any(names):
            cells = [
                _cells(table.metadata, name, role) for (table, _), name in zip(tables, names, strict=True)
            ]
            found.append((role, next(filter(None, names)), _one(cells)))
    for name in dict.fromkeys(n for _, roles in tables for n in roles.columns.get("condition", ())):
        cells = [_cells(table.metadata, name if name in table.metadata else None) for table, _ in tables]
        found.append(("condition", name, _one(cells)))
    return found


def differences(
    conditions: Sequence[Condition], rows: NDArray[np.int64], chosen: NDArray[np.int64]
) -> list[Difference]:
    """Return the conditions in which wells of one entity differ; a well of which it is unknown says nothing.

    Parameters
    ----------
    conditions
        Of all wells.
    rows
        Entity of each well, shape (wells,).
    chosen
        Wells that are compared, shape (n,).
    """
    found = []
    for role, name, values in conditions:
        here = values.iloc[chosen].reset_index(drop=True)
        known = ~absent(here)
        keys = _comparable(here, role)
        several = keys[known].groupby(rows[chosen][known]).nunique().gt(1)
        if several.any():
            entities = several.index[several]
            among = here[known & np.isin(rows[chosen], entities)]
            count = int(keys[among.index].nunique())
            found.append(Difference(name, role, count, len(entities), str(among.mode().iloc[0])))
    return found


def select_rows(
    tables: Sequence[Table],
    rows: NDArray[np.int64],
    used: NDArray[np.bool_],
    select: Mapping[str, Sequence[str]],
    *,
    where: str,
    problems: Problems,
) -> NDArray[np.bool_]:
    """Return which wells are left after every selection.

    Values are chosen first; then the largest or smallest of each entity ("max", "min") among what is left.

    Parameters
    ----------
    tables
        The tables, one after another.
    rows, used
        Entity of each well, and which wells count so far, shape (wells,).
    select
        Values by role or column.
    where
        The modality, for messages.
    problems
        Receives notes.

    Raises
    ------
    InputError
        If no table has the column, only some have it, or nothing has the value.
    """
    kept = used.copy()
    for extreme in (False, True):
        for key, wanted in select.items():
            if (wanted[0].lower() in {"max", "min"} and len(wanted) == 1) != extreme:
                continue
            values = _values(tables, key, where, "--select")
            before = kept.copy()
            if extreme:
                kept &= _extreme(values, rows, kept, wanted[0].lower(), f"{where}, --select {key}")
            else:
                kept &= np.logical_or.reduce([matches(values, value) for value in wanted])
            if not kept.any():
                there = sorted({v for v in values[before] if v})
                raise InputError(
                    f"no row has {key} {' or '.join(wanted)}",
                    where=where,
                    hint=f"it is {some(there, 12) or 'empty'}",
                )
            lost = len(set(rows[before])) - len(set(rows[kept]))
            if lost:
                problems.note(f"{where}: --select {key}={','.join(wanted)} leaves {lost:,} without a profile")
    return kept


def split_labels(
    tables: Sequence[Table], used: NDArray[np.bool_], split_by: Sequence[str], *, where: str
) -> NDArray[np.object_]:
    """Return the part of each well: "all", or its values to split by, "" where one is unknown."""
    if not split_by:
        return np.full(len(used), "all", dtype=object)
    labels: list[pd.Series[str]] = []
    for key in split_by:
        values = _values(tables, key, where, "--split-by")
        labels.append(values.where(~absent(values), ""))
    frame = pd.concat(labels, axis=1)
    joined = frame.agg("_".join, axis=1).where((frame != "").all(axis=1), "")
    return joined.to_numpy(dtype=object)


def _values(tables: Sequence[Table], key: str, where: str, option: str) -> pd.Series[str]:
    """Return what a role or column says of every well."""
    names = [roles.resolve(key, table.metadata) for table, roles in tables]
    if not all(names):
        table = tables[names.index(None)][0]
        others = f", which other tables of {where} have" if any(names) else ""
        raise InputError(
            f"has no column for {option} {key}{others}",
            where=table.where,
            hint=f"name the column, or write {option} NAME:{key}... for the tables that have it;"
            f" columns beside the features: {', '.join(map(str, table.metadata.columns[:12]))}",
        )
    role = key if key in CONDITIONS else ""
    return _one([_cells(table.metadata, name, role) for (table, _), name in zip(tables, names, strict=True)])


def _one(cells: Sequence[pd.Series[str]]) -> pd.Series[str]:
    return pd.concat(list(cells), ignore_index=True)


def _cells(metadata: pd.DataFrame, name: str | None, role: str = "") -> pd.Series[str]:
    """Return a column as text; a dose or time has its unit beside it, if a column of the table says it."""
    if name is None:
        return pd.Series([""] * len(metadata), dtype=object)
    values = metadata[name].astype(str).str.strip()
    unit = _unit_column(metadata, role)
    if unit is not None and unit != name:
        plain = values.map(lambda text: re.fullmatch(r"[0-9.eE+-]+", text) is not None)
        values = values.where(
            ~(plain & ~absent(values)), values + " " + metadata[unit].astype(str).str.strip()
        )
    return values.reset_index(drop=True)


def _unit_column(metadata: pd.DataFrame, role: str) -> str | None:
    words = {"dose": {"dose", "conc", "concentration"}, "time": {"time"}}.get(role, set())
    for name in map(str, metadata):
        found = set(words_of(name))
        if found & words and found & {"unit", "units"}:
            return name
    return None


def _comparable(values: pd.Series[str], role: str) -> pd.Series[str]:
    """Return values so that equal amounts are equal: 10, 10.0 and 10 uM are one dose."""
    if role not in {"dose", "time"}:
        return values
    numbers = pd.Series(amounts(values), index=values.index)
    return numbers.map(lambda number: f"{number:.6g}").where(numbers.notna(), values)


def _extreme(
    values: pd.Series[str], rows: NDArray[np.int64], kept: NDArray[np.bool_], which: str, where: str
) -> NDArray[np.bool_]:
    """Return the wells that have the largest or smallest amount of their entity."""
    numbers = amounts(values)
    numbers[~kept] = np.nan
    if not np.isfinite(numbers).any():
        example = next(iter(values[kept]), "")
        raise InputError(
            f"cannot take the {which} of {example!r}, which is no amount", where=where, hint="name a value"
        )
    groups = pd.Series(numbers).groupby(rows)
    best = (groups.transform("max") if which == "max" else groups.transform("min")).to_numpy(np.float64)
    near: NDArray[np.bool_] = np.isclose(numbers, best, rtol=1e-6, atol=0)
    return near
