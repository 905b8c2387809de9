"""Profiles with the features that a model has learnt from, found by name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cytomol.counted import counted
from cytomol.errors import InputError

__all__ = ["aligned_profiles"]

_NAMED = 5  # features that one message names


def aligned_profiles(
    values: NDArray[np.float32],
    columns: tuple[str, ...],
    wanted: tuple[str, ...],
    *,
    name: str,
    where: str,
) -> NDArray[np.float32]:
    """Return profiles with the wanted features in their order, shape (n, wanted).

    Parameters
    ----------
    values, columns
        Profiles, shape (n, columns), and the names of their features.
    wanted
        Names of the features of the modality ``name``.
    where
        The table, for messages.

    Raises
    ------
    InputError
        If the table lacks a wanted feature.

    Examples
    --------
    >>> values = np.array([[1, 2, 3]], np.float32)
    >>> aligned_profiles(values, ("a", "b", "c"), ("c", "a"), name="morphology", where="plate.csv").tolist()
    [[3.0, 1.0]]
    """
    if columns == wanted:
        return values
    place = {column: number for number, column in enumerate(columns)}
    missing = [column for column in wanted if column not in place]
    if missing:
        some = ", ".join(missing[:_NAMED]) + (", ..." if len(missing) > _NAMED else "")
        raise InputError(
            f"lacks {len(missing)} of the {len(wanted)} features of {name}: {some}",
            where=where,
            hint=f"the table holds {counted(len(columns), 'feature', comma=False)}, such as "
            f"{', '.join(columns[:_NAMED])}; they are matched by name",
        )
    return np.ascontiguousarray(values[:, [place[column] for column in wanted]])
