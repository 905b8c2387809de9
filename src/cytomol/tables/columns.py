"""Columns by name: which one holds the SMILES, and which one was meant."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

import pandas as pd

from cytomol.errors import InputError

__all__ = ["SMILES_NAMES", "find_column", "free_name", "smiles_column_of"]

SMILES_NAMES = ("smiles", "canonical_smiles", "isomeric_smiles", "structure")


def find_column(frame: pd.DataFrame, name: str, *, where: str, option: str = "") -> str:
    """Return ``name`` if the table has it; otherwise say which columns there are and the nearest one.

    ``option`` is what another column is chosen with; "" where none can be.
    """
    if name in frame.columns:
        return name
    near = difflib.get_close_matches(name, frame.columns, n=1, cutoff=0.6)
    shown = ", ".join(frame.columns[:12]) + (", ..." if len(frame.columns) > 12 else "")
    hint = f"did you mean {near[0]!r}? " if near else ""
    how = f"choose with {option}" if option else "rename the column"
    raise InputError(f"has no column {name!r}", where=where, hint=f"{hint}columns: {shown}; {how}")


def smiles_column_of(names: Iterable[str], wanted: str | None = None) -> str | None:
    """Return the column of SMILES: the one asked for, else the first called "smiles" or so; None without."""
    names = list(names)
    if wanted is not None:
        return wanted if wanted in names else None
    lowered = {name.lower().strip(): name for name in reversed(names)}
    return next((lowered[name] for name in SMILES_NAMES if name in lowered), None)


def free_name(name: str, taken: Collection[str], other: str) -> str:
    """Return ``name`` if it is free, else ``other``, with a number if that is taken too."""
    if name not in taken:
        return name
    free, number = other, 1
    while free in taken:
        number += 1
        free = f"{other}_{number}"
    return free
