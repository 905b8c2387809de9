"""The cells of one column: numbers, bounds such as "<0.5", words, and what stands for nothing measured."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.errors import InputError
from cytomol.tables.number_texts import as_numbers

__all__ = ["MISSING", "Cells", "is_code", "read_cells", "refuse_decimal_commas"]

MISSING = frozenset({"", "nan", "na", "n/a", "null", "none", "<na>", "nat"})
"""Texts, in small letters, that stand for nothing measured."""

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_QUALIFIED = re.compile(rf"(<=|>=|=<|=>|<<|>>|[<>≤≥⩽⩾~≈=])\s*({_NUMBER})")
# "about 5" and "= 5" are values like any other
_SIDES = {"~": 0, "≈": 0, "=": 0, ">": 1, ">=": 1, "=>": 1, ">>": 1, "≥": 1, "⩾": 1}
_WITH_COMMA = r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?"


@dataclass(frozen=True)
class Cells:
    """What stands in the rows of one column.

    Attributes
    ----------
    name
        Name of the column.
    numbers
        Numbers and bounds, NaN elsewhere; float64, shape (rows,).
    bounds
        -1 where the true value lies below the number ("<0.5"), 1 where above (">10"), else 0; int8.
    missing
        Where nothing is measured, shape (rows,).
    series
        The column as it was read.
    """

    name: str
    numbers: NDArray[np.float64]
    bounds: NDArray[np.int8]
    missing: NDArray[np.bool_]
    series: pd.Series[Any]

    @property
    def measured(self) -> int:
        """Number of cells that hold anything."""
        return int((~self.missing).sum())

    @property
    def words(self) -> NDArray[np.bool_]:
        """Return which cells hold what is no number, shape (rows,)."""
        words: NDArray[np.bool_] = ~self.missing & np.isnan(self.numbers)
        return words

    @property
    def mostly_words(self) -> bool:
        """Whether more cells hold words than numbers."""
        return int(self.words.sum()) > int((~np.isnan(self.numbers)).sum())

    @property
    def text(self) -> NDArray[np.object_]:
        """Text of every cell without blanks around it, "" where nothing is measured."""
        text = self.series.astype("string").str.strip().fillna("").to_numpy(dtype=object)
        return np.where(self.missing, "", text)


def read_cells(series: pd.Series[Any], missing_codes: Sequence[str] = ()) -> Cells:
    """Read the cells of a column.

    Parameters
    ----------
    series
        Text as it stands in a file, or numbers, booleans or dates.
    missing_codes
        What else stands for nothing measured, as text; "-999" also means the number -999.0.
    """
    name = str(series.name)
    if pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series):
        given = np.asarray(series.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan), np.float64)
        missing: NDArray[np.bool_] = np.isnan(given) | is_code(given, missing_codes)
        numbers = np.where(missing | np.isinf(given), np.nan, given)
        return Cells(name, numbers, np.zeros(len(given), np.int8), missing, series)
    text = series.astype("string").str.strip().fillna("")
    lowered = text.str.lower()
    codes = {code.strip().lower() for code in missing_codes}
    missing = lowered.isin(MISSING | codes).to_numpy(dtype=bool)
    parsed = as_numbers(text.where(~missing))
    numbers = parsed.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    numbers[~np.isfinite(numbers)] = np.nan
    coded = is_code(numbers, missing_codes)
    missing = missing | coded  # what pandas hands out may be read-only
    numbers[missing] = np.nan
    bounds = np.zeros(len(numbers), np.int8)
    for row in np.flatnonzero(~missing & np.isnan(numbers)):
        found = _QUALIFIED.fullmatch(text.iloc[row])
        if found:
            numbers[row] = float(found[2])
            bounds[row] = _SIDES.get(found[1], -1)
    return Cells(name, numbers, bounds, missing, series)


def is_code(numbers: NDArray[np.float64], codes: Sequence[str]) -> NDArray[np.bool_]:
    """Return which numbers are one of the codes, shape (rows,)."""
    found: NDArray[np.bool_] = np.zeros(len(numbers), np.bool_)
    for code in codes:
        try:
            found |= numbers == float(code)
        except ValueError:
            continue  # a word, which no number is
    return found


def refuse_decimal_commas(cells: Cells, *, where: str) -> None:
    """Refuse a column whose words are mostly numbers with a comma, such as 4,59.

    Raises
    ------
    InputError
        If it is one.
    """
    rows = np.flatnonzero(cells.words)
    text = pd.Series(cells.text[rows], dtype="string")
    with_comma = text.str.fullmatch(_WITH_COMMA).to_numpy(dtype=bool)
    if len(text) and 2 * with_comma.sum() > len(text):
        first = int(np.argmax(with_comma))
        raise InputError(
            f"holds numbers with a comma, such as {text.iloc[first]!r}",
            where=f"{where}, row {rows[first] + 1}, column {cells.name!r}",
            hint="write a decimal point, or name the tasks with --targets",
        )
