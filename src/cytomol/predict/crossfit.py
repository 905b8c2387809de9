"""Held-out answers to all molecules: learners fitted without the scaffolds that they are asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.scaffolds import murcko_scaffold
from cytomol.chem.similarity import tanimoto_top_k
from cytomol.learners.base import Learning, Matrix
from cytomol.predict.predictor import Predictor
from cytomol.predict.stages import Stages

__all__ = [
    "HeldOutAnswers",
    "calibration_folds",
    "cross_fit",
    "grouped_folds",
    "nearest_similarity",
    "scaffold_groups",
]

Matrix64 = NDArray[np.float64]

_FIVE_UP_TO, _THREE_UP_TO = 3_000, 20_000


def calibration_folds(wanted: int | None, molecules: int) -> int:
    """Return into how many folds molecules are put for calibration; 0 leaves it to the valid fold.

    By default five up to 3,000 molecules, three up to 20,000, none above: each is one more fit.
    """
    if wanted is not None:
        return wanted
    return 5 if molecules <= _FIVE_UP_TO else 3 if molecules <= _THREE_UP_TO else 0


def scaffold_groups(smiles: Sequence[str]) -> NDArray[np.int64]:
    """Return the number of the scaffold of each molecule, shape (n,).

    Every molecule without rings is a scaffold of its own.
    """
    scaffolds = [murcko_scaffold(text) or f"{row} has no ring" for row, text in enumerate(smiles)]
    return np.asarray(np.unique(np.array(scaffolds, dtype=str), return_inverse=True)[1])


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


@dataclass(frozen=True)
class HeldOutAnswers:
    """What learners said of molecules that they were not fitted on.

    Attributes
    ----------
    predicted
        Probabilities and values in the unit of the table, shape (n, columns); NaN where there is none.
    members
        The same of each member of an ensemble, shape (members, n, columns).
    similarity
        Tanimoto coefficient with the nearest molecule that the learner which answered was fitted on, float32,
        shape (n,).
    """

    predicted: Matrix64
    members: Matrix64
    similarity: NDArray[np.float32]

    def put(self, rows: NDArray[np.bool_], other: HeldOutAnswers) -> None:
        """Replace the answers to some rows, in place."""
        self.predicted[rows], self.members[:, rows] = other.predicted, other.members
        self.similarity[rows] = other.similarity


def nearest_similarity(known: NDArray[np.uint8], asked: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the Tanimoto coefficient of each asked fingerprint with the nearest known one, shape (n,)."""
    if not len(asked) or not len(known):
        return np.zeros(len(asked), dtype=np.float32)
    similarity = tanimoto_top_k(np.ascontiguousarray(known), 1, queries=np.ascontiguousarray(asked))[1]
    return np.asarray(similarity[:, 0], dtype=np.float32)


def cross_fit(
    evaluated: Predictor,
    blocks: Mapping[str, Matrix],
    learning: Learning,
    folds: NDArray[np.int64],
    fingerprints: NDArray[np.uint8],
    *,
    stages: Stages,
) -> HeldOutAnswers:
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
    fingerprints
        Packed bits of each row, by which likeness is told, uint8, shape (n, bytes).
    stages
        Keeps what each fold gave, so that an interrupted run goes on.

    Returns
    -------
    HeldOutAnswers
        Of the rows that are in a fold, in their order.
    """
    numbers = np.unique(folds[folds >= 0])
    found, likeness = [], []
    for done, fold in enumerate(numbers):
        learning.step(done, len(numbers), f"calibration, fold {done + 1} of {len(numbers)}")
        out, rest = folds == fold, (folds >= 0) & (folds != fold)

        def fit(out: NDArray[np.bool_] = out, rest: NDArray[np.bool_] = rest) -> dict[str, Matrix64]:
            rest_only = replace(learning, train=rest, valid=np.zeros_like(rest), step=lambda *_: None)
            learner = evaluated.learner.refit(blocks, rest_only)
            answers, members = learner.answer({name: block[out] for name, block in blocks.items()})
            return {"answers": answers, "members": members}

        found.append(stages.arrays(f"calibration-{done}", fit))
        likeness.append(nearest_similarity(fingerprints[rest], fingerprints[out]))
    place = np.argsort(np.concatenate([np.flatnonzero(folds == fold) for fold in numbers]))
    answers = np.concatenate([each["answers"] for each in found])[place]
    members = np.concatenate([each["members"] for each in found], axis=1)[:, place]
    decode = evaluated.encoding.decode
    return HeldOutAnswers(decode(answers), decode(members), np.concatenate(likeness)[place])
