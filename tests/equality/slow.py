"""The authors' losses in NumPy, number by number: slow, and written from their description alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def unit(rows: Array) -> Array:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def info_nce(anchor: Array, profile: Array, temperature: float) -> float:
    losses = []
    for i in range(len(anchor)):
        scores = [float(unit(anchor[i]) @ unit(profile[j])) / temperature for j in range(len(profile))]
        losses.append(np.log(np.sum(np.exp(scores))) - scores[i])
    return float(np.mean(losses))


def vicreg(rows: Array, others: Array) -> float:
    """Invariance, both hinges and both covariance penalties, each with weight 1."""
    total = float(((rows - others) ** 2).mean())
    width = rows.shape[1]
    for table in (rows, others):
        deviation = np.sqrt(table.var(axis=0, ddof=1) + 1e-4)
        total += float(np.maximum(0, 1 - deviation).mean())
        covariance = np.cov(table.T)
        total += float((covariance**2).sum() - (np.diag(covariance) ** 2).sum()) / width
    return total


def tree(rows: Array, codes: list[Array], eta: float) -> tuple[NDArray[np.int64], float]:
    """Return each row's path, shape (n, levels), and the loss of one modality."""
    rows = unit(rows)
    node = np.zeros(len(rows), np.int64)
    paths, losses = [], []
    for codes_of_level in codes:
        level = unit(codes_of_level)
        similarity = rows @ level.T
        competing = np.full(similarity.shape, -np.inf)
        for i, parent in enumerate(node):
            for child in (2 * parent, 2 * parent + 1):
                competing[i, child] = similarity[i, child]
        node = competing.argmax(axis=1)
        forward = np.mean([1 - similarity[i, code] for i, code in enumerate(node)])
        backward = np.mean([1 - similarity[competing[:, k].argmax(), k] for k in range(len(level))])
        losses.append((1 + eta) * (forward + backward))
        paths.append(node)
    return np.stack(paths, axis=1), float(np.mean(losses))


def walk_loss(
    node_values: Array, walks: NDArray[np.int64], weights: Array, logits: Array, *, count_stuck: bool
) -> float:
    """Weighted cross entropy over the visited nodes, averaged over their observed entries."""
    total, entries = 0.0, 0
    for i, walk in enumerate(walks):
        for node, weight in zip(walk, weights[i], strict=True):
            if weight == 0 and not count_stuck:
                continue
            for j, target in enumerate(node_values[node]):
                if not np.isnan(target):
                    logit = logits[i, j]
                    total += weight * (np.logaddexp(0, logit) - logit * target)
                    entries += 1
    return total / max(entries, 1)
