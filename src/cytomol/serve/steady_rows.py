"""Batches whose answers do not depend on who asks at the same time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cytomol.chem.store import MoleculeStore

__all__ = ["LEAST_ROWS", "distinct", "one_pass", "steady"]

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


def steady(store: MoleculeStore) -> MoleculeStore:
    """Return a store with enough valid rows: below it the first valid one again and again.

    Few rows are multiplied by other routines than many, which round otherwise.
    """
    rows = np.flatnonzero(store.valid)
    if not 0 < len(rows) < LEAST_ROWS:
        return store
    again = np.full(LEAST_ROWS - len(rows), rows[0])
    return store.take(np.concatenate([np.arange(len(store)), again]))


def one_pass(store: MoleculeStore) -> int:
    """Return the size of a batch that takes all molecules of a store at once, however large they are."""
    return 4 * len(store) + LEAST_ROWS
