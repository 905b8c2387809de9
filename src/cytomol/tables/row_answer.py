"""What came of rows of molecules, whoever answered them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from cytomol.tables.row_errors import RowErrors

__all__ = ["Answer"]


@dataclass(frozen=True)
class Answer:
    """Answers to rows of an input.

    Attributes
    ----------
    frame
        Columns of the input, answers (predictions) and "error", why a row is invalid.
    arrays
        Matrices aligned with the rows (embeddings, expected profiles).
    errors
        How many rows there are, and how many hold no valid molecule.
    renamed
        Answers that are called otherwise, since the input has a column of that name: old name to new.
    """

    frame: pd.DataFrame
    arrays: dict[str, NDArray[Any]]
    errors: RowErrors
    renamed: dict[str, str] = field(default_factory=dict)
