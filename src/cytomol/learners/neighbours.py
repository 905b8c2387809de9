"""Nearest neighbours on Tanimoto similarity, task by task over the molecules measured in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.metrics import metrics, score_tasks
from cytomol.checked import Checked
from cytomol.learners.base import Learning, Matrix, learners
from cytomol.learners.loops import Loop, prange
from cytomol.learners.matrix import MatrixLearner
from cytomol.learners.tanimoto import CountSimilarity, KeptSimilarity, counts_of

__all__ = ["Neighbours"]

_CHOICES = (1, 3, 5, 10, 20)
_PRIOR = 0.05
_CHUNK = 2048


class Neighbours(MatrixLearner):
    """Mean label of the most similar training molecules, weighted by similarity to the third power.

    How many neighbours is what leave-one-out scores best on the training rows. The task's mean weighs as
    much as a neighbour of similarity 0.37, so that molecules without any are not answered at random.
    """

    name: ClassVar[str] = "neighbours"
    summary: ClassVar[str] = "nearest neighbours on Tanimoto similarity of counts"
    reads_encoders = False  # likeness is that of counts
    default_blocks = ("counts",)

    def __init__(self, blocks: tuple[str, ...] | None = None) -> None:
        super().__init__(blocks)
        self.k = 5
        self.counts: NDArray[np.uint8] = np.zeros((0, 0), dtype=np.uint8)
        self.labels: NDArray[np.float64] = np.zeros((0, 0))
        self._similarity = KeptSimilarity()

    def fit_matrix(self, X: Matrix, learning: Learning) -> None:
        """Keep the training molecules and choose the number of neighbours."""
        rows = np.flatnonzero(learning.train)
        self.counts, self.labels = counts_of(X[rows]), learning.labels[rows]
        rng = np.random.default_rng(learning.seed)
        asked = np.sort(rng.permutation(len(rows))[:2000])
        similarity = CountSimilarity(self.counts)(self.counts[asked])
        similarity[np.arange(len(asked)), asked] = -1.0  # a molecule is no neighbour of its own
        sign = 1 if metrics[learning.metric].higher_is_better else -1
        means = self._answer(similarity, np.array(_CHOICES))
        scores = [
            sign * score_tasks(self.labels[asked], answer, learning.metric)[0]
            for answer in np.moveaxis(means, 2, 0)
        ]
        self.k = _CHOICES[int(np.nanargmax(scores))] if not np.isnan(scores).all() else 5

    def _answer(self, similarity: NDArray[np.float32], choices: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the means of the labels of so many neighbours, (n, train) -> (n, tasks, choices)."""
        order = np.argsort(-similarity, axis=1, kind="stable")
        total, weight = _sums(
            similarity, order, self.labels, choices, work=len(order) * self.labels.shape[1] * int(choices[-1])
        )
        known = ~np.isnan(self.labels)
        mean = np.full(self.labels.shape[1], np.nan)
        mean[known.any(axis=0)] = np.nanmean(self.labels[:, known.any(axis=0)], axis=0)
        return np.asarray((total + _PRIOR * mean[:, None]) / (weight + _PRIOR))

    def predict_matrix(self, X: Matrix) -> NDArray[np.float64]:
        """Return the weighted means of the neighbours' labels."""
        compare, counts = self._similarity.to(self.counts), counts_of(X)
        parts = [
            self._answer(compare(counts[start : start + _CHUNK]), np.array([self.k]))[:, :, 0]
            for start in range(0, max(len(X), 1), _CHUNK)
        ]
        return np.concatenate(parts)

    def own_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the training molecules and labels."""
        return {"k": self.k}, {"neighbours.counts": self.counts, "neighbours.labels": self.labels}

    def restore_own(self, table: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take the training molecules and labels."""
        saved = Checked(table, arrays, "neighbours")
        self.k = saved.whole("k", 1, 10_000)
        self.counts = saved.array("neighbours.counts", np.uint8, "rows width")
        self.labels = saved.array("neighbours.labels", np.float64, "rows tasks", low=-1e300, high=1e300)


@Loop
def _sums(
    similarity: NDArray[np.float32],
    order: NDArray[np.int64],
    labels: NDArray[np.float64],
    choices: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return sums of weight times label and of weights over the nearest that are measured.

    One walk down the order of a molecule serves all tasks and all numbers of neighbours; it ends where
    every task has enough of them.

    Parameters
    ----------
    similarity, order
        With the training molecules, and these from the most similar on, shape (n, train) each.
    labels
        NaN where not measured, shape (train, tasks).
    choices
        Numbers of neighbours, rising, shape (choices,).

    Returns
    -------
    Two arrays, float64, shape (n, tasks, choices).
    """
    asked, train = similarity.shape
    tasks, most = labels.shape[1], choices[-1]
    total = np.zeros((asked, tasks, len(choices)))
    weight = np.zeros((asked, tasks, len(choices)))
    for row in prange(asked):
        found = np.zeros(tasks, dtype=np.int64)
        full = 0
        for rank in range(train):
            near = order[row, rank]
            likeness = float(max(similarity[row, near], 0.0))
            share = likeness * likeness * likeness  # a power is computed otherwise once it is compiled
            for task in range(tasks):
                y = labels[near, task]
                if found[task] == most or np.isnan(y):
                    continue
                for choice in range(len(choices)):
                    if found[task] < choices[choice]:
                        total[row, task, choice] += share * y
                        weight[row, task, choice] += share
                found[task] += 1
                if found[task] == most:
                    full += 1
            if full == tasks:
                break
    return total, weight


learners.register("neighbours")(Neighbours)
