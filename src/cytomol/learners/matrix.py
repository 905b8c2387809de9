"""Learners that read one matrix: their blocks scaled and put side by side."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.checked import Checked
from cytomol.learners.base import Learner, Learning, Matrix
from cytomol.learners.blocks import ScaledBlocks

__all__ = ["MatrixLearner", "learnable", "measured_exactly", "task_rows", "under_prefix"]


class MatrixLearner(Learner):
    """Scales its blocks as fitted on the training rows, then learns from one matrix.

    Parameters
    ----------
    blocks
        Names of the blocks; those of the class if not given.
    """

    reads_encoders: ClassVar[bool] = True
    default_blocks: tuple[str, ...] = ("counts", "maccs", "descriptors")
    # how blocks are scaled on the training rows; the others are bits or logarithms of counts
    scaling: ClassVar[Mapping[str, str]] = {"descriptors": "quantile", "embedding": "standard"}

    def __init__(self, blocks: tuple[str, ...] | None = None) -> None:
        self.blocks = self.default_blocks if blocks is None else blocks
        self.scaled: ScaledBlocks | None = None

    def fit(self, blocks: Mapping[str, Matrix], learning: Learning) -> None:
        """Fit the scaling on the training rows, then the learner."""
        self.scaled = ScaledBlocks(self.blocks)
        self.scaled.fit(blocks, learning.train, self.scaling)
        self.fit_matrix(self.scaled.transform(blocks), learning)

    def predict(self, blocks: Mapping[str, Matrix]) -> NDArray[np.float64]:
        """Scale the blocks and predict, shape (m, columns)."""
        assert self.scaled is not None, "the learner is not fitted"
        return self.predict_matrix(self.scaled.transform(blocks))

    @abstractmethod
    def fit_matrix(self, X: Matrix, learning: Learning) -> None:
        """Learn from scaled features, shape (n, width)."""

    @abstractmethod
    def predict_matrix(self, X: Matrix) -> NDArray[np.float64]:
        """Predict from scaled features, (m, width) -> (m, columns)."""

    @abstractmethod
    def own_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return what :meth:`predict_matrix` needs."""

    @abstractmethod
    def restore_own(self, table: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take what :meth:`own_state` gave."""

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the blocks, their scaling and the learner's own state."""
        assert self.scaled is not None, "the learner is not fitted"
        table, arrays = self.own_state()
        scaling = {f"scaling.{name}": array for name, array in self.scaled.arrays().items()}
        return {**table, "blocks": list(self.blocks)}, {**arrays, **scaling}

    @classmethod
    def restore(cls, table: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from :meth:`state`."""
        learner = cls(Checked(table, arrays, cls.name).words("blocks"))
        learner.scaled = ScaledBlocks.restore(learner.blocks, under_prefix(arrays, "scaling."))
        learner.restore_own(table, arrays)
        return learner


def under_prefix(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    """Return the arrays whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def task_rows(learning: Learning, task: int) -> NDArray[np.int64]:
    """Return the training rows at which a column is measured."""
    return np.flatnonzero(learning.train & ~np.isnan(learning.labels[:, task]))


def measured_exactly(learning: Learning) -> NDArray[np.float64]:
    """Return the labels without those of which only a bound is known, shape (n, columns)."""
    if learning.bounds is None:
        return learning.labels
    return np.where(learning.bounds == 0, learning.labels, np.nan)


def learnable(labels: NDArray[np.float64], kind: str) -> bool:
    """Return whether the labels of a column's training rows teach anything: two of them, of both classes."""
    return len(labels) > 1 and (kind == "regression" or len(np.unique(labels)) == 2)
