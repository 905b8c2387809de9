"""What a frozen representation is worth downstream: one linear model a task, alike for every variant."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.metrics import metrics, score_tasks
from cytomol.assays.splits import FOLDS
from cytomol.errors import ConfigError
from cytomol.evaluate.sets import BenchmarkSet

__all__ = ["STRENGTHS", "probe"]

STRENGTHS = (0.01, 0.1, 1.0)
"""Penalties among which the valid fold chooses: C of logistic regression, 1 / (100 C) per row of ridge."""


def probe(data: BenchmarkSet, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Learn each task from features of the training fold; answer all rows.

    Features are brought to mean 0 and variance 1. The penalty is that of :data:`STRENGTHS` with the best
    mean over tasks in the valid fold, one for all tasks; test labels are not looked at.

    Parameters
    ----------
    data
        Molecules, labels and folds.
    features
        One row a molecule, float32, shape (n, width); NaN for molecules that cannot be read.

    Returns
    -------
    Probabilities or values, shape (n, tasks); NaN for molecules that cannot be read, and for tasks of which
    the training fold holds nothing.

    Raises
    ------
    ConfigError
        If tasks are neither all binary nor all values.
    """
    if data.labels.kind == "mixed" or any(task.kind == "multiclass" for task in data.labels.tasks):
        raise ConfigError(
            "tasks of several kinds, or with several classes", where=data.name, hint="choose --targets"
        )
    usable = np.asarray(~np.isnan(features).any(axis=1))
    train = usable & (data.folds == FOLDS[0])
    if not train.any():
        raise ConfigError("no molecule of the training fold can be read", where=data.name)
    center, spread = features[train].mean(axis=0), features[train].std(axis=0)
    scaled = (np.where(usable[:, None], features, center) - center) / np.where(spread > 0, spread, 1)
    labels = replace(data, labels=data.training_labels()).labels.matrix
    answers = {strength: _answers(scaled, labels, train, data, strength) for strength in STRENGTHS}
    chosen = max(STRENGTHS, key=lambda strength: _goodness(answers[strength], labels, usable, data))
    return np.where(usable[:, None], answers[chosen], np.nan)


def _goodness(
    answers: NDArray[np.float64], labels: NDArray[np.floating], usable: NDArray[np.bool_], data: BenchmarkSet
) -> float:
    """Return the mean score of the valid fold, the larger the better; -inf where nothing can be scored."""
    valid = usable & (data.folds == FOLDS[1])
    observed = np.where(np.isnan(answers[valid]), np.nan, labels[valid])
    mean, _ = score_tasks(observed, answers[valid], data.metric)
    if np.isnan(mean):
        return -np.inf
    return mean if metrics[data.metric].higher_is_better else -mean


def _answers(
    scaled: NDArray[np.floating],
    labels: NDArray[np.floating],
    train: NDArray[np.bool_],
    data: BenchmarkSet,
    strength: float,
) -> NDArray[np.float64]:
    """Return the answers of one linear model a task."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression, Ridge

    answers = np.full(labels.shape, np.nan)
    for task in range(labels.shape[1]):
        rows = train & ~np.isnan(labels[:, task])
        seen = labels[rows, task]
        if not len(seen):
            continue
        if len(np.unique(seen)) == 1:
            answers[:, task] = seen[0]
            continue
        if data.labels.kind == "regression":
            ridge = Ridge(alpha=len(seen) / (100 * strength)).fit(scaled[rows], seen)
            answers[:, task] = ridge.predict(scaled)
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # near enough: the penalty decides more
            model = LogisticRegression(C=strength, max_iter=200).fit(scaled[rows], seen.astype(np.int64))
        answers[:, task] = model.predict_proba(scaled)[:, 1]
    return answers
