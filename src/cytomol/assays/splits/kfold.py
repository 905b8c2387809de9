"""Repeated k-fold cross-validation by any rule of splitting."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.same_molecule import molecule_groups
from cytomol.assays.splits.base import FOLDS, splitters
from cytomol.assays.splits.once import each_once
from cytomol.counted import counted
from cytomol.errors import ConfigError, InputError

__all__ = ["kfold", "kfold_of_blocks", "rotation"]


def kfold(
    smiles: Sequence[str],
    split_type: str = "random",
    *,
    folds: int = 5,
    repeats: int = 1,
    seed: int = 0,
    groups: NDArray[np.int64] | None = None,
    dates: NDArray[np.datetime64] | None = None,
) -> NDArray[np.int64]:
    """Divide molecules into folds of near equal size, several times.

    A molecule's rows stay together, and so do scaffolds, clusters or dates, as the rule has it. By time the
    folds are consecutive periods.

    Parameters
    ----------
    smiles
        Valid SMILES.
    split_type
        Name of a rule, see :func:`cytomol.assays.splits.split`.
    folds, repeats, seed
        Folds of one division, divisions, and the seed of the first.
    groups
        Molecule of every row; None tells it by connectivity.
    dates
        Date of every row, for the rule "time".

    Returns
    -------
    numpy.ndarray
        Fold in which every row is tested, from 0, -1 for a row without a date; int64, shape (repeats, rows).
    """
    splitter = splitters[split_type]
    groups = molecule_groups(smiles) if groups is None else groups
    molecules, places = each_once(smiles, groups, dates)
    blocks = splitter.blocks(molecules)
    if split_type == "time":
        if repeats > 1:
            raise ConfigError(
                "time has one order: repeated divisions by time are all the same",
                where="repeats",
                hint="leave --repeats out, or split by another rule",
            )
        return _periods(blocks, molecules.rows, folds)[places][None, :]
    return kfold_of_blocks(blocks[places], folds=folds, repeats=repeats, seed=seed)


def kfold_of_blocks(
    blocks: NDArray[np.int64], *, folds: int = 5, repeats: int = 1, seed: int = 0
) -> NDArray[np.int64]:
    """Divide rows into folds of near equal size that divide no block, several times.

    The largest blocks are dealt first, each to the smallest fold; blocks of one size in random order.

    Parameters
    ----------
    blocks
        Block of every row, int64, shape (rows,).
    folds, repeats, seed
        Folds of one division, divisions, and the seed of the first.

    Returns
    -------
    numpy.ndarray
        Fold of every row, from 0, int64, shape (repeats, rows).

    Raises
    ------
    ConfigError
        If there are fewer than two folds or no division.
    InputError
        If there are fewer blocks than folds.
    """
    if folds < 2 or repeats < 1:
        times, parts = counted(repeats, "time", comma=False), counted(folds, "fold", comma=False)
        raise ConfigError(
            f"cannot divide {times} into {parts}",
            where="folds",
            hint="at least once, into at least 2",
        )
    _, numbers, sizes = np.unique(blocks, return_inverse=True, return_counts=True)
    if len(sizes) < folds:
        raise InputError(
            f"{len(sizes)} block(s) of molecules that stay together cannot fill {folds} folds",
            hint="ask for fewer folds, or split by another rule",
        )
    result = np.empty((repeats, len(blocks)), np.int64)
    for repeat in range(repeats):
        generator = np.random.default_rng([seed, repeat])
        order = generator.permutation(len(sizes))
        held = np.zeros(folds, np.int64)
        fold_of = np.empty(len(sizes), np.int64)
        for block in order[np.argsort(-sizes[order], kind="stable")]:
            fold_of[block] = int(np.argmin(held))
            held[fold_of[block]] += sizes[block]
        result[repeat] = fold_of[numbers]
    return result


def rotation(tested: NDArray[np.int64], fold: int) -> NDArray[np.str_]:
    """Return the folds of one round: one fold tests, the next one is valid, the rest train.

    Parameters
    ----------
    tested
        Fold in which every row is tested, -1 for none, int64, shape (rows,).
    fold
        The one that tests now.
    """
    count = int(tested.max()) + 1
    folds = np.full(len(tested), FOLDS[0], dtype="<U5")
    folds[tested == (fold + 1) % count] = FOLDS[1]
    folds[tested == fold] = FOLDS[2]
    folds[tested < 0] = ""
    return folds


def _periods(blocks: NDArray[np.int64], rows: NDArray[np.int64], folds: int) -> NDArray[np.int64]:
    """Return consecutive periods of near equal size, -1 for molecules without a date, shape (n,)."""
    dated = blocks >= 0
    sizes = np.bincount(blocks[dated], weights=rows[dated])
    if len(sizes) < folds:
        raise InputError(f"{len(sizes)} date(s) cannot fill {folds} folds", hint="ask for fewer folds")
    middle = np.cumsum(sizes) - sizes / 2
    period = np.minimum((middle * folds / sizes.sum()).astype(np.int64), folds - 1)
    result = np.full(len(blocks), -1, np.int64)
    result[dated] = period[blocks[dated]]
    return result
