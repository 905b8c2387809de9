"""Batches whose answers do not depend on who asks at the same time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.store import MoleculeStore

__all__ = ["LEAST_ROWS", "distinct", "one_pass", "steady", "steady_rows"]

LEAST_ROWS = 16
"""Rows from which on products of matrices, computed by one thread, round each row as in any larger table."""


def distinct(texts: Sequence[str]) -> tuple[list[str], list[int]]:
    """Return the different texts, and for each text its place among them.

    Examples
    --------
    >>> distinct(["CCO", "C", "CCO"])
    (['CCO', 'C'], [0, 1, 0])
    """
    places: dict[str, int] = {}
    which = [places.setdefault(text, len(places)) for text in texts]
    return list(places), which


def steady_rows(store: MoleculeStore) -> NDArray[np.int64]:
    """Return the rows of a store, and the first valid one again and again where the valid ones are few.

    Few rows are multiplied by other routines than many, which round otherwise.
    """
    rows = np.arange(len(store))
    valid = np.flatnonzero(store.valid)
    again = LEAST_ROWS - len(valid) if len(valid) else 0
    return rows if again <= 0 else np.concatenate([rows, np.full(again, valid[0])])


def steady(store: MoleculeStore) -> MoleculeStore:
    """Return the store of :func:`steady_rows`."""
    rows = steady_rows(store)
    return store if len(rows) == len(store) else store.take(rows)


def one_pass(store: MoleculeStore) -> int:
    """Return the size of a batch that takes all molecules of a store at once, however large they are."""
    return 4 * len(store) + LEAST_ROWS
