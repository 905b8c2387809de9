"""Decision trees as flat arrays: saved without pickling, walked in compiled loops."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["FlatTrees"]


@dataclass(frozen=True)
class FlatTrees:
    """Forests of several tasks, tree after tree.

    Attributes
    ----------
    feature
        Column that a node compares; -1 in a leaf, int32, shape (nodes,).
    threshold
        A row goes left where its value is at most this, float32, shape (nodes,).
    left
        Distance to the left child, int32, shape (nodes,); the right child follows from ``right``.
    right
        Distance to the right child, int32, shape (nodes,).
    value
        Answer of a leaf, float32, shape (nodes,).
    roots
        Root of every tree, int64, shape (trees,).
    tasks
        First tree of each task and the number of trees, int64, shape (tasks + 1,).
    """

    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float32]
    roots: NDArray[np.int64]
    tasks: NDArray[np.int64]

    @classmethod
    def of_forests(cls, forests: Sequence[Any | None]) -> FlatTrees:
        """Flatten scikit-learn's fitted forests, one a task; None for a task without."""
        parts: list[tuple[NDArray[Any], ...]] = []
        roots, tasks, nodes = [], [0], 0
        for forest in forests:
            for estimator in [] if forest is None else forest.estimators_:
                tree = estimator.tree_
                inner = tree.children_left >= 0
                node = np.arange(tree.node_count)
                answers = tree.value[:, 0, :]
                value = answers[:, -1] / answers.sum(axis=1) if answers.shape[1] > 1 else answers[:, 0]
                parts.append(
                    (
                        np.where(inner, tree.feature, -1).astype(np.int32),
                        _rounded_down(tree.threshold),
                        np.where(inner, tree.children_left - node, 0).astype(np.int32),
                        np.where(inner, tree.children_right - node, 0).astype(np.int32),
                        value.astype(np.float32),
                    )
                )
                roots.append(nodes)
                nodes += tree.node_count
            tasks.append(len(roots))
        kinds = (np.int32, np.float32, np.int32, np.int32, np.float32)
        columns = [
            np.concatenate([part[i] for part in parts]) if parts else np.zeros(0, kind)
            for i, kind in enumerate(kinds)
        ]
        feature, threshold, left, right, value = columns
        ends = np.array(tasks, dtype=np.int64)
        return cls(feature, threshold, left, right, value, np.array(roots, dtype=np.int64), ends)

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the mean over each task's trees, shape (n, tasks); NaN for a task without trees."""
        result = np.full((len(X), len(self.tasks) - 1), np.nan)
        _walk(
            np.ascontiguousarray(X, dtype=np.float32),
            (self.feature, self.threshold, self.left, self.right, self.value),
            self.roots,
            self.tasks,
            result,
        )
        return result

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what new trees are made of."""
        names = ("feature", "threshold", "left", "right", "value", "roots", "tasks")
        return {f"trees.{name}": getattr(self, name) for name in names}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> FlatTrees:
        """Rebuild from :meth:`arrays`."""
        prefix = "trees."
        return cls(**{k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)})


def _rounded_down(threshold: NDArray[np.float64]) -> NDArray[np.float32]:
    """Round to 32 bits such that ``x <= threshold`` stays what it was for every 32-bit x."""
    rounded = threshold.astype(np.float32)
    return np.where(rounded > threshold, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def _compiled(function: F) -> F:
    return cast("F", numba.njit(nogil=True, cache=True, parallel=True)(function))


@_compiled
def _walk(
    X: NDArray[np.float32],
    nodes: tuple[
        NDArray[np.int32], NDArray[np.float32], NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]
    ],
    roots: NDArray[np.int64],
    tasks: NDArray[np.int64],
    result: NDArray[np.float64],
) -> None:
    feature, threshold, left, right, value = nodes
    for row in numba.prange(X.shape[0]):
        for task in range(len(tasks) - 1):
            first, end = tasks[task], tasks[task + 1]
            if first == end:
                continue
            total = 0.0
            for tree in range(first, end):
                node = roots[tree]
                while feature[node] >= 0:
                    node += left[node] if X[row, feature[node]] <= threshold[node] else right[node]
                total += value[node]
            result[row, task] = total / (end - first)
