"""Add profiles to a modality that a corpus has already."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cytomol.corpus.problems import Problems
from cytomol.corpus.schema import Modality
from cytomol.counted import agreeing
from cytomol.errors import InputError

__all__ = ["stack_profiles"]

_EXAMPLES = 5


def stack_profiles(old: Modality, new: Modality, problems: Problems) -> Modality:
    """Return a modality with the profiles of another below its own, over the union of their features.

    What one of them did not measure is NaN there. A profile that is there already, value by value, is left
    out; an entity that has another profile gets a further one, as from a replicate.

    Parameters
    ----------
    old
        The modality; its rows and columns stay first and in order.
    new
        Profiles of the same kind and entity.
    problems
        Receives what the two do not share.
    """
    where = f"modality {old.name}"
    if (old.kind, old.entity) != (new.kind, new.entity):
        raise InputError(
            f"is of kind {old.kind} of {old.entity}s, the new profiles of kind {new.kind} of {new.entity}s",
            where=where,
            hint="give the new table another name",
        )
    shared = set(old.columns) & set(new.columns)
    if not shared:
        raise InputError(
            "shares no feature with the new profiles", where=where, hint="give these another name"
        )
    columns = (*old.columns, *(name for name in new.columns if name not in shared))
    for which, lacks in (("new", set(old.columns) - shared), ("old", set(new.columns) - shared)):
        if lacks:
            names = ", ".join(sorted(lacks)[:_EXAMPLES])
            empty = agreeing(len(lacks), "feature", "is", "are")
            problems.note(f"{where}: {empty} empty in the {which} profiles: {names}")
    above, below = _widened(old, columns), _widened(new, columns)
    known = {(int(row), values.tobytes()) for row, values in zip(old.rows, above, strict=True)}
    fresh = np.array(
        [(int(row), values.tobytes()) not in known for row, values in zip(new.rows, below, strict=True)], bool
    )
    if not fresh.all():
        there = "was there already and is", "were there already and are"
        problems.note(f"{where}: {agreeing(int((~fresh).sum()), 'profile', *there)} left out")
    again = int(np.isin(new.rows[fresh], old.rows).sum())
    if again:
        are = agreeing(again, "new profile", f"is of a {old.entity}", f"are of {old.entity}s")
        problems.note(f"{where}: {are} that had one before; both are kept")
    rows = np.concatenate([old.rows, new.rows[fresh]])
    return replace(
        old,
        rows=rows,
        values=np.concatenate([above, below[fresh]]),
        columns=columns,
        provenance=old.provenance.above(new.provenance.take(fresh), (len(old), int(fresh.sum()))),
    )


def _widened(modality: Modality, columns: tuple[str, ...]) -> NDArray[np.float32]:
    """Return the values in the order of ``columns``, NaN where the modality lacks one."""
    if modality.columns == columns:
        return modality.values
    place = {name: j for j, name in enumerate(columns)}
    values = np.full((len(modality), len(columns)), np.nan, np.float32)
    values[:, [place[name] for name in modality.columns]] = modality.values
    return values
