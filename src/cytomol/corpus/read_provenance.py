"""What the columns beside the features of a table say of its profiles."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.identifiers import as_ids
from cytomol.corpus.provenance import LABELS, RELIABILITY, Correction, Provenance
from cytomol.errors import InputError
from cytomol.tables.number_texts import as_numbers

__all__ = ["read_provenance", "reliabilities"]


def read_provenance(frame: pd.DataFrame, *, where: str, correction: Correction, by: str) -> Provenance:
    """Return what the columns beside a table's features say of its profiles.

    Parameters
    ----------
    frame
        Table as read.
    where
        The file, for messages.
    correction, by
        What the manifest says; see :class:`Provenance`.

    Raises
    ------
    InputError
        If the column by which profiles are corrected is absent, or a reliability is no number in [-1, 1].
    """
    reliability = reliabilities(frame, RELIABILITY, where) if RELIABILITY in frame else None
    names = [name for name in dict.fromkeys([*LABELS, by]) if name in frame]
    labels = {name: as_ids(frame[name]).to_numpy(object) for name in names}
    try:
        return Provenance(reliability, labels, correction, by)
    except InputError as error:
        raise InputError(error.what, where=where, hint=error.hint) from None


def reliabilities(frame: pd.DataFrame, column: str, where: str) -> NDArray[np.float32]:
    """Return a column of reliabilities, NaN where empty, float32, shape (rows,).

    Parameters
    ----------
    frame
        Table, or rows of it; its index counts the rows of the file from 0.
    column
        The column.
    where
        The file, for messages.

    Raises
    ------
    InputError
        If one is no number in [-1, 1].
    """
    text = frame[column]
    numbers = as_numbers(text)
    numbers = pd.Series(numbers.to_numpy(np.float64, na_value=np.nan), index=frame.index)
    no_number = numbers.isna() & (as_ids(text) != "")
    for wrong, what in ((no_number, "is not a number"), (numbers.abs() > 1, "is no reliability")):
        if wrong.any():
            place = int(np.flatnonzero(wrong)[0])
            raise InputError(
                f"{str(text.iloc[place])!r} {what}",
                where=f"{where}, row {int(frame.index.to_numpy(np.int64)[place]) + 1}, column {column}",
                hint="a reliability lies in [-1, 1], as a correlation does",
            )
    return numbers.to_numpy(np.float32, na_value=np.nan)
