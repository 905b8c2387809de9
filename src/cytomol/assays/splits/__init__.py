"""Splits into train, valid and test; every strategy in its own file, registered by name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.same_molecule import molecule_groups
from cytomol.assays.splits import cluster, random, scaffold, scaffold_infoalign, scaffold_ogb, time
from cytomol.assays.splits.base import FOLDS, Molecules, Splitter, check_fractions, splitters
from cytomol.assays.splits.file import folds_from_column, read_split
from cytomol.assays.splits.kfold import kfold, kfold_of_blocks, rotation
from cytomol.assays.splits.once import each_once
from cytomol.assays.splits.shares import divided_molecules, far_from_shares
from cytomol.counted import agreeing
from cytomol.errors import note

__all__ = [
    "FOLDS",
    "Splitter",
    "divided_molecules",
    "far_from_shares",
    "folds_from_column",
    "kfold",
    "kfold_of_blocks",
    "read_split",
    "rotation",
    "split",
    "splitters",
]

del cluster, random, scaffold, scaffold_infoalign, scaffold_ogb, time  # imported to register themselves


def split(
    smiles: Sequence[str],
    split_type: str = "scaffold",
    *,
    fractions: Sequence[float] | None = None,
    seed: int = 0,
    groups: NDArray[np.int64] | None = None,
    dates: NDArray[np.datetime64] | None = None,
) -> NDArray[np.str_]:
    """Split molecules by a registered rule, so that no molecule stands in two folds.

    A fold far from its share is noted. The published rules (scaffold-ogb, scaffold-infoalign) read every
    row as a molecule of its own; how many molecules they divide is noted.

    Parameters
    ----------
    smiles
        Valid SMILES.
    split_type
        "random", "scaffold" (largest scaffolds first, nothing random), "cluster" (the same with clusters of
        similar molecules), "time" (by dates), "scaffold-ogb" or "scaffold-infoalign" (as published).
    fractions
        Shares of train, valid and test, in rows; by default those of the rule.
    seed
        Seed of the rules that shuffle.
    groups
        Molecule of every row, int64; None tells it by connectivity.
    dates
        Date of every row, for the rule "time".

    Returns
    -------
    ndarray of str
        "train", "valid" or "test" for every molecule, "" for one without a date, shape (n,).
    """
    splitter = splitters[split_type]
    shares = check_fractions(splitter.fractions if fractions is None else fractions)
    groups = molecule_groups(smiles) if groups is None else groups
    where = f"{split_type} split"
    if splitter.as_published:
        rows = Molecules(smiles, np.ones(len(smiles), np.int64), dates)
        folds = splitter(rows, fractions=shares, seed=seed)
        if divided := divided_molecules(folds, groups):
            note(f"{divided:,} molecule(s) stand in two folds, as in the published rule", where=where)
    else:
        molecules, places = each_once(smiles, groups, dates)
        folds = splitter(molecules, fractions=shares, seed=seed)[places]
        if without := int((folds == "").sum()):
            lack = agreeing(without, "row", "has no date and is", "have no date and are", of=len(folds))
            note(f"{lack} in no fold", where=where)
    for line in (lines := far_from_shares(folds, shares)):
        note(line, where=where)
    if lines and not splitter.as_published:
        largest = int(np.bincount(splitter.blocks(molecules)[places] + 1)[1:].max(initial=0))
        note(f"the largest block that stays together has {largest:,} of {len(folds):,} rows", where=where)
    return folds
