"""Models that read one matrix: their blocks scaled and put side by side."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.featurize import FeatureOptions
from cytomol.learners.base import Learning, Matrix, Model
from cytomol.predict.features import HeadFeatures

__all__ = ["MatrixModel", "learnable", "task_rows"]


class MatrixModel(Model):
    """Scales its blocks as fitted on the training rows, then learns from one matrix.

    Parameters
    ----------
    blocks
        Names of the blocks; those of the class if not given.
    """

    default_blocks: tuple[str, ...] = ("counts", "maccs", "descriptors")
    # how blocks are scaled on the training rows; the others are bits or logarithms of counts
    scaling: ClassVar[Mapping[str, str]] = {"descriptors": "quantile", "embedding": "standard"}

    def __init__(self, blocks: tuple[str, ...] | None = None) -> None:
        self.blocks = self.default_blocks if blocks is None else blocks
        self.scaler: HeadFeatures | None = None

    def fit(self, blocks: Mapping[str, Matrix], learning: Learning) -> None:
        """Fit the scaling on the training rows, then the model."""
        self.scaler = HeadFeatures(self.blocks, FeatureOptions())
        self.scaler.fit(blocks, learning.train, {k: v for k, v in self.scaling.items() if k in self.blocks})
        self.fit_matrix(self.scaler.transform(blocks), learning)

    def predict(self, blocks: Mapping[str, Matrix]) -> NDArray[np.float64]:
        """Scale the blocks and predict, shape (m, tasks)."""
        assert self.scaler is not None, "the model is not fitted"
        return self.predict_matrix(self.scaler.transform(blocks))

    @abstractmethod
    def fit_matrix(self, X: Matrix, learning: Learning) -> None:
        """Learn from scaled features, shape (n, width)."""

    @abstractmethod
    def predict_matrix(self, X: Matrix) -> NDArray[np.float64]:
        """Predict from scaled features, (m, width) -> (m, tasks)."""

    @abstractmethod
    def own_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return what :meth:`predict_matrix` needs."""

    @abstractmethod
    def restore_own(self, table: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take what :meth:`own_state` gave."""

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the blocks, the scaling and the model's own state."""
        assert self.scaler is not None, "the model is not fitted"
        table, arrays = self.own_state()
        scaling = {f"scaling.{name}": array for name, array in self.scaler.statistics().items()}
        return {**table, "blocks": list(self.blocks)}, {**arrays, **scaling}

    @classmethod
    def restore(cls, table: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Undo :meth:`state`."""
        model = cls(tuple(table["blocks"]))
        model.scaler = HeadFeatures(model.blocks, FeatureOptions())
        prefix = "scaling."
        model.scaler.load_statistics(
            {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
        )
        model.restore_own(table, arrays)
        return model


def task_rows(learning: Learning, task: int) -> NDArray[np.int64]:
    """Return the training rows at which a task is measured."""
    return np.flatnonzero(learning.train & ~np.isnan(learning.labels[:, task]))


def learnable(labels: NDArray[np.float64], kind: str) -> bool:
    """Return whether the labels of a task's training rows teach anything: two of them, of both classes."""
    return len(labels) > 1 and (kind == "regression" or len(np.unique(labels)) == 2)
