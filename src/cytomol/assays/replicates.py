"""Rows of one molecule: how far their labels agree, what that allows a model at best, and their mean."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.labels import Labels, Task
from cytomol.errors import ConfigError

__all__ = ["HOW", "Aggregated", "TaskReplicates", "aggregate", "best_scores", "replicates_of"]

How = Literal["keep", "mean", "median"]
HOW = ("keep", "mean", "median")
_RANGE = 1e-9  # of the size of the values: nearer values are copies


@dataclass(frozen=True)
class TaskReplicates:
    """How far the labels of one molecule agree, for one task.

    Attributes
    ----------
    task
        Its name.
    molecules, labels
        Molecules with two labels or more, and those labels; bounds are not counted.
    same
        Molecules among these whose labels are all the same: copies of one measurement, or agreement.
    contradictory
        Molecules among these with labels of different classes; 0 for values.
    noise
        Standard deviation of repeated values about the mean of their molecule, pooled; for classes the chance
        that two labels of one molecule differ. None without repeats.
    best
        The score of a model without error against single measurements of this noise, by metric: mae, rmse
        and r2, or roc_auc; empty without repeats.
    """

    task: str
    molecules: int
    labels: int
    same: int
    contradictory: int
    noise: float | None
    best: dict[str, float]


@dataclass(frozen=True)
class Aggregated:
    """Labels with one row for each molecule.

    Attributes
    ----------
    labels
        Labels of these rows.
    rows
        First row of each molecule in the table, int64, rising, shape (molecules,).
    undecided
        Labels left out because the classes or bounds of a molecule contradict each other evenly.
    """

    labels: Labels
    rows: NDArray[np.int64]
    undecided: int


def replicates_of(labels: Labels, groups: NDArray[np.int64]) -> list[TaskReplicates]:
    """Count the repeated labels of every task, and tell the noise of the assay from them.

    Parameters
    ----------
    labels
        Labels of every row.
    groups
        Molecule of every row, -1 for none, int64, shape (rows,).
    """
    found = []
    for at, task in enumerate(labels.tasks):
        values = labels.matrix[:, at]
        known = ~np.isnan(values) & (groups >= 0)
        if labels.bounds is not None:
            known &= labels.bounds[:, at] == 0
        found.append(_of_task(task, values[known], groups[known]))
    return found


def _of_task(task: Task, values: NDArray[np.float64], groups: NDArray[np.int64]) -> TaskReplicates:
    repeated = [values[rows] for rows in _rows_by_group(groups) if len(rows) > 1]
    count = sum(len(part) for part in repeated)
    same = sum(1 for part in repeated if np.ptp(part) <= _RANGE * float(np.abs(part).max()))
    if not repeated:
        return TaskReplicates(task.name, 0, 0, 0, 0, None, {})
    if task.kind == "regression":
        deviations = np.concatenate([part - part.mean() for part in repeated])
        scale = float(np.abs(deviations).max())  # squares of 1e-14 and 1e30 stay in range
        noise = scale and scale * math.sqrt(
            float(np.square(deviations / scale).sum()) / (count - len(repeated))
        )
        contradictory = 0
    else:
        pairs = differing = 0.0
        for part in repeated:
            _, counts = np.unique(part, return_counts=True)
            pairs += len(part) * (len(part) - 1) / 2
            differing += (len(part) ** 2 - float(np.square(counts).sum())) / 2
        noise = differing / pairs
        contradictory = len(repeated) - same
    best = best_scores(task, values, noise)
    return TaskReplicates(task.name, len(repeated), count, same, contradictory, noise, best)


def best_scores(task: Task, values: NDArray[np.float64], noise: float) -> dict[str, float]:
    """Return the scores of a model without error against single measurements of some noise.

    For values the noise is normal. For two classes a label is wrong with the probability that makes two
    labels differ as often as they do, whatever the class.

    Parameters
    ----------
    task
        The task.
    values
        Its labels, without NaN.
    noise
        As in `TaskReplicates`.
    """
    if task.kind == "multiclass":
        return {}
    if task.kind == "regression":
        spread = float(np.std(values))
        best = {"mae": noise * math.sqrt(2 / math.pi), "rmse": noise}
        return {**best, "r2": max(0.0, 1 - (noise / spread) ** 2)} if spread else best
    wrong = (1 - math.sqrt(max(0.0, 1 - 2 * noise))) / 2  # 2 wrong (1 - wrong) = noise
    observed = float(values.mean())
    true = 0.5 if wrong >= 0.5 else min(max((observed - wrong) / (1 - 2 * wrong), 0.0), 1.0)
    positives, negatives = true * (1 - wrong) + (1 - true) * wrong, (1 - true) * (1 - wrong) + true * wrong
    if not positives or not negatives:
        return {}
    hit, rejected = true * (1 - wrong) / positives, (1 - true) * (1 - wrong) / negatives
    return {"roc_auc": (hit + rejected) / 2}


def aggregate(labels: Labels, groups: NDArray[np.int64], how: str = "mean") -> Aggregated:
    """Return labels with one row for each molecule.

    Values become their mean or median; where a molecule has bounds alone, the narrowest one stays. Classes
    become the most frequent one. What stays undecided is left out.

    Parameters
    ----------
    labels
        Labels of every row.
    groups
        Molecule of every row, -1 for one that is told from no other, int64, shape (rows,).
    how
        "mean" or "median"; "keep" returns every row as it is.

    Raises
    ------
    ConfigError
        If there is no such way.
    """
    if how not in HOW:
        raise ConfigError(
            f"replicates cannot be made {how!r}", where="replicates", hint=f"known: {', '.join(HOW)}"
        )
    if how == "keep":
        return Aggregated(labels, np.arange(len(labels.matrix)), 0)
    alone = np.where(groups < 0, -1 - np.arange(len(groups)), groups)
    parts = sorted(_rows_by_group(alone), key=lambda rows: int(rows[0]))
    rows = np.array([part[0] for part in parts], np.int64)
    result = labels.take(rows)
    matrix = result.matrix.copy()
    bounds = None if result.bounds is None else result.bounds.copy()
    undecided = 0
    for to, part in enumerate(parts):
        for at, task in enumerate(labels.tasks):
            values = labels.matrix[part, at]
            sides = np.zeros(len(part), np.int8) if labels.bounds is None else labels.bounds[part, at]
            measured = ~np.isnan(values)
            value, side = _one_label(task, values[measured], sides[measured], how)
            matrix[to, at] = value
            if bounds is not None:
                bounds[to, at] = side
            undecided += bool(measured.any() and np.isnan(value))
    return Aggregated(replace(result, matrix=matrix, bounds=bounds), rows, undecided)


def _one_label(
    task: Task, values: NDArray[np.float64], sides: NDArray[np.int8], how: str
) -> tuple[float, int]:
    """Return one label, NaN where there is none or it is undecided, and on which side of it the truth is."""
    if len(values) == 0:
        return math.nan, 0
    if task.kind != "regression":
        classes, counts = np.unique(values, return_counts=True)
        most = classes[counts == counts.max()]
        return (float(most[0]) if len(most) == 1 else math.nan), 0
    exact = values[sides == 0]
    if len(exact):
        return float(np.mean(exact) if how == "mean" else np.median(exact)), 0
    if len(set(sides.tolist())) > 1:
        return math.nan, 0
    return (float(values.min()), -1) if sides[0] < 0 else (float(values.max()), 1)


def _rows_by_group(groups: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the rows of every group, each rising."""
    order = np.argsort(groups, kind="stable")
    _, first = np.unique(groups[order], return_index=True)
    return [part for part in np.split(order, first[1:]) if len(part)]
