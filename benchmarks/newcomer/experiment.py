"""Draw the molecules of a newcomer, and let the default, what costs nothing and chemprop predict them."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.splits import FOLDS
from cytomol.assays.splits.kfold import rotation
from cytomol.evaluate.peers import Peer
from cytomol.evaluate.sets import BenchmarkSet
from cytomol.predict.config import FinetuneConfig
from cytomol.predict.finetune import FinetuneResult, finetune

__all__ = ["DEFAULT", "MOLECULES", "PEER", "VALIDATIONS", "Answer", "Draw", "rounds"]

MOLECULES = 300
DEFAULT, PEER = "cytomol", "chemprop"
VALIDATIONS = {"one split": 0, "5 folds": 5}
"""Folds by the name of the validation: the default scaffold split has none."""
_NAMES = {"model": DEFAULT}


@dataclass(frozen=True)
class Answer:
    """How far off a model was.

    Attributes
    ----------
    model
        Its name.
    mae
        Mean absolute error over the tested molecules.
    n
        How many were tested.
    seconds
        Wall time of featurizing, fitting and scoring; None where it is part of the default's.
    verdict
        The word that the default says of itself; "" of others.
    """

    model: str
    mae: float
    n: int
    seconds: float | None = None
    verdict: str = ""


@dataclass(frozen=True)
class Draw:
    """The table of one newcomer.

    Attributes
    ----------
    seed
        Seed of the draw and of everything that is fitted to it.
    data
        Molecules and labels of one task.
    """

    seed: int
    data: BenchmarkSet

    @classmethod
    def of(cls, whole: BenchmarkSet, task: str, seed: int, molecules: int = MOLECULES) -> Self:
        """Draw molecules that have a label, from whichever fold of the set."""
        place = whole.labels.names.index(task)
        column = whole.labels.matrix[:, place]
        measured = np.flatnonzero(~np.isnan(column) & np.isin(whole.folds, FOLDS))
        rows = np.sort(np.random.default_rng(seed).permutation(measured)[:molecules])
        labels = replace(
            whole.labels, tasks=whole.labels.tasks[place : place + 1], matrix=column[rows, None], bounds=None
        )
        smiles = [whole.smiles[row] for row in rows]
        return cls(seed, BenchmarkSet(whole.name, smiles, labels, np.full(len(rows), "", "<U5"), "mae"))

    def own_answers(self, validation: str) -> list[Answer]:
        """Fine-tune by default; return how it and what stands beside it did.

        Scores are those of the fit that has not seen the tested molecules; the refit and the calibration,
        which change no score, are left out.
        """
        began = time.perf_counter()
        fitted = self._finetune(validation)
        seconds = time.perf_counter() - began
        assert fitted.verdict is not None
        (judged,) = fitted.verdict.tasks
        answers = [
            Answer(_NAMES.get(model, model), scores["mae"].value, judged.labels)
            for model, scores in judged.scores.items()
        ]
        return [
            replace(answer, seconds=seconds, verdict=judged.word) if answer.model == DEFAULT else answer
            for answer in answers
        ]

    def folds(self, validation: str) -> NDArray[np.str_]:
        """Return the folds that fine-tuning makes, whatever it fits: those of the quickest learner."""
        return self._finetune(validation, learner="neighbours", baselines=False).folds

    def _finetune(self, validation: str, **options: Any) -> FinetuneResult:
        config = FinetuneConfig(
            folds=VALIDATIONS[validation], seed=self.seed, threads=1, refit=False, calibration_folds=0
        )
        return finetune(self.data.smiles, self.data.labels, config.updated(**options), workers=1, cache=None)

    def peer_answer(self, peer: Peer, folds: NDArray[np.str_]) -> Answer:
        """Let another program learn from the same folds and predict the same molecules."""
        errors: list[NDArray[np.float64]] = []
        seconds = 0.0
        for own in rounds(folds):
            rows = np.flatnonzero(own == FOLDS[2])
            with tempfile.TemporaryDirectory() as folder:
                result = peer.run(
                    replace(self.data, folds=own), rows, seed=self.seed, threads=1, folder=Path(folder)
                )
            errors.append(np.abs(result.predicted[:, 0] - self.data.labels.matrix[rows, 0]))
            seconds += result.seconds_fit + result.seconds_predict
        every = np.concatenate(errors)
        return Answer(PEER, float(every.mean()), len(every), seconds)


def rounds(folds: NDArray[np.str_]) -> Iterable[NDArray[np.str_]]:
    """Return the folds of every round: of one split itself, of "fold 0" and so on each round's."""
    if np.isin(folds, ("", *FOLDS)).all():
        return [folds]
    tested = np.array([int(name.removeprefix("fold ")) if name else -1 for name in folds])
    return [rotation(tested, fold) for fold in range(int(tested.max()) + 1)]
