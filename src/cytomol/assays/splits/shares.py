"""How near folds are to the shares that were asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.splits.base import FOLDS

__all__ = ["divided_molecules", "far_from_shares"]

_FAR = 0.5  # of the share asked for
_FEW = 2  # rows that are no matter


def far_from_shares(folds: NDArray[np.str_], fractions: Sequence[float]) -> list[str]:
    """Return a line for every fold that is empty, or far larger or smaller than asked for.

    Parameters
    ----------
    folds
        Fold of every row, "" for none, shape (rows,).
    fractions
        Shares of train, valid and test.
    """
    n = int((folds != "").sum())
    lines = []
    for fold, share in zip(FOLDS, fractions, strict=True):
        held = int((folds == fold).sum())
        if abs(held - share * n) > max(_FAR * share * n, _FEW):
            part = held / max(n, 1)
            lines.append(f"the {fold} fold has {held:,} of {n:,} rows ({part:.0%}) instead of {share:.0%}")
    return lines


def divided_molecules(folds: NDArray[np.str_], groups: NDArray[np.int64]) -> int:
    """Return how many molecules stand in more than one fold.

    Parameters
    ----------
    folds
        Fold of every row, "" for none, shape (rows,).
    groups
        Molecule of every row, -1 for none, int64, shape (rows,).
    """
    used = (folds != "") & (groups >= 0)
    pairs = {(int(group), str(fold)) for group, fold in zip(groups[used], folds[used], strict=True)}
    return len(pairs) - len({group for group, _ in pairs})
