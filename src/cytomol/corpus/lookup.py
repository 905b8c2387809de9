"""Find rows by a key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Lookup"]


class Lookup:
    """Rows of a table by some key; a key that stands twice leads to its first row.

    Parameters
    ----------
    keys
        Key of each row, "" where it has none.
    """

    def __init__(self, keys: Iterable[str]) -> None:
        series = pd.Series(list(keys), dtype=object)
        series = series[series != ""]
        first = ~series.duplicated()
        self._rows = series.index.to_numpy()[first.to_numpy()].astype(np.int64)
        self._index = pd.Index(series[first], dtype=object)
        repeated = series[series.duplicated(keep=False)]
        self._groups = {
            str(key): list(map(int, rows)) for key, rows in repeated.groupby(repeated).groups.items()
        }

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, keys: pd.Series[Any]) -> NDArray[np.int64]:
        """Return the row of each key, -1 where unknown."""
        if not len(self._rows):
            return np.full(len(keys), -1, np.int64)
        position = self._index.get_indexer(pd.Index(keys, dtype=object))
        return np.where(position < 0, -1, self._rows[position])

    def repeated(self, keys: pd.Series[Any]) -> NDArray[np.bool_]:
        """Return which keys belong to several rows."""
        return np.asarray(keys.isin(list(self._groups)).to_numpy(), np.bool_)

    def rows_of(self, key: str) -> list[int]:
        """Return all rows of a key that stands more than once."""
        return self._groups.get(key, [])
