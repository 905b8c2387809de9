"""What each column of a table is, told before any training: SMILES, id, date, number, class, text, ..."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.assays.cells import Cells, read_cells
from cytomol.assays.classes import class_name, encode, has_known_words, order_classes
from cytomol.assays.codes import looks_missing, minus_one_among_classes
from cytomol.assays.column import Choice, Column, Role, choose_tasks, described
from cytomol.assays.id_columns import no_task, words_of_name
from cytomol.counted import agreeing, counted
from cytomol.errors import ConfigError, InputError

__all__ = [
    "NO_CODES",
    "Choice",
    "Column",
    "Role",
    "TaskType",
    "choose_tasks",
    "column_of",
    "roles_of_columns",
    "task_type_of",
    "task_types",
]

TASK_TYPES = ("auto", "classification", "regression")
NO_CODES = "none"
"""Said in place of missing codes: no number stands for nothing measured."""

TaskType = str | Mapping[str, str]

_MOST_CLASSES = 20  # different words, or whole numbers where classes are asked for
_FEW_NUMBERS = 5  # different whole numbers that are classes without being asked for
_SOME_NUMBERS = 10  # different whole numbers that are worth a word
_ROWS_A_CLASS = 4  # rows on average before words or whole numbers are classes


_LABELS = frozenset(
    {
        "y",
        "class",
        "classes",
        "label",
        "labels",
        "target",
        "outcome",
        "activity",
        "active",
        "response",
        "result",
        "cls",
    }
)
_QUALIFIERS = frozenset({"<", ">", "=", "<=", ">=", "~", "≤", "≥", "<<", ">>"})


def roles_of_columns(
    frame: pd.DataFrame,
    *,
    smiles_col: str | None = None,
    ignore: Collection[str] = (),
    missing_codes: Sequence[str] = (),
    task_type: TaskType = "auto",
) -> list[Column]:
    """Tell what each column of a table is.

    Parameters
    ----------
    frame
        The table; cells are text as it stands in a file, or numbers.
    smiles_col
        Column of the molecules.
    ignore
        Columns that are left out of the answer.
    missing_codes
        What stands for nothing measured beside empty cells, such as "-999"; "none" says that no number does.
    task_type
        "auto", "classification" or "regression", or one of these by the name of a column.
    """
    columns = []
    for name in frame.columns:
        if str(name) == smiles_col:
            cells = frame[name].astype("string").fillna("")
            columns.append(Column(str(name), "smiles", "molecules", len(frame), int((cells != "").sum())))
        elif str(name) not in ignore:
            cells_of = read_cells(frame[name], missing_codes)
            kind = task_type_of(task_type, str(name))
            columns.append(column_of(cells_of, task_type=kind, settled=NO_CODES in missing_codes))
    return columns


def task_types(text: str) -> dict[str, str]:
    """Read kinds of single tasks, as in "a=regression,b=auto"; a kind alone, for all tasks, has the key "".

    Raises
    ------
    ConfigError
        If there is no such kind.
    """
    parts = [part.rpartition("=") for part in text.split(",")]
    found = {name.strip(): kind.strip() for name, _, kind in parts}
    for kind in found.values():
        if kind not in TASK_TYPES:
            known = ", ".join(TASK_TYPES)
            raise ConfigError(f"no task type {kind!r}", where="task_type", hint=f"known: {known}")
    return found


def task_type_of(task_type: TaskType, name: str) -> str:
    """Return the kind that is asked for of one task; "auto" where none is.

    Parameters
    ----------
    task_type
        One kind for all, or kinds by the names of tasks, as a mapping or as text (see `task_types`).
    name
        The task.
    """
    given = task_types(task_type) if isinstance(task_type, str) else task_type
    return given.get(name, given.get("", "auto"))


def column_of(
    cells: Cells,
    *,
    task_type: str = "auto",
    named: bool = False,
    settled: bool = False,
    where: str = "table",
) -> Column:
    """Tell what one column is.

    Parameters
    ----------
    cells
        Its cells.
    task_type
        Kind that is asked for.
    named
        Whether a user has named it as a task: then it is no id, index, date or constant.
    settled
        Whether a user has said that none of its numbers stands for nothing measured.
    where
        The table's name, for messages.
    """
    if cells.measured == 0:
        return described(cells, "empty", "nothing stands in it")
    if not named and (found := no_task(cells)):
        return found
    if cells.mostly_words:
        found = _words(cells, named=named or task_type == "classification")
        if task_type == "regression" and found.role == "class":
            return described(cells, "text", f"{found.reason}, where values are asked for", doubtful=True)
        return found
    if cells.bounds.any():
        return _censored(cells, settled=settled)
    return _numbers(cells, task_type, named=named, settled=settled, where=where)


def _words(cells: Cells, *, named: bool) -> Column:
    """Tell classes from text."""
    text = cells.text
    found = {str(word).casefold() for word in text if word}
    if found <= _QUALIFIERS:
        return described(
            cells,
            "text",
            "qualifiers of another column",
            remark="its qualifiers are not read: write them into the cells of the values, as in <0.5",
        )
    if len(found) == 1:
        return described(cells, "constant", f"every cell is {next(word for word in text if word)!r}")
    classes, places = encode(text)
    known = has_known_words(classes)
    repeated = cells.measured >= (len(classes) if known else _ROWS_A_CLASS * len(classes))
    if len(classes) > _MOST_CLASSES or not (repeated or named) or len(found) == cells.measured > 2:
        first = next(row for row, word in enumerate(text) if word)
        return described(
            cells, "text", f"{len(found):,} different texts, as {text[first]!r} in row {first + 1}"
        )
    sure = named or known or bool(words_of_name(cells.name) & _LABELS)
    return _classes(cells, classes, places, order_classes(classes)[1], doubtful=not sure)


def _classes(
    cells: Cells, classes: tuple[str, ...], places: NDArray[np.float64], how: str, **more: Any
) -> Column:
    counts = tuple(int((places == at).sum()) for at in range(len(classes)))
    reason = f"{len(classes)} classes"
    remark = ""
    if classes != ("0", "1"):
        listed = ", ".join(f"{name} ({count:,})" for name, count in zip(classes, counts, strict=True))
        last = f"; {classes[1]} is the positive one, {how}" if len(classes) == 2 else f", in order {how}"
        remark = f"read as classes: {listed}{last}"
    return described(
        cells, "class", reason, **{"classes": classes, "counts": counts, "remark": remark, **more}
    )


def _range(cells: Cells) -> dict[str, float]:
    numbers = cells.numbers[~np.isnan(cells.numbers)]
    with np.errstate(over="ignore"):
        spread = float(np.std(numbers))
    return {"low": float(numbers.min()), "high": float(numbers.max()), "spread": spread}


def _censored(cells: Cells, *, settled: bool) -> Column:
    below, above = int((cells.bounds < 0).sum()), int((cells.bounds > 0).sum())
    return described(
        cells,
        "censored",
        agreeing(below + above, "cell", "is a bound", "are bounds", of=cells.measured),
        below=below,
        above=above,
        remark=agreeing(below + above, "value", "is a bound", "are bounds", of=cells.measured)
        + f": {below:,} 'less than', {above:,} 'more than'",
        **_problem(cells, settled=settled),
        **_range(cells),
    )


def _numbers(cells: Cells, task_type: str, *, named: bool, settled: bool, where: str) -> Column:
    """Tell numbers from classes that are written as numbers."""
    numbers = cells.numbers[~np.isnan(cells.numbers)]
    values = np.unique(numbers)
    problem = _problem(cells, settled=settled, asked=task_type != "auto")
    if task_type != "regression":
        binary = bool(np.isin(values, (0.0, 1.0)).all())
        if binary and (len(values) == 2 or named or task_type == "classification"):
            return _classes(cells, ("0", "1"), cells.numbers, "by number")
        few = _are_classes(values, len(numbers))
        if not problem and (few or task_type == "classification") and len(values) > 1:
            _check_classes(cells, values, where)
            places = np.where(np.isnan(cells.numbers), np.nan, np.searchsorted(values, cells.numbers))
            return _classes(cells, tuple(map(class_name, values)), places, "by number")
    if len(values) == 1 and not named and not cells.words.any():
        return described(cells, "constant", f"every value is {values[0]:g}")
    remark = ""
    whole = bool((values == np.floor(values)).all())
    if (
        not problem
        and task_type == "auto"
        and whole
        and 1 < len(values) <= _SOME_NUMBERS
        and len(numbers) >= 4 * len(values)
    ):
        remark = (
            f"holds {counted(len(values), 'different whole number', comma=False)}, learnt as numbers; for"
            f' classes give --task-type "{cells.name}=classification"'
        )
    return described(
        cells, "number", counted(len(values), "different value"), remark=remark, **problem, **_range(cells)
    )


def _are_classes(values: NDArray[np.float64], rows: int) -> bool:
    """Tell whether whole numbers are so few and so close that they are classes."""
    whole = bool((values == np.floor(values)).all())
    close = float(np.ptp(values)) < 2 * len(values)
    return whole and close and 1 < len(values) <= _FEW_NUMBERS and rows >= _ROWS_A_CLASS * len(values)


def _check_classes(cells: Cells, values: NDArray[np.float64], where: str) -> None:
    """Refuse numbers as classes where they have fractions or are too many."""
    broken = np.flatnonzero(cells.numbers != np.floor(cells.numbers))
    broken = broken[~np.isnan(cells.numbers[broken])]
    if broken.size:
        raise InputError(
            f"label {cells.numbers[broken[0]]:g} is no class",
            where=f"{where}, row {broken[0] + 1}, column {cells.name!r}",
            hint="write classes as words or whole numbers, or use --task-type regression",
        )
    if len(values) > _MOST_CLASSES:
        raise InputError(
            f"{len(values):,} different labels are too many for classes",
            where=f"{where}, column {cells.name!r}",
            hint=f"at most {_MOST_CLASSES}; or use --task-type regression",
        )


def _problem(cells: Cells, *, settled: bool, asked: bool = False) -> dict[str, str]:
    """Return what must be settled of the numbers of a column, and how.

    ``settled`` says that no number stands for nothing measured, ``asked`` that the kind of task is given.
    """
    if settled:
        return {}
    if minus_one := minus_one_among_classes(cells.numbers):
        return {
            "problem": f"-1 stands in {minus_one:,} of {cells.measured:,} cells among 0 and 1: not measured?",
            "remedy": "--missing-codes=-1 leaves them out, --task-type classification learns -1 as a class",
        } if not asked else {}  # fmt: skip
    codes = looks_missing(np.where(cells.bounds == 0, cells.numbers, np.nan))
    if not codes:
        return {}
    found = ", ".join(f"{class_name(code)} in {count:,}" for code, count in codes.items())
    given = ",".join(class_name(code) for code in codes)
    return {
        "problem": f"{found} of {cells.measured:,} cells, apart from all other values: not measured?",
        "remedy": f"--missing-codes={given} leaves them out, --missing-codes=none learns them as values",
    }
