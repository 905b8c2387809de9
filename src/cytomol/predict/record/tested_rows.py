"""The rows that a fit was tested on: what was said of them, how surely, and what had been learnt from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.splits import rotation
from cytomol.predict.predictor import Predictor
from cytomol.predict.uncertainty import Uncertainty
from cytomol.predict.uncertainty.answer import UncertaintyAnswer

if TYPE_CHECKING:
    from cytomol.predict.fitting import Fitting

__all__ = ["TestedRows", "divisions_of", "tested_rows"]

COVERAGE = 0.9
"""Of the intervals and sets that a report shows."""


@dataclass(frozen=True)
class TestedRows:
    """Rows that were answered by a fit which had not seen them.

    Attributes
    ----------
    rows
        Their places in the fitting's table, int64, shape (n,).
    columns
        What was said, shape (n, columns).
    similarity
        Tanimoto coefficient with the nearest molecule that was learnt from, shape (n,).
    certainty
        How surely; None where nothing was held out.
    where
        "test", "valid", or "folds" of a cross-validation.
    part, learnt_from
        Which of the fits answered each row, shape (n,), and the rows that each fit had learnt from.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.float64]
    similarity: NDArray[np.float64]
    certainty: UncertaintyAnswer | None
    where: str
    part: NDArray[np.int64]
    learnt_from: list[NDArray[np.bool_]]

    def __len__(self) -> int:
        return len(self.rows)


def divisions_of(folds: NDArray[np.str_]) -> NDArray[np.int64] | None:
    """Return the number in "fold 3", -1 for no fold, shape (n,); None where the folds are of one split.

    >>> divisions_of(np.array(["fold 0", "", "fold 2"]))
    array([ 0, -1,  2])
    """
    numbered = np.char.startswith(folds, "fold ")
    if not numbered.any():
        return None
    return np.array([int(fold[5:]) if own else -1 for fold, own in zip(folds, numbered, strict=True)])


def tested_rows(
    fitting: Fitting, evaluated: Predictor, folds: NDArray[np.str_], uncertainty: Uncertainty | None
) -> TestedRows | None:
    """Return the rows that the verdict rests on, answered again; None where no row has a label.

    Parameters
    ----------
    fitting, evaluated
        The fit that was scored; of a cross-validation, that of the first round with all held-out answers.
    folds
        Fold of each of the fitting's rows.
    uncertainty
        What says how sure the answers are; None where nothing was held out.
    """
    division = divisions_of(folds)
    bits = fitting.fingerprints
    if division is None:
        where, rows = fitting.judged_rows()
        if not len(rows):
            return None
        train = fitting.folds == "train"
        columns, members = evaluated.answer({name: block[rows] for name, block in fitting.blocks.items()})
        part, learnt_from = np.zeros(len(rows), dtype=np.int64), [train]
    else:
        assert fitting.held is not None, "a cross-validation holds its answers"
        measured = ~np.isnan(fitting.table.labels.matrix).all(axis=1)
        where, rows = "folds", np.flatnonzero((division >= 0) & measured)
        columns, members = fitting.held.predicted[rows], fitting.held.members[:, rows]
        part = division[rows]
        learnt_from = [rotation(division, fold) == "train" for fold in range(int(division.max()) + 1)]
    similarity = _similarity(bits, rows, part, learnt_from)
    certainty = None
    if uncertainty is not None:
        near = np.repeat(similarity[:, None], 5, axis=1).astype(np.float32)
        members = members[: uncertainty.members]
        certainty = uncertainty.answer(columns, members, bits[rows], COVERAGE, neighbours=near)
    return TestedRows(rows, columns, similarity, certainty, where, part, learnt_from)


def _similarity(
    bits: NDArray[np.uint8],
    rows: NDArray[np.int64],
    part: NDArray[np.int64],
    learnt_from: list[NDArray[np.bool_]],
) -> NDArray[np.float64]:
    """Return the likeness of each row to the nearest one that its fit had learnt from, shape (n,)."""
    from cytomol.predict.crossfit import nearest_similarity

    found = np.full(len(rows), np.nan)
    for number, train in enumerate(learnt_from):
        own = part == number
        if own.any() and train.any():
            found[own] = nearest_similarity(bits[train], bits[rows[own]])
    return found
