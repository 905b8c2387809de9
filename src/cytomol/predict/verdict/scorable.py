"""Which labels can be scored: measured, no bounds, and predicted by the model and all its baselines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.labels import Task
from cytomol.assays.metrics import MAIN_METRIC, metrics_of
from cytomol.errors import InputError
from cytomol.predict.baselines import constant_prediction
from cytomol.predict.verdict.bootstrap import SampledTask
from cytomol.predict.verdict.task import CONSTANT, MODEL

__all__ = ["Scorable", "choose_rows"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Scorable:
    """The labels of one task that can be scored, and what was left out.

    Attributes
    ----------
    task
        What was measured.
    rows
        Places of the labels among all rows, shape (n,).
    observed
        The labels, shape (n,).
    predicted
        By name, the predictions of these rows; "model" and "constant" are always there.
    molecules
        Which rows are the same molecule (equal numbers), shape (n,).
    censored, unpredicted
        Labels left out: bounds, and those that the model or a baseline has no prediction for.
    silent
        Baselines without any prediction, left out as a whole.
    """

    task: Task
    rows: NDArray[np.int64]
    observed: Array
    predicted: Mapping[str, Array]
    molecules: NDArray[np.int64]
    censored: int
    unpredicted: int
    silent: tuple[str, ...]

    @property
    def evidence(self) -> int:
        """How many independent molecules the scores rest on: of classes, those of the rarer one."""
        if self.task.kind == "regression":
            return len(np.unique(self.molecules))
        each = [len(np.unique(self.molecules[self.observed == place])) for place in np.unique(self.observed)]
        return min(each, default=0) if self.task.kind == "binary" else int(np.mean(each)) if each else 0

    @property
    def to_sample(self) -> SampledTask:
        """What resamples score: every metric of the model, and the one that counts of its baselines."""
        scored = {
            (name, metric.name): (metric.name, array)
            for name, array in self.predicted.items()
            for metric in metrics_of(self.task.kind)
            if name == MODEL or metric.name == MAIN_METRIC[self.task.kind]
        }
        return SampledTask(self.rows, self.observed, scored if self.rows.size else {})


def choose_rows(
    task: Task,
    observed: Array,
    predicted: Mapping[str, Array],
    *,
    bounds: NDArray[np.int8] | None = None,
    groups: NDArray[Any] | None = None,
) -> Scorable:
    """Choose the labels that can be scored; parameters as for :func:`~.judge.judge_task`.

    Raises
    ------
    InputError
        If there is no model among the predictions, or a shape does not suit the labels.
    """
    known = {name: _known(task, array, len(observed), name) for name, array in predicted.items()}
    if MODEL not in known:
        raise InputError(f"no predictions called {MODEL!r}; there are {', '.join(predicted) or 'none'}")
    silent = tuple(name for name in known if name != MODEL and not known[name].any())
    measured = ~np.isnan(observed)
    exact = measured if bounds is None else measured & (bounds == 0)
    there = exact & np.all([rows for name, rows in known.items() if name not in silent], axis=0)
    rows = np.flatnonzero(there)
    kept = {
        name: np.asarray(array, dtype=np.float64)[rows]
        for name, array in predicted.items()
        if name not in silent
    }
    labels = np.asarray(observed, dtype=np.float64)[rows]
    if CONSTANT not in kept:
        kept[CONSTANT] = constant_prediction(task, labels, len(rows))
    every = np.arange(len(observed)) if groups is None else np.unique(groups, return_inverse=True)[1]
    return Scorable(
        task=task,
        rows=rows,
        observed=labels,
        predicted=kept,
        molecules=np.asarray(every, dtype=np.int64).reshape(-1)[rows],
        censored=int((measured & ~exact).sum()),
        unpredicted=int((exact & ~there).sum()),
        silent=silent,
    )


def _known(task: Task, predicted: Array, n: int, name: str) -> NDArray[np.bool_]:
    """Return which rows have a prediction."""
    shape = (n, len(task.classes)) if task.kind == "multiclass" else (n,)
    if predicted.shape != shape:
        raise InputError(
            f"predictions of {name!r} have shape {predicted.shape} where {shape} belongs",
            where=f"task {task.name!r}",
        )
    return np.asarray(np.isfinite(predicted).all(axis=tuple(range(1, predicted.ndim))))
