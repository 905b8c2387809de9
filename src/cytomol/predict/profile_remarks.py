"""What should be known of profiles that were joined to molecules, beside how many were."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cytomol.corpus.conditions import condition_table, differences
from cytomol.corpus.profiles import ProfileTable
from cytomol.corpus.roles import find_roles
from cytomol.counted import agreeing

__all__ = ["profile_remarks"]


def profile_remarks(
    table: ProfileTable, keys: NDArray[np.object_], keys_by_id: NDArray[np.object_], used: NDArray[np.bool_]
) -> Iterator[str]:
    """Yield a sentence on profiles that joined nothing, contradict themselves or are no replicates.

    Parameters
    ----------
    table
        The profiles.
    keys
        Key of the molecule that each was joined by, "" for none, shape (profiles,).
    keys_by_id
        Key of the molecule of the input that has its id; "" where none has, or where it was not looked for.
    used
        Which were joined and hold a value, bool, shape (profiles,).
    """
    lost = int((~used).sum())
    if lost:
        yield f"{agreeing(lost, 'profile', 'is', 'are', of=len(used))} of no molecule of the input, or empty"
    wrong = used & (keys_by_id != "") & (keys_by_id != keys)
    if wrong.any():
        bear = agreeing(int(wrong.sum()), "profile", "bears", "bear", of=len(used))
        yield (
            f"{bear} the id of another molecule than that of the structure, the first in row "
            f"{int(wrong.argmax()) + 1}: the structure was believed"
        )
    rows = np.unique(np.where(used, keys, "").astype(str), return_inverse=True)[1].astype(np.int64)
    tables = [(table, find_roles(table.metadata, {}, where=table.where))]
    differ = differences(condition_table(tables), rows, np.flatnonzero(used))
    if differ:
        yield (
            f"the profiles of a molecule are no replicates: they differ in {', '.join(map(str, differ))}; "
            "choose among the rows of the table before"
        )
