"""LightGBM's text of a model, read strictly: what it is not known to write is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytomol.counted import counted
from cytomol.errors import ModelDirectoryError

__all__ = ["BoostedText", "TreeText"]

_OBJECTIVES = {"binary sigmoid:1": True, "regression_l1": False}
_LEAVES = 1 << 17  # LightGBM's own limit


@dataclass(frozen=True)
class TreeText:
    """One tree as LightGBM writes it; a negative child c is the leaf of number -1 - c.

    Attributes
    ----------
    feature, threshold, decision, left, right
        Of inner nodes, shape (leaves - 1,).
    value
        Of leaves, shape (leaves,).
    """

    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    decision: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    value: NDArray[np.float64]


@dataclass(frozen=True)
class BoostedText:
    """The trees of a text, and whether their sum is a logit (classes) or a value.

    Attributes
    ----------
    trees
        In the order in which they are added.
    probability
        Whether the answer is a probability.
    """

    trees: tuple[TreeText, ...]
    probability: bool

    @classmethod
    def read(cls, text: str) -> BoostedText:
        """Read a text.

        Raises
        ------
        ModelDirectoryError
            If it is cut short, or no model of one class or value without categories.
        """
        whole, found, _ = text.partition("\nend of trees")
        head, *blocks = re.split(r"^Tree=\d+$", whole, flags=re.MULTILINE)
        about = _fields(head)
        if not head.startswith("tree\n") or not found:
            raise _refused("it is not LightGBM's text of a model, or is cut short")
        if about.get("num_class") != "1" or about.get("num_tree_per_iteration") != "1":
            raise _refused("it answers several classes at once")
        if (objective := about.get("objective", "")) not in _OBJECTIVES:
            raise _refused(f"its objective is {objective[:40]!r}; known are {', '.join(_OBJECTIVES)}")
        if "average_output" in head.split("\n"):
            raise _refused("its trees are averaged, not added")
        return cls(tuple(_tree(_fields(block)) for block in blocks), _OBJECTIVES[objective])


def _tree(said: dict[str, str]) -> TreeText:
    if not said.get("num_leaves", "").isdigit() or not 1 <= int(said["num_leaves"][:9]) <= _LEAVES:
        raise _refused("the number of leaves of a tree is missing or too large")
    leaves = int(said["num_leaves"])
    if said.get("num_cat") != "0" or said.get("is_linear", "0") != "0":
        raise _refused("a tree compares categories or has a model in its leaves")
    inner = leaves - 1
    feature, left, right = (
        _numbers(said, name, inner, np.int64) for name in ("split_feature", "left_child", "right_child")
    )
    decision = _numbers(said, "decision_type", inner, np.int64)
    if ((feature < 0) | (feature >= 2**31 - 1)).any() or not np.isin(decision, (0, 2, 4, 6, 8, 10)).all():
        raise _refused("a tree compares a column that cannot be, or in a way that is not known")
    at = np.arange(inner)
    for side in (left, right):
        if ((side < -leaves) | (side >= inner) | ((side >= 0) & (side <= at))).any():
            raise _refused("a node's child is outside its tree, or before the node")
    threshold = _numbers(said, "threshold", inner, np.float64)
    value = _numbers(said, "leaf_value", leaves, np.float64)
    if np.isnan(threshold).any() or not np.isfinite(value).all():  # a threshold may be infinite: all but NaN
        raise _refused("a threshold is no number, or the answer of a leaf not finite")
    return TreeText(feature, threshold, decision, left, right, value)


def _fields(block: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in block.split("\n") if "=" in line)


def _numbers(said: dict[str, str], name: str, count: int, kind: type[np.generic]) -> NDArray[Any]:
    words = said.get(name, "").split()
    if len(words) != count or any(len(word) > 40 for word in words):
        numbers = counted(len(words), "number", comma=False)
        raise _refused(f"{name} has {numbers} where {count} belong, or one that is too long")
    try:
        return np.array([float(w) if kind is np.float64 else int(w) for w in words], dtype=kind)
    except (ValueError, OverflowError):
        raise _refused(f"{name} holds what is no number") from None


def _refused(why: str) -> ModelDirectoryError:
    return ModelDirectoryError(f"boosted trees cannot be read: {why}", hint="fine-tune again")
