"""The tasks of a table: which columns, what kind, which cells are measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.assays.answer_names import RESERVED
from cytomol.assays.cells import Cells, read_cells, refuse_decimal_commas
from cytomol.assays.classes import encode
from cytomol.assays.column_roles import (
    NO_CODES,
    TaskType,
    choose_tasks,
    column_of,
    roles_of_columns,
    task_type_of,
    task_types,
)
from cytomol.errors import InputError, note
from cytomol.tables.molecules import find_column

__all__ = ["Kind", "Labels", "Task", "check_training_labels", "read_labels"]

Kind = Literal["binary", "multiclass", "regression"]


@dataclass(frozen=True)
class Task:
    """One thing that is measured of molecules.

    Attributes
    ----------
    name
        As its column is called.
    kind
        "binary" or "multiclass" (labels are places in ``classes``), or "regression" (labels are values).
    classes
        What the classes are called in the table, the negative one first where there are two; () for values.
    """

    name: str
    kind: Kind
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Labels:
    """Measured values of every task.

    Attributes
    ----------
    tasks
        What was measured, column by column.
    matrix
        Values, or places in the task's classes; float64, NaN where not measured, shape (rows, tasks).
    where
        Where they come from, for messages.
    left_out
        Columns that are no tasks, each with the reason, when the tasks were not named.
    bounds
        -1 where the true value lies below what ``matrix`` has ("<0.5"), 1 where it lies above (">10"),
        else 0; int8, shape (rows, tasks). None where nothing is censored.
    """

    tasks: tuple[Task, ...]
    matrix: NDArray[np.float64]
    where: str = "labels"
    left_out: tuple[str, ...] = ()
    bounds: NDArray[np.int8] | None = None

    @classmethod
    def of_kind(
        cls,
        names: Sequence[str],
        matrix: NDArray[np.float64],
        kind: Literal["classification", "regression"],
        where: str = "labels",
    ) -> Labels:
        """Return labels whose tasks are all classes 0 and 1 ("classification"), or all values."""
        binary = Task("", "binary", ("0", "1"))
        tasks = [
            replace(binary, name=name) if kind == "classification" else Task(name, "regression")
            for name in names
        ]
        return cls(tuple(tasks), matrix, where)

    @property
    def names(self) -> tuple[str, ...]:
        """Task names."""
        return tuple(task.name for task in self.tasks)

    @property
    def kind(self) -> str:
        """Return "classification", "regression", or "mixed" where the tasks are of both."""
        kinds = {"regression" if task.kind == "regression" else "classification" for task in self.tasks}
        return kinds.pop() if len(kinds) == 1 else "mixed"

    @property
    def metric(self) -> str:
        """Name of the metric that counts, where the tasks are of one kind."""
        return "mae" if self.kind == "regression" else "roc_auc"

    def take(self, rows: NDArray[np.int64]) -> Labels:
        """Return the labels of some rows."""
        bounds = None if self.bounds is None else self.bounds[rows]
        return replace(self, matrix=self.matrix[rows], bounds=bounds)


def read_labels(
    frame: pd.DataFrame,
    targets: Sequence[str] | None,
    *,
    ignore: Sequence[str] = (),
    task_type: TaskType = "auto",
    missing_codes: Sequence[str] = (),
    where: str = "table",
) -> Labels:
    """Find the tasks of a table and read their cells.

    Parameters
    ----------
    frame
        The table; cells are text or numbers.
    targets
        Task columns; None takes every column that is one of values or classes.
    ignore
        Columns that are no tasks (SMILES, fold).
    task_type
        "auto", "classification" or "regression", or one of these by the name of a task.
    missing_codes
        What stands for nothing measured beside empty cells, such as "-999"; "none" says that no number does.
    where
        The table's name, for messages.

    Raises
    ------
    InputError
        If a column is absent or two have one name, a cell is no number (with row, column and value), nothing
        is measured, values look like codes for nothing measured, or the labels do not suit the kind.
    """
    if frame.columns.has_duplicates:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise InputError(f"has two columns {twice!r}", where=where, hint="rename one of them")
    settled = NO_CODES in missing_codes
    if targets is None:
        names, left_out = _tasks_by_role(frame, ignore, task_type, missing_codes, where)
    else:
        names = [find_column(frame, name, where=where, option="--targets") for name in targets]
        left_out = []
    _check_names(names, ignore, where)
    _check_task_types(task_type, frame, where)
    tasks, matrix, bounds = (
        [],
        np.full((len(frame), len(names)), np.nan),
        np.zeros((len(frame), len(names)), "i1"),
    )
    for at, name in enumerate(names):
        cells = read_cells(frame[name], missing_codes)
        kind = task_type_of(task_type, name)
        task, matrix[:, at], bounds[:, at] = _read_task(cells, kind, settled=settled, where=where)
        tasks.append(task)
    return Labels(tuple(tasks), matrix, where, tuple(left_out), bounds if bounds.any() else None)


def _check_task_types(task_type: TaskType, frame: pd.DataFrame, where: str) -> None:
    """Refuse a kind that is given for a column that is not there."""
    type_by_task = task_types(task_type) if isinstance(task_type, str) else task_type
    for name in type_by_task:
        if name:
            find_column(frame, name, where=where, option="--task-type")


def _tasks_by_role(
    frame: pd.DataFrame, ignore: Sequence[str], task_type: TaskType, missing_codes: Sequence[str], where: str
) -> tuple[list[str], list[str]]:
    """Return the columns that are tasks by what stands in them, and the others with the reason."""
    columns = roles_of_columns(frame, ignore=ignore, missing_codes=missing_codes, task_type=task_type)
    for column in columns:
        if column.role == "text":
            refuse_decimal_commas(read_cells(frame[column.name], missing_codes), where=where)
    choice = choose_tasks(columns)
    if not choice.tasks:
        raise InputError(
            "has no column to learn from",
            where=where,
            hint=f"left out: {', '.join(choice.left_out) or 'nothing'}; name the tasks with --targets",
        )
    for line in choice.loud:
        note(line, where=where)
    return list(choice.tasks), list(choice.left_out)


def _read_task(
    cells: Cells, task_type: str, *, settled: bool, where: str
) -> tuple[Task, NDArray[np.float64], NDArray[np.int8]]:
    """Return a task, its values or places among its classes, and its bounds."""
    place = f"{where}, column {cells.name!r}"
    if cells.measured == 0:
        raise InputError("no label is measured", where=place)
    if not cells.mostly_words or task_type == "regression":
        _check_numbers(cells, where)
    column = column_of(cells, task_type=task_type, named=True, settled=settled, where=where)
    if column.problem:
        raise InputError(column.problem, where=place, hint=column.remedy)
    if not column.may_be_task:
        raise InputError(
            f"cannot be learnt: it holds {column.reason}",
            where=place,
            hint="write numbers or a few classes, or leave the cell empty where nothing was measured",
        )
    if column.remark:
        note(f"column {cells.name!r}: {column.remark}", where=where)
    if column.role != "class":
        return Task(cells.name, "regression"), cells.numbers, cells.bounds
    kind: Kind = "binary" if len(column.classes) == 2 else "multiclass"
    task, none = Task(cells.name, kind, column.classes), np.zeros(len(cells.numbers), np.int8)
    if cells.mostly_words:
        return task, encode(cells.text)[1], none
    values = np.array([float(name) for name in column.classes])
    places = np.searchsorted(values, cells.numbers).astype(np.float64)
    return task, np.where(np.isnan(cells.numbers), np.nan, places), none


def check_training_labels(labels: Labels, train: NDArray[np.bool_]) -> list[str]:
    """Check that the training rows can teach something; return warnings about single tasks.

    Raises
    ------
    InputError
        If no task has a label in training, or none of the classes has another beside it.
    """
    values = labels.matrix[train]
    counts = (~np.isnan(values)).sum(axis=0)
    if not counts.any():
        raise InputError("no training molecule has a label", where=labels.where)
    warnings: list[str] = []
    if (counts == 0).any():
        warnings.append(f"no training label, so no prediction: {_listed(labels.names, counts == 0)}")
    of_classes = np.array([task.kind != "regression" for task in labels.tasks])
    different = np.array([len(np.unique(column[~np.isnan(column)])) for column in values.T])
    single = of_classes & (different == 1)
    if (single | (counts == 0)).all():
        task = int(np.argmax(single))
        place = int(values[:, task][~np.isnan(values[:, task])][0])
        raise InputError(
            f"every training label is {labels.tasks[task].classes[place]}: there is nothing to tell apart",
            where=f"{labels.where}, column {labels.names[task]!r}",
            hint="classification needs two classes or more in training",
        )
    if single.any():
        warnings.append(f"one class only in training: {_listed(labels.names, single)}")
    return warnings


def _listed(names: Sequence[str], chosen: NDArray[np.bool_]) -> str:
    found = [name for name, flag in zip(names, chosen, strict=True) if flag]
    return ", ".join(found[:8]) + (f" and {len(found) - 8} more" if len(found) > 8 else "")


def _check_names(names: Sequence[str], ignore: Sequence[str], where: str) -> None:
    for name in names:
        if name.lower() in RESERVED:
            raise InputError(
                f"a task cannot be called {name!r}, a column of every prediction",
                where=where,
                hint="rename the column",
            )
        if name in ignore:
            raise InputError(
                f"column {name!r} cannot be a task: it is the SMILES or fold column", where=where
            )
    if len(set(names)) < len(names):
        raise InputError("a task is named twice", where=where, hint=f"tasks: {', '.join(names)}")


def _check_numbers(cells: Cells, where: str) -> None:
    """Refuse a column of numbers in which a word stands: leaving it out would lose a task in silence."""
    wrong = np.flatnonzero(cells.words)
    if wrong.size:
        raise InputError(
            f"label {str(cells.series.iloc[wrong[0]])!r} is not a finite number",
            where=f"{where}, row {wrong[0] + 1}, column {cells.name!r}",
            hint="write a number, or leave the cell empty where nothing was measured; --missing-codes names "
            "what else means so",
        )
