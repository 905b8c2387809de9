"""How well a tree follows known classes: agreement by level, distance within and between, rivals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score

__all__ = ["Estimate", "agglomerated", "agreement", "closeness", "k_means", "random_paths", "unit"]

_HALVES = 20


@dataclass(frozen=True)
class Estimate:
    """A score with its interval, and the number of molecules behind it."""

    value: float
    low: float
    high: float
    number: int


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows at length 1, shape (n, d)."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), np.float32)


def agreement(classes: NDArray[np.int64], nodes: NDArray[np.int64], *, halves: int = _HALVES) -> Estimate:
    """Return the adjusted mutual information of classes and nodes, its interval only if ``halves`` are drawn.

    The 95% interval is that of the delete-half jackknife: the spread over random halves of the molecules is
    the standard error of all of them. Drawing with replacement would not do, as copies agree by themselves.
    """
    value = float(adjusted_mutual_info_score(classes, nodes))
    if halves == 0:
        return Estimate(value, float("nan"), float("nan"), len(classes))
    draw = np.random.default_rng(0)
    found = []
    for _ in range(halves):
        rows = draw.permutation(len(classes))[: len(classes) // 2]
        found.append(adjusted_mutual_info_score(classes[rows], nodes[rows]))
    error = 1.96 * float(np.std(found, ddof=1))
    return Estimate(value, value - error, value + error, len(classes))


def closeness(
    path: NDArray[np.int64], classes: NDArray[np.int64], *, draws: int = 200
) -> dict[str, Estimate]:
    """Return how far apart two molecules stand in a tree, of one class and of two.

    The distance of two molecules is the number of levels on which their paths have parted. ``within`` and
    ``between`` are its means; ``nearer`` is the chance that a pair of one class is nearer than a pair of two,
    ties as half. Intervals by bootstrap over molecules (pairs of a molecule with its own copy left out).
    """
    draw = np.random.default_rng(0)
    once = np.ones(len(path))
    values = _closeness(path, classes, once)
    spread = np.array(
        [
            _closeness(
                path, classes, np.bincount(draw.integers(0, len(path), len(path)), minlength=len(path))
            )
            for _ in range(draws)
        ]
    )
    lows, highs = np.quantile(spread, [0.025, 0.975], axis=0)
    names = ("within", "between", "nearer")
    return {
        name: Estimate(float(value), float(low), float(high), len(path))
        for name, value, low, high in zip(names, values, lows, highs, strict=True)
    }


def _closeness(
    path: NDArray[np.int64], classes: NDArray[np.int64], weight: NDArray[np.float64]
) -> tuple[float, float, float]:
    levels = path.shape[1]
    weight = weight.astype(np.float64)
    own = float((weight**2).sum())  # pairs of a molecule and itself

    def pairs(groups: NDArray[np.int64]) -> float:
        return float((np.bincount(groups, weights=weight) ** 2).sum() - own)

    number = int(classes.max()) + 1
    root = np.zeros(len(path), np.int64)
    # pairs that share at least h levels: of any classes, and of one class
    nodes = [root, *(path[:, level] for level in range(levels))]
    every = np.array([pairs(node) for node in nodes] + [0.0])
    same = np.array([pairs(node * number + classes) for node in nodes] + [0.0])
    within, between = -np.diff(same), -np.diff(every - same)  # sharing exactly 0 ... levels
    within, between = within / within.sum(), between / between.sum()
    shared = np.arange(levels + 1)
    nearer = sum(within[h] * (between[:h].sum() + between[h] / 2) for h in shared)
    return levels - float(within @ shared), levels - float(between @ shared), float(nearer)


def k_means(rows: NDArray[np.float32], number: int) -> NDArray[np.int64]:
    """Divide unit rows by k-means of scikit-learn, one start by k-means++, shape (n, d) -> int64 (n,)."""
    labels = KMeans(number, n_init=1, random_state=0).fit_predict(rows)
    return np.asarray(labels, np.int64)


def agglomerated(rows: NDArray[np.float32], numbers: Sequence[int]) -> list[NDArray[np.int64]]:
    """Divide unit rows by agglomerative clustering (Ward, SciPy), once for each number of clusters."""
    joined = linkage(rows, "ward")
    return [fcluster(joined, number, "maxclust").astype(np.int64) for number in numbers]


def random_paths(number: int, depth: int, seed: int = 0) -> NDArray[np.int64]:
    """Deal molecules to the leaves of a binary tree by chance, int64, shape (number, depth)."""
    leaf = np.random.default_rng(seed).integers(0, 2**depth, number)
    return np.stack([leaf >> (depth - level) for level in range(1, depth + 1)], axis=1)
