"""Held-out answers to all molecules: learners fitted without the scaffolds that they are asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.scaffolds import murcko_scaffold
from cytomol.learners.base import Learning, Matrix
from cytomol.predict.predictor import Predictor
from cytomol.predict.stages import Stages

__all__ = ["calibration_folds", "cross_fit"]

_FIVE_UP_TO, _THREE_UP_TO = 3_000, 20_000


def calibration_folds(wanted: int | None, molecules: int) -> int:
    """Return into how many folds molecules are put for calibration; 0 leaves it to the valid fold.

    By default five up to 3,000 molecules, three up to 20,000, none above: each is one more fit.
    """
    if wanted is not None:
        return wanted
    return 5 if molecules <= _FIVE_UP_TO else 3 if molecules <= _THREE_UP_TO else 0


def scaffold_folds(smiles: Sequence[str], folds: int, seed: int = 0) -> NDArray[np.int64]:
    """Return a fold for each molecule, shape (n,); molecules of one scaffold are in one fold.

    Every molecule without rings is a scaffold of its own.
    """
    scaffolds = [murcko_scaffold(text) or f"{row} has no ring" for row, text in enumerate(smiles)]
    groups = np.unique(np.array(scaffolds, dtype=str), return_inverse=True)[1]
    return grouped_folds(groups, folds, seed=seed)


def grouped_folds(groups: NDArray[np.int64], folds: int, *, seed: int = 0) -> NDArray[np.int64]:
    """Return a fold for each row, shape (n,): groups stay whole, folds are of nearly equal size."""
    sizes = np.bincount(groups)
    order = np.random.default_rng(seed).permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    filled, fold_of = np.zeros(folds, dtype=np.int64), np.empty(len(sizes), dtype=np.int64)
    for group in order:
        fold_of[group] = int(np.argmin(filled))
        filled[fold_of[group]] += sizes[group]
    return np.asarray(fold_of[groups])


def cross_fit(
    evaluated: Predictor,
    blocks: Mapping[str, Matrix],
    learning: Learning,
    folds: NDArray[np.int64],
    stages: Stages,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Answer every molecule that is in a fold by learners that were fitted on the other folds.

    Parameters
    ----------
    evaluated
        Its learners' choices (weights of an ensemble, number of epochs) are taken over.
    blocks
        Features, each float32, shape (n, width).
    learning
        Labels and seeds; its ``train`` and ``valid`` are not read.
    folds
        Fold of each row, -1 for rows that take no part, shape (n,).
    stages
        Keeps what each fold gave, so that an interrupted run goes on.

    Returns
    -------
    answers, members
        Of the rows that are in a fold, in the unit of the table, shapes (m, columns) and (members, m,
        columns).
    """
    taken = np.flatnonzero(folds >= 0)
    numbers = np.unique(folds[taken])
    found = []
    for done, fold in enumerate(numbers):
        learning.step(done, len(numbers), f"calibration, fold {done + 1} of {len(numbers)}")

        def fit(fold: int = fold) -> dict[str, NDArray[np.float64]]:
            rest = (folds >= 0) & (folds != fold)
            own = replace(learning, train=rest, valid=np.zeros_like(rest), step=lambda *_: None)
            learner = evaluated.learner.refit(blocks, own)
            answers, members = learner.answer({name: block[folds == fold] for name, block in blocks.items()})
            return {"answers": answers, "members": members}

        found.append(stages.arrays(f"calibration-{done}", fit))
    place = np.argsort(np.concatenate([np.flatnonzero(folds == fold) for fold in numbers]))
    answers = np.concatenate([each["answers"] for each in found])[place]
    members = np.concatenate([each["members"] for each in found], axis=1)[:, place]
    return evaluated.encoding.decode(answers), evaluated.encoding.decode(members)
