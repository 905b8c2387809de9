"""Splits that are given: a file of row numbers and folds, or a column of the table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.assays.splits.base import FOLDS
from cytomol.errors import InputError
from cytomol.tables import read_table
from cytomol.tables.molecules import find_column
from cytomol.tables.number_texts import as_numbers

__all__ = ["folds_from_column", "read_split"]

_SYNONYMS = {"train": "train", "training": "train", "valid": "valid", "val": "valid", "validation": "valid"}
_SYNONYMS |= {"test": "test"}


def read_split(path: str | Path, n: int) -> NDArray[np.str_]:
    """Read a table with columns ``index`` (row number of the table, from 0) and ``fold``.

    Parameters
    ----------
    path
        CSV, TSV or Parquet, possibly gzipped.
    n
        Number of rows of the table that the split belongs to.

    Returns
    -------
    ndarray of str
        "train", "valid", "test" or "" (a row that the file leaves out), shape (n,).

    Raises
    ------
    InputError
        If a row number is no number, outside the table or given twice, or a fold is unknown.
    """
    frame = read_table(path, text=True)
    where = str(path)
    rows = frame[find_column(frame, "index", where=where)]
    fold = frame[find_column(frame, "fold", where=where)]
    numbers = as_numbers(rows).to_numpy(dtype=np.float64)
    wrong = np.flatnonzero(~np.isfinite(numbers) | (numbers != np.floor(numbers)))
    if wrong.size:
        raise InputError(
            f"{rows.iloc[wrong[0]]!r} is not a row number",
            where=f"{where}, row {wrong[0] + 1}, column 'index'",
        )
    index = numbers.astype(np.int64)
    outside = np.flatnonzero((index < 0) | (index >= n))
    if outside.size:
        raise InputError(
            f"row {index[outside[0]]} is not in the table, which has rows 0 to {n - 1}",
            where=f"{where}, row {outside[0] + 1}, column 'index'",
            hint="is this the split of another table?",
        )
    values, counts = np.unique(index, return_counts=True)
    if (counts > 1).any():
        raise InputError(f"row {values[counts > 1][0]} has {counts.max()} folds", where=where)
    folds = np.full(n, "", dtype="<U5")
    folds[index] = folds_from_column(fold, where=f"{where}", column="fold", empty_allowed=False)
    return folds


def folds_from_column(
    cells: pd.Series[str], *, where: str, column: str, empty_allowed: bool = True
) -> NDArray[np.str_]:
    """Read the fold of every row from a column.

    Parameters
    ----------
    cells
        train, valid (or val, validation) or test, in any case.
    where, column
        File and column, for messages.
    empty_allowed
        Whether an empty cell (the row belongs to no fold) is allowed.

    Returns
    -------
    ndarray of str
        "train", "valid", "test" or "", shape (n,).
    """
    plain = cells.fillna("").astype(str).str.strip().str.lower()
    known = _SYNONYMS | ({"": ""} if empty_allowed else {})
    unknown = np.flatnonzero(~plain.isin(list(known)).to_numpy())
    if unknown.size:
        raise InputError(
            f"fold {cells.iloc[unknown[0]]!r} is unknown",
            where=f"{where}, row {unknown[0] + 1}, column {column!r}",
            hint=f"folds are {', '.join(FOLDS)}",
        )
    return plain.map(known).to_numpy(dtype="<U5")
