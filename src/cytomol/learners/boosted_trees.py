"""Boosted trees as flat arrays: taken from LightGBM's text, checked, and walked in a loop.

LightGBM's own reader of a model ends the interpreter at a text that was tampered with, so that no saved text
ever reaches it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytomol.checked import Checked
from cytomol.counted import counted
from cytomol.errors import ModelDirectoryError
from cytomol.learners.boosting_text import BoostedText
from cytomol.learners.loops import Loop, prange
from cytomol.learners.trees import check_trees, end_to_end

__all__ = ["BoostedTrees"]

_ARRAYS = ("feature", "threshold", "decision", "left", "right", "value", "roots", "tasks")
_LOWEST = -709.782712893384  # the exponential of what lies below it is beyond 64 bits
_ZERO = float(np.float32(1e-35))  # LightGBM takes what is nearer to 0 as 0


@dataclass(frozen=True)
class BoostedTrees:
    """Boosted trees of several tasks, tree after tree; in a tree inner nodes come first, then leaves.

    Attributes
    ----------
    feature
        Column that a node compares; -1 in a leaf, int32, shape (nodes,).
    threshold
        A row goes left where its value is at most this, float64, shape (nodes,).
    decision
        As LightGBM has it: 2 where a missing value goes left, plus 4 where 0 is the missing value or 8 where
        NaN is; uint8, shape (nodes,).
    left, right
        Distance to the children, int32, shape (nodes,); 0 in a leaf.
    value
        Answer of a leaf, float64, shape (nodes,).
    roots
        Root of every tree, int64, shape (trees,).
    tasks
        First tree of each task and the number of trees, int64, shape (tasks + 1,).
    probability
        Whether the sum of a task's trees is a logit, whose probability is the answer.
    """

    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    decision: NDArray[np.uint8]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float64]
    roots: NDArray[np.int64]
    tasks: NDArray[np.int64]
    probability: bool

    @classmethod
    def of_texts(cls, texts: Sequence[str | None], *, probability: bool) -> BoostedTrees:
        """Take the trees of LightGBM's texts, one a task; None for a task without.

        Raises
        ------
        ModelDirectoryError
            If a text is none of LightGBM's, or of a kind of model that is not ours.
        """
        parts: list[tuple[NDArray[Any], ...]] = []
        roots, tasks, nodes = [], [0], 0
        for text in texts:
            model = None if text is None else BoostedText.read(text)
            if model is not None and model.probability != probability:
                raise ModelDirectoryError("boosted trees: some answer classes and some values")
            for tree in [] if model is None else model.trees:
                inner = len(tree.feature)
                at = np.arange(inner)
                ends = [np.where(side >= 0, side, inner + ~side) - at for side in (tree.left, tree.right)]
                none = np.zeros(len(tree.value), dtype=np.int32)
                parts.append(
                    (
                        np.concatenate([tree.feature, none - 1]).astype(np.int32),
                        np.concatenate([tree.threshold, none]),
                        np.concatenate([tree.decision, none]).astype(np.uint8),
                        *(np.concatenate([end, none]).astype(np.int32) for end in ends),
                        np.concatenate([np.zeros(inner), tree.value]),
                    )
                )
                roots.append(nodes)
                nodes += inner + len(none)
            tasks.append(len(roots))
        kinds = (np.int32, np.float64, np.uint8, np.int32, np.int32, np.float64)
        trees, of_task = (np.array(each, dtype=np.int64) for each in (roots, tasks))
        feature, threshold, decision, left, right, value = end_to_end(parts, kinds)
        made = cls(feature, threshold, decision, left, right, value, trees, of_task, probability)
        made.check()
        return made

    @property
    def width(self) -> int:
        """Columns that a matrix must have at least."""
        return int(self.feature.max(initial=-1)) + 1

    def check(self) -> None:
        """Raise if a walk could leave the arrays or go in a circle."""
        check_trees(self.feature, self.left, self.right, self.roots, self.tasks, part="boosted trees")

    def predict(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return what LightGBM would, to the last bit, shape (n, tasks); NaN for a task without trees.

        Raises
        ------
        ModelDirectoryError
            If the matrix has fewer columns than the trees compare.
        """
        if X.shape[1] < self.width:
            raise ModelDirectoryError(
                f"boosted trees compare column {self.width - 1} of a matrix of "
                f"{counted(X.shape[1], 'column', comma=False)}"
            )
        result = np.full((len(X), len(self.tasks) - 1), np.nan)
        _walk(
            np.ascontiguousarray(X, dtype=np.float32),
            (self.feature, self.threshold, self.decision, self.left, self.right, self.value),
            self.roots,
            self.tasks,
            self.probability,
            result,
            work=len(X) * len(self.roots),
        )
        return result

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what new trees are made of."""
        return {f"boosted.{name}": getattr(self, name) for name in _ARRAYS}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], *, probability: bool) -> BoostedTrees:
        """Rebuild from :meth:`arrays`.

        Raises
        ------
        ModelDirectoryError
            If they are no trees.
        """
        saved = Checked({}, arrays, "boosted trees")
        made = cls(
            saved.array("boosted.feature", np.int32, "nodes", low=-1),
            saved.array("boosted.threshold", np.float64, "nodes", missing=False),
            saved.array("boosted.decision", np.uint8, "nodes", high=10),
            saved.array("boosted.left", np.int32, "nodes"),
            saved.array("boosted.right", np.int32, "nodes"),
            saved.array("boosted.value", np.float64, "nodes", finite=True),
            saved.array("boosted.roots", np.int64, "trees"),
            saved.array("boosted.tasks", np.int64, "tasks+1"),
            probability,
        )
        made.check()
        return made


@Loop
def _walk(  # noqa: PLR0917 - a loop that is compiled takes no keywords
    X: NDArray[np.float32],
    nodes: tuple[Any, ...],
    roots: NDArray[np.int64],
    tasks: NDArray[np.int64],
    probability: bool,
    result: NDArray[np.float64],
) -> None:
    from_zero, lowest = _ZERO, _LOWEST
    feature, threshold, decision, left, right, value = nodes
    for row in prange(X.shape[0]):
        for task in range(len(tasks) - 1):
            first, end = tasks[task], tasks[task + 1]
            if first == end:
                continue
            total = 0.0
            for tree in range(first, end):
                node = roots[tree]
                while feature[node] >= 0:
                    x = float(X[row, feature[node]])
                    how = decision[node]
                    missing = how & 12
                    if abs(x) <= from_zero or (math.isnan(x) and missing != 8):
                        x = 0.0
                    if (missing == 8 and math.isnan(x)) or (missing == 4 and x == 0.0):
                        go_left = (how & 2) != 0
                    else:
                        go_left = x <= threshold[node]
                    node += left[node] if go_left else right[node]
                total += value[node]
            if not probability:
                result[row, task] = total
            else:
                result[row, task] = 1.0 / (1.0 + math.exp(-total)) if total >= lowest else 0.0
