"""What the columns of an answer are called, and which names of tasks would call two of them alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

__all__ = ["OF_MOLECULE", "OF_NEAREST", "RESERVED", "SUFFIXES", "alike", "columns_of"]

OF_MOLECULE = ("similarity", "in_domain", "domain", "domain_reason")
"""What is said of how well a molecule is known."""

OF_NEAREST = ("nearest_id", "nearest_smiles", "nearest_similarity")
"""What is said of the nearest molecule that was learnt from."""

RESERVED = ("smiles", "error", "profile", *OF_MOLECULE, *OF_NEAREST)
"""Columns of an answer that are of no task."""

SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "classification": ("calibrated", "std", "set"),
    "regression": ("std", "low", "high"),
}
"""What the columns of uncertainty have behind the name of a task, by its kind."""


def columns_of(name: str, classes: Sequence[str] = ()) -> list[str]:
    """Return all columns that an answer can have for a task, its own name first.

    Parameters
    ----------
    name
        The task.
    classes
        Its classes; none for a value.

    Examples
    --------
    >>> columns_of("pIC50")
    ['pIC50', 'pIC50_nearest', 'pIC50_std', 'pIC50_low', 'pIC50_high']
    """
    named = [name, f"{name}_nearest"]
    if not classes:
        return [*named, *(f"{name}_{suffix}" for suffix in SUFFIXES["regression"])]
    if len(classes) == 2:
        return [*named, *(f"{name}_{suffix}" for suffix in ("class", *SUFFIXES["classification"]))]
    of_class = [suffix for suffix in SUFFIXES["classification"] if suffix != "set"]  # one set for all
    each = [[f"{name}={one}", *(f"{name}={one}_{suffix}" for suffix in of_class)] for one in classes]
    return [*named, f"{name}_set", *chain.from_iterable(each)]


def alike(tasks: Mapping[str, Sequence[str]]) -> tuple[str, str, str] | None:
    """Return two tasks for which an answer would have columns of one name, and the name; None without any.

    Parameters
    ----------
    tasks
        Classes of each task, none for a value.

    Examples
    --------
    >>> alike({"y": (), "y_low": ()})
    ('y', 'y_low', 'y_low')
    >>> alike({"y": ("0", "1"), "y_low": ()}) is None
    True
    """
    owner: dict[str, str] = {}
    for name, classes in tasks.items():
        for column in columns_of(name, classes):
            if (first := owner.setdefault(column, name)) != name:
                return first, name, column
    return None
