"""Splits into train, valid and test; every strategy in its own file, registered by name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.splits import random, scaffold, scaffold_infoalign
from cytomol.assays.splits.base import FOLDS, Splitter, check_fractions, splitters
from cytomol.assays.splits.file import folds_from_column, read_split

__all__ = ["FOLDS", "Splitter", "folds_from_column", "read_split", "split", "splitters"]

del random, scaffold, scaffold_infoalign  # imported to register themselves


def split(
    smiles: Sequence[str],
    split_type: str = "scaffold",
    *,
    fractions: Sequence[float] | None = None,
    seed: int = 0,
) -> NDArray[np.str_]:
    """Split molecules by a registered rule.

    Parameters
    ----------
    smiles
        Valid SMILES.
    split_type
        "random", "scaffold" (largest scaffolds first, nothing random), "scaffold-ogb" (the same as
        OGB has it, scaffolds of molecules as they are written) or "scaffold-infoalign".
    fractions
        Shares of train, valid and test; by default those of the rule.
    seed
        Seed of the rules that shuffle.

    Returns
    -------
    ndarray of str
        "train", "valid" or "test" for every molecule, shape (n,).
    """
    splitter = splitters[split_type]
    shares = check_fractions(splitter.fractions if fractions is None else fractions)
    return splitter(smiles, fractions=shares, seed=seed)
