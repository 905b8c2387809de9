"""How tasks become the columns that learners answer, and the answers become those of the tasks again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, get_args

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.labels import Kind, Labels, Task
from cytomol.checked import Checked
from cytomol.counted import counted
from cytomol.errors import ModelDirectoryError

__all__ = ["Encoding"]

Matrix = NDArray[np.float64]

_ROUNDING = 1e-13  # a spread below this share of the values themselves is what rounding makes


@dataclass(frozen=True)
class Encoding:
    """Columns of the tasks: one for two classes or a value, one for each of three classes and more.

    Values are learnt in units of their spread about their mean over the training rows, so that a target of
    1e-14 and one of 1e30 are the same to every learner.

    Attributes
    ----------
    tasks
        The tasks, in order.
    center, scale
        value = center + scale * answer; 0 and 1 for classes, shape (columns,).

    Examples
    --------
    >>> labels = Labels((Task("pic50", "regression"),), np.array([[4.0], [6.0], [np.nan]]))
    >>> encoding = Encoding.fit(labels, np.array([True, True, True]))
    >>> encoding.encode(labels)[0].ravel()
    array([-1.,  1., nan])
    >>> encoding.decode(np.array([[0.5]]))
    array([[5.5]])
    """

    tasks: tuple[Task, ...]
    center: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def fit(cls, labels: Labels, train: NDArray[np.bool_]) -> Self:
        """Measure center and spread of the values over the training rows, bool, shape (n,)."""
        center, scale = [], []
        for task, values in zip(labels.tasks, labels.matrix[train].T, strict=True):
            middle, spread = _moments(values) if task.kind == "regression" else (0.0, 1.0)
            center += [middle] * _width(task)
            scale += [spread] * _width(task)
        return cls(labels.tasks, np.array(center), np.array(scale))

    @property
    def columns(self) -> tuple[str, ...]:
        """Name of each column: that of its task, or task=class."""
        return tuple(
            name
            for task in self.tasks
            for name in ([task.name] if _width(task) == 1 else [f"{task.name}={c}" for c in task.classes])
        )

    @property
    def kinds(self) -> NDArray[np.str_]:
        """Return "classification" or "regression" of each column, shape (columns,)."""
        kinds = ["regression" if t.kind == "regression" else "classification" for t in self.tasks]
        return np.repeat(np.array(kinds, dtype=str), [_width(task) for task in self.tasks])

    def places(self) -> list[slice]:
        """Return where the columns of each task stand."""
        ends = np.cumsum([_width(task) for task in self.tasks])
        return [slice(int(end) - _width(task), int(end)) for task, end in zip(self.tasks, ends, strict=True)]

    def encode(self, labels: Labels) -> tuple[Matrix, NDArray[np.int8] | None]:
        """Return what learners learn, and its bounds (None where nothing is censored), (n, columns) each."""
        result = np.full((len(labels.matrix), len(self.center)), np.nan)
        bounds = None if labels.bounds is None else np.zeros(result.shape, dtype=np.int8)
        for at, (task, place) in enumerate(zip(self.tasks, self.places(), strict=True)):
            values = labels.matrix[:, at]
            if task.kind == "multiclass":
                one_of_each = (values[:, None] == np.arange(len(task.classes))).astype(np.float64)
                result[:, place] = np.where(np.isnan(values)[:, None], np.nan, one_of_each)
            else:
                result[:, place.start] = (values - self.center[place]) / self.scale[place]
            if bounds is not None and labels.bounds is not None:
                bounds[:, place] = labels.bounds[:, at, None]
        return result, bounds

    def decode(self, answers: Matrix) -> Matrix:
        """Return answers, shape (..., columns), as probabilities and values in the unit of the table.

        The probabilities of three classes and more sum to 1.
        """
        result = answers * self.scale + self.center
        for task, place in zip(self.tasks, self.places(), strict=True):
            if task.kind == "multiclass":
                total = result[..., place].sum(axis=-1, keepdims=True)
                result[..., place] = result[..., place] / np.where(total > 0, total, np.nan)
        return np.asarray(result, dtype=np.float64)

    def task_values(self, decoded: Matrix) -> Matrix:
        """Return a number a task, shape (n, tasks): probability of class 1, value, or place of the class."""
        parts = []
        for task, place in zip(self.tasks, self.places(), strict=True):
            block = decoded[:, place]
            if task.kind == "multiclass":
                known = ~np.isnan(block).any(axis=1)
                chosen = np.where(known, np.argmax(np.nan_to_num(block), axis=1), np.nan)
                parts.append(chosen)
            else:
                parts.append(block[:, 0])
        return np.stack(parts, axis=1)

    def state(self) -> tuple[list[dict[str, Any]], dict[str, NDArray[Any]]]:
        """Return the tasks as a JSON-serialisable list, and arrays by name."""
        table = [{"name": t.name, "kind": t.kind, "classes": list(t.classes)} for t in self.tasks]
        return table, {"center": self.center, "scale": self.scale}

    @classmethod
    def restore(cls, table: Sequence[Mapping[str, Any]], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from :meth:`state`."""
        tasks: list[Task] = []
        saved = Checked({"tasks": table}, arrays, "tasks")
        for entry in saved.entries("tasks"):
            name, classes = entry.word("name"), entry.words("classes")
            kind: Kind = {"binary": "binary", "multiclass": "multiclass"}.get(  # type: ignore[assignment]
                entry.word("kind", get_args(Kind)), "regression"
            )
            if (kind == "multiclass") != (len(classes) > 2) or (kind == "regression" and classes):
                known = counted(len(classes), "class", plural="classes", comma=False)
                raise ModelDirectoryError(f"{entry.part}: {known} of a {kind} task")
            tasks.append(Task(name, kind, classes))
        if not tasks or len({task.name for task in tasks}) != len(tasks):
            raise ModelDirectoryError("tasks: there are none, or two have one name")
        shape = str(sum(_width(task) for task in tasks))
        center = saved.array("center", np.float64, shape, finite=True)
        return cls(tuple(tasks), center, saved.array("scale", np.float64, shape, finite=True))


def _width(task: Task) -> int:
    return len(task.classes) if task.kind == "multiclass" else 1


def _moments(values: Matrix) -> tuple[float, float]:
    """Return mean and standard deviation of the measured values; a spread of 1 where there is none.

    Both are taken of values divided by the largest one, whose squares cannot overflow.
    """
    known = values[~np.isnan(values)]
    largest = float(np.abs(known).max()) if known.size else 0.0
    if largest == 0.0:
        return 0.0, 1.0
    parts = known / largest
    middle, spread = float(parts.mean()), float(parts.std())
    if spread <= _ROUNDING:
        return middle * largest, 1.0
    return middle * largest, spread * largest
