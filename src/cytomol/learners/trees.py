"""Decision trees as flat arrays: saved without pickling, walked in loops that are compiled for many rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytomol.checked import Checked
from cytomol.counted import counted
from cytomol.errors import ModelDirectoryError
from cytomol.learners.loops import Loop, prange

__all__ = ["FlatTrees", "check_trees", "end_to_end"]


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
        feature, threshold, left, right, value = end_to_end(parts, kinds)
        ends = np.array(tasks, dtype=np.int64)
        return cls(feature, threshold, left, right, value, np.array(roots, dtype=np.int64), ends)

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the mean over each task's trees, shape (n, tasks); NaN for a task without trees.

        Raises
        ------
        ModelDirectoryError
            If the matrix has fewer columns than the trees compare.
        """
        if X.shape[1] <= (last := int(self.feature.max(initial=-1))):
            columns = counted(X.shape[1], "column", comma=False)
            raise ModelDirectoryError(f"trees compare column {last} of a matrix of {columns}")
        result = np.full((len(X), len(self.tasks) - 1), np.nan)
        _walk(
            np.ascontiguousarray(X, dtype=np.float32),
            (self.feature, self.threshold, self.left, self.right, self.value),
            self.roots,
            self.tasks,
            result,
            work=len(X) * len(self.roots),
        )
        return result

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what new trees are made of."""
        names = ("feature", "threshold", "left", "right", "value", "roots", "tasks")
        return {f"trees.{name}": getattr(self, name) for name in names}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> FlatTrees:
        """Rebuild from :meth:`arrays`.

        Raises
        ------
        ModelDirectoryError
            If they are no trees.
        """
        saved = Checked({}, arrays, "trees")
        trees = cls(
            saved.array("trees.feature", np.int32, "nodes", low=-1),
            saved.array("trees.threshold", np.float32, "nodes", missing=False),
            saved.array("trees.left", np.int32, "nodes"),
            saved.array("trees.right", np.int32, "nodes"),
            saved.array("trees.value", np.float32, "nodes", finite=True),
            saved.array("trees.roots", np.int64, "trees"),
            saved.array("trees.tasks", np.int64, "tasks+1"),
        )
        check_trees(trees.feature, trees.left, trees.right, trees.roots, trees.tasks, part="trees")
        return trees


def end_to_end(parts: Sequence[tuple[NDArray[Any], ...]], kinds: Sequence[Any]) -> list[NDArray[Any]]:
    """Return each array of some trees one after the other; without trees empty ones of these kinds."""
    return [
        np.concatenate([part[i] for part in parts]) if parts else np.zeros(0, kind)
        for i, kind in enumerate(kinds)
    ]


def check_trees(
    feature: NDArray[np.int32],
    left: NDArray[np.int32],
    right: NDArray[np.int32],
    roots: NDArray[np.int64],
    tasks: NDArray[np.int64],
    *,
    part: str,
) -> None:
    """Raise where a walk from a root could leave its tree or come to a node twice.

    Children stand behind their node in the same tree, which leaves no room for a circle.

    Raises
    ------
    ModelDirectoryError
        If they do not, or the trees are not laid out one after the other.
    """
    nodes, trees = len(feature), len(roots)
    # neighbours are compared, since a difference of two whole numbers may be too large for one
    ordered = bool((roots[1:] > roots[:-1]).all()) and bool((tasks[1:] >= tasks[:-1]).all())
    begins = (roots[0] == 0) if trees else (nodes == 0)
    if not ordered or not begins or (trees and roots[-1] >= nodes) or tasks[0] != 0 or tasks[-1] != trees:
        raise ModelDirectoryError(f"{part}: the trees do not stand one after the other")
    inner = np.flatnonzero(feature >= 0)
    end = np.append(roots[1:], nodes)[np.searchsorted(roots, inner, side="right") - 1] if trees else inner
    for side in (left, right):
        distance = side[inner].astype(np.int64)
        if ((distance <= 0) | (inner + distance >= end)).any():
            raise ModelDirectoryError(f"{part}: a node's child is outside its tree, or before the node")


def _rounded_down(threshold: NDArray[np.float64]) -> NDArray[np.float32]:
    """Round to 32 bits such that ``x <= threshold`` stays what it was for every 32-bit x."""
    rounded = threshold.astype(np.float32)
    return np.where(rounded > threshold, np.nextafter(rounded, np.float32(-np.inf)), rounded)


@Loop
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
    for row in prange(X.shape[0]):
        for task in range(len(tasks) - 1):
            first, end = tasks[task], tasks[task + 1]
            if first == end:
                continue
            total = 0.0
            for tree in range(first, end):
                node = roots[tree]
                while feature[node] >= 0:
                    node += left[node] if X[row, feature[node]] <= threshold[node] else right[node]
                total += float(value[node])
            result[row, task] = total / (end - first)
