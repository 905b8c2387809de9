"""What was measured since, read as the tasks of a model that is already there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.assays.cells import Cells, read_cells
from cytomol.assays.labels import Labels, Task, read_labels
from cytomol.errors import InputError
from cytomol.tables.molecules import find_column

__all__ = ["read_measured"]


def read_measured(
    frame: pd.DataFrame, tasks: Sequence[Task], *, missing_codes: Sequence[str] = (), where: str = "table"
) -> Labels:
    """Read a column for each task: values as numbers, classes by the names that they had in training.

    A table of a few molecules may hold one class only, or classes in another order; what a column is, is
    therefore asked of the model and not of the column. A task of which nothing is measured is left out.

    Parameters
    ----------
    frame
        The table; cells are text or numbers.
    tasks
        Tasks of the model that are columns of the table.
    missing_codes
        What stands for nothing measured beside empty cells, as in training.
    where
        The table's name, for messages.

    Raises
    ------
    InputError
        If a column is absent, a cell is no number or no class that the model knows, or nothing is measured
        in any of them.
    """
    columns = [find_column(frame, task.name, where=where, option="the model's task") for task in tasks]
    cells = {name: read_cells(frame[name], missing_codes) for name in columns}
    tasks = [task for task in tasks if cells[task.name].measured]
    if not tasks:
        named = ", ".join(map(repr, columns))
        raise InputError("no label is measured", where=f"{where}, column{'s' * (len(columns) > 1)} {named}")
    matrix = np.full((len(frame), len(tasks)), np.nan)
    bounds = np.zeros(matrix.shape, dtype=np.int8)
    for place, task in enumerate(tasks):
        if task.kind == "regression":
            found = read_labels(
                frame, [task.name], task_type="regression", missing_codes=missing_codes, where=where
            )
            matrix[:, place] = found.matrix[:, 0]
            if found.bounds is not None:
                bounds[:, place] = found.bounds[:, 0]
        else:
            matrix[:, place] = _places(cells[task.name], task, where)
    labels = Labels(tuple(tasks), matrix, where)
    return replace(labels, bounds=bounds) if bounds.any() else labels


def _places(cells: Cells, task: Task, where: str) -> NDArray[np.float64]:
    """Return the place of every cell among the classes of a task; NaN where nothing was measured."""
    known = {_same(name): float(place) for place, name in enumerate(task.classes)}
    places = np.full(len(cells.series), np.nan)
    for row, (cell, missing) in enumerate(zip(cells.series, cells.missing, strict=True)):
        if missing:
            continue
        if (text := _same(cell)) in known:
            places[row] = known[text]
        else:
            raise InputError(
                f"{str(cell)!r} is none of the classes of the model: {', '.join(task.classes)}",
                where=f"{where}, row {row + 1}, column {task.name!r}",
                hint="write the class as in training, or leave the cell empty where nothing was measured",
            )
    return places


def _same(cell: object) -> str:
    """Return what spellings of one class have in common: "1", 1, 1.0 and True, or "Active" and "active"."""
    text = str(cell).strip().casefold()
    text = {"true": "1", "false": "0"}.get(text, text)
    try:
        number = float(text)
    except ValueError:
        return text
    return repr(number + 0.0) if np.isfinite(number) else text
