"""Dates as tables write them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.assays.cells import MISSING
from cytomol.errors import InputError, note

__all__ = ["looks_like_dates", "read_dates"]

_FORMS = {
    re.compile(r"\d{4}-\d{1,2}-\d{1,2}(?:[T ]\d{1,2}:\d{2}.*)?"): "ISO8601",
    re.compile(r"\d{4}-\d{2}"): "%Y-%m",
    re.compile(r"\d{4}/\d{1,2}/\d{1,2}"): "%Y/%m/%d",
    re.compile(r"\d{1,2}-[A-Za-z]{3}-\d{4}"): "%d-%b-%Y",
    re.compile(r"\d{1,2}-[A-Za-z]{3}-\d{2}"): "%d-%b-%y",
    re.compile(r"\d{1,2} [A-Za-z]{3} \d{4}"): "%d %b %Y",
    re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}"): "%d.%m.%Y",
}
_SLASHES = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_COMPACT = re.compile(r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_YEAR = re.compile(r"(?:19|20)\d{2}(?:\.0)?")
_DATE_WORDS = frozenset({"date", "day", "year", "measured", "registered", "created", "time"})


def _plain(series: pd.Series[Any]) -> pd.Series[str]:
    text = series.astype("string").str.strip().fillna("")
    return text.where(~text.str.lower().isin(MISSING), "")


def looks_like_dates(series: pd.Series[Any], words: frozenset[str] = frozenset()) -> bool:
    """Tell whether every cell that holds anything is a date.

    Parameters
    ----------
    series
        The column.
    words
        Words of its name: years and dates without separators are dates where the name says so.
    """
    if pd.api.types.is_datetime64_any_dtype(series):
        return True
    text = _plain(series)
    held = text[text != ""]
    if held.empty:
        return False
    forms = [*_FORMS, _SLASHES]
    if words & _DATE_WORDS:
        forms += [_COMPACT, _YEAR]
    return any(all(form.fullmatch(cell) for cell in held.unique()) for form in forms)


def read_dates(series: pd.Series[Any], *, where: str) -> NDArray[np.datetime64]:
    """Read a column of dates.

    Returns
    -------
    numpy.ndarray
        datetime64[s], NaT where a cell is empty, shape (rows,).

    Raises
    ------
    InputError
        If a cell is no date, or not written as the others are.
    """
    if pd.api.types.is_datetime64_any_dtype(series):
        return pd.to_datetime(series, utc=True).dt.tz_localize(None).to_numpy().astype("datetime64[s]")
    text = _plain(series)
    held = text[text != ""]
    form = _form_of(held, where=where, column=str(series.name))
    parsed = pd.to_datetime(text.where(text != ""), format=form, errors="coerce", utc=True)
    wrong = np.flatnonzero(parsed.isna().to_numpy() & (text != "").to_numpy())
    if wrong.size:
        raise InputError(
            f"{text.iloc[wrong[0]]!r} is not a date, or not one written as the others are",
            where=f"{where}, row {wrong[0] + 1}, column {series.name!r}",
            hint="write dates as 2024-01-31",
        )
    return parsed.dt.tz_localize(None).to_numpy().astype("datetime64[s]")


def _form_of(held: pd.Series[str], *, where: str, column: str) -> str:
    """Return how most dates of a column are written, as a format of pandas."""
    if held.empty:
        raise InputError("holds no date", where=f"{where}, column {column!r}")
    known = {**_FORMS, _COMPACT: "%Y%m%d", _YEAR: "%Y"}
    counts = {form: sum(1 for cell in held if form.fullmatch(cell)) for form in (*known, _SLASHES)}
    best = max(counts, key=lambda form: counts[form])
    if best is not _SLASHES:
        return known[best]
    parts = [found.groups() for cell in held if (found := _SLASHES.fullmatch(cell))]
    first, second = (max(int(part[at]) for part in parts) for at in (0, 1))
    if first <= 12 and second <= 12:
        note(
            f"column {column!r} may put the day or the month first: read as day/month/year",
            where=where,
        )
    return "%m/%d/%Y" if second > 12 else "%d/%m/%Y"
