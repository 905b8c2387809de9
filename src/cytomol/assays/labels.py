"""The tasks of a table: which columns, what kind, which cells are measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.errors import InputError
from cytomol.tables.molecules import find_column

__all__ = ["RESERVED", "Labels", "Task", "check_training_labels", "detect_kind", "read_labels"]

# names that columns of a prediction have, so no task can have them
RESERVED = ("smiles", "error")
_MISSING = {"", "nan", "na", "n/a", "null", "none", "<na>"}


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
    task_type: str = "auto",
    where: str = "table",
) -> Labels:
    """Find the tasks of a table and read their cells.

    Parameters
    ----------
    frame
        The table; cells are text or numbers.
    targets
        Task columns; None takes every numeric column.
    ignore
        Columns that are no tasks (SMILES, fold).
    task_type
        "auto", "classification" or "regression".
    where
        The table's name, for messages.

    Raises
    ------
    InputError
        If a column is absent, a cell is no number (with row, column and value), nothing is measured,
        or the labels do not suit the kind.
    """
    left_out: list[str] = []
    if targets is not None:
        names = [find_column(frame, name, where=where, option="--targets") for name in targets]
        _check_names(names, ignore, where)
        values = [_numbers(frame[name], where=where) for name in names]
    else:
        names, values = [], []
        for name in map(str, frame.columns):
            if name in ignore:
                continue
            reason, column = _numeric_column(frame[name], where=where)
            if column is None:
                left_out.append(f"{name} ({reason})")
            else:
                names.append(name)
                values.append(column)
    _check_names(names, ignore, where)
    matrix = np.column_stack(values) if values else np.zeros((len(frame), 0))
    for name, column in zip(names, matrix.T, strict=True):
        if np.isnan(column).all():
            raise InputError("no label is measured", where=f"{where}, column {name!r}")
    if not names:
        raise InputError(
            "has no numeric column to learn from",
            where=where,
            hint=f"left out: {', '.join(left_out) or 'nothing'}; name the tasks with --targets",
        )
    labels = Labels.of_kind(names, matrix, "regression", where)
    kind = detect_kind(labels, task_type)
    return replace(Labels.of_kind(names, matrix, kind, where), left_out=tuple(left_out))


def detect_kind(labels: Labels, task_type: str = "auto") -> Literal["classification", "regression"]:
    """Return "classification" if every measured value is 0 or 1, else "regression"; check a given kind.

    Raises
    ------
    InputError
        If some tasks hold only 0 and 1 and others do not (in "auto"), or a classification label is
        neither 0 nor 1.
    """
    binary = np.isnan(labels.matrix) | (labels.matrix == 0) | (labels.matrix == 1)
    if task_type == "classification" and not binary.all():
        row, task = np.argwhere(~binary)[0]
        raise InputError(
            f"label {labels.matrix[row, task]:g} is neither 0 nor 1",
            where=f"{labels.where}, row {row + 1}, column {labels.names[task]!r}",
            hint="write classes as 0 and 1, or use --task-type regression",
        )
    if task_type != "auto":
        return cast('Literal["classification", "regression"]', task_type)
    per_task = binary.all(axis=0)
    if per_task.all():
        return "classification"
    if per_task.any():
        classes, numbers = labels.names[int(np.argmax(per_task))], labels.names[int(np.argmin(per_task))]
        raise InputError(
            f"column {classes!r} holds only 0 and 1, column {numbers!r} other numbers too",
            where=labels.where,
            hint="choose tasks of one kind with --targets, or set --task-type regression",
        )
    return "regression"


def check_training_labels(labels: Labels, train: NDArray[np.bool_]) -> list[str]:
    """Check that the training rows can teach something; return warnings about single tasks.

    Raises
    ------
    InputError
        If no task has a label in training, or none has both classes.
    """
    values = labels.matrix[train]
    counts = (~np.isnan(values)).sum(axis=0)
    if not counts.any():
        raise InputError("no training molecule has a label", where=labels.where)
    warnings: list[str] = []
    if (counts == 0).any():
        warnings.append(f"no training label, so no prediction: {_listed(labels.names, counts == 0)}")
    if labels.kind == "classification":
        ones = np.nansum(values, axis=0)
        single = (counts > 0) & ((ones == 0) | (ones == counts))
        if (single | (counts == 0)).all():
            value = values[~np.isnan(values)][0]
            raise InputError(
                f"every training label is {value:g}: there is nothing to tell apart",
                where=f"{labels.where}, column {labels.names[int(np.argmax(single))]!r}",
                hint="classification needs both 0 and 1 in training",
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


def _parse(cells: pd.Series[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the numbers of a column and where a cell holds something that is no finite number."""
    if pd.api.types.is_bool_dtype(cells) or pd.api.types.is_numeric_dtype(cells):
        numbers = cells.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
        return numbers, np.isinf(numbers)
    text = cells.astype("string").str.strip().fillna("")
    missing = text.str.lower().isin(_MISSING).to_numpy(dtype=bool)
    text = text.replace({"true": "1", "True": "1", "TRUE": "1", "false": "0", "False": "0", "FALSE": "0"})
    numbers = pd.to_numeric(text.where(~missing), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return numbers, ~missing & ~np.isfinite(numbers)


def _numbers(cells: pd.Series[Any], *, where: str) -> NDArray[np.float64]:
    numbers, wrong = _parse(cells)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"label {str(cells.iloc[row])!r} is not a finite number",
            where=f"{where}, row {row + 1}, column {cells.name!r}",
            hint="write a number, or leave the cell empty where nothing was measured",
        )
    return numbers


def _refuse_decimal_commas(cells: pd.Series[Any], wrong: NDArray[Any], *, where: str) -> None:
    """Raise if a column that is no column of numbers would be one with points in place of its commas."""
    text = cells[wrong].astype("string").str.strip()
    with_comma = text.str.fullmatch(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?").fillna(value=False).to_numpy(dtype=bool)
    if 2 * with_comma.sum() > len(text):
        row = int(np.flatnonzero(wrong)[np.argmax(with_comma)])
        raise InputError(
            f"holds numbers with a comma, such as {str(cells.iloc[row])!r}",
            where=f"{where}, row {row + 1}, column {cells.name!r}",
            hint="write a decimal point, or name the tasks with --targets",
        )


def _numeric_column(cells: pd.Series[Any], *, where: str) -> tuple[str, NDArray[np.float64] | None]:
    """Return the numbers of a column that is one of numbers, else the reason why it is not.

    A column that is mostly numbers raises: leaving it out because of one cell would lose a task
    without a word that anybody reads.
    """
    numbers, wrong = _parse(cells)
    measured = int((~np.isnan(numbers) & ~wrong).sum())
    if wrong.sum() > measured:
        _refuse_decimal_commas(cells, wrong, where=where)
    if measured == 0:
        return ("text" if wrong.any() else "empty"), None
    if wrong.sum() > measured:
        return f"text, as {str(cells[wrong].iloc[0])!r} in row {int(np.argmax(wrong)) + 1}", None
    return "", _numbers(cells, where=where)
