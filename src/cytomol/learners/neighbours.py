"""Nearest neighbours on Tanimoto similarity, task by task over the molecules measured in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.metrics import metrics, score_tasks
from cytomol.checked import Checked
from cytomol.learners.base import Learning, Matrix, learners
from cytomol.learners.matrix import MatrixLearner
from cytomol.learners.tanimoto import CountSimilarity, counts_of

__all__ = ["Neighbours"]

_CHOICES = (1, 3, 5, 10, 20)
_POWER = 3
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

    def fit_matrix(self, X: Matrix, learning: Learning) -> None:
        """Keep the training molecules and choose the number of neighbours."""
        rows = np.flatnonzero(learning.train)
        self.counts, self.labels = counts_of(X[rows]), learning.labels[rows]
        rng = np.random.default_rng(learning.seed)
        asked = np.sort(rng.permutation(len(rows))[:2000])
        similarity = CountSimilarity(self.counts)(self.counts[asked])
        similarity[np.arange(len(asked)), asked] = -1.0  # a molecule is no neighbour of its own
        sign = 1 if metrics[learning.metric].higher_is_better else -1
        scores = [
            sign * score_tasks(self.labels[asked], self._answer(similarity, k), learning.metric)[0]
            for k in _CHOICES
        ]
        self.k = _CHOICES[int(np.nanargmax(scores))] if not np.isnan(scores).all() else 5

    def _answer(self, similarity: NDArray[np.float32], k: int) -> NDArray[np.float64]:
        """Return the weighted means of the labels, (n, train) -> (n, tasks)."""
        result = np.full((len(similarity), self.labels.shape[1]), np.nan)
        for task in range(self.labels.shape[1]):
            known = np.flatnonzero(~np.isnan(self.labels[:, task]))
            if not known.size:
                continue
            y, likeness = self.labels[known, task], similarity[:, known]
            if len(known) > k:
                nearest = np.argpartition(-likeness, k - 1, axis=1)[:, :k]
                likeness, y_near = np.take_along_axis(likeness, nearest, axis=1), y[nearest]
            else:
                y_near = np.broadcast_to(y, likeness.shape)
            weight = np.maximum(likeness, 0).astype(np.float64) ** _POWER
            total = (weight * y_near).sum(axis=1) + _PRIOR * y.mean()
            result[:, task] = total / (weight.sum(axis=1) + _PRIOR)
        return result

    def predict_matrix(self, X: Matrix) -> NDArray[np.float64]:
        """Return the weighted means of the neighbours' labels."""
        compare, counts = CountSimilarity(self.counts), counts_of(X)
        parts = [
            self._answer(compare(counts[start : start + _CHUNK]), self.k)
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


learners.register("neighbours")(Neighbours)
