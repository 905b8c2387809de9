"""What is said of one column of a table, and the choice of those that are learnt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cytomol.assays.cells import Cells

__all__ = ["TASK_ROLES", "Choice", "Column", "Role", "choose_tasks", "described"]

Role = Literal[
    "smiles", "id", "index", "date", "fold", "number", "class", "censored", "text", "constant", "empty"
]
TASK_ROLES = ("number", "class", "censored")


@dataclass(frozen=True)
class Column:
    """What one column of a table is, and by which counts.

    Attributes
    ----------
    name, role
        Name and role.
    reason
        Why, in words that follow the role.
    rows, measured
        Rows of the table, and those in which anything stands.
    classes, counts
        Classes, the negative or lowest one first, and the rows of each; () for other roles.
    low, high, spread
        Range and standard deviation of numbers; None for other roles.
    below, above
        Cells that say "less than" and "more than".
    problem, remedy
        What must be settled before the column is learnt, and how; "" where nothing is.
    remark
        What a user should know of the column; "" where there is nothing.
    doubtful
        Whether it is learnt only when it is named, or nothing else could be meant.
    """

    name: str
    role: Role
    reason: str
    rows: int
    measured: int
    classes: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    low: float | None = None
    high: float | None = None
    spread: float | None = None
    below: int = 0
    above: int = 0
    problem: str = ""
    remedy: str = ""
    remark: str = ""
    doubtful: bool = False

    @property
    def may_be_task(self) -> bool:
        """Whether there is something to learn in it."""
        return self.role in TASK_ROLES


def described(cells: Cells, role: Role, reason: str, **more: Any) -> Column:
    """Describe a column: what it is, why, and how many of its cells are measured."""
    return Column(cells.name, role, reason, len(cells.missing), cells.measured, **more)


@dataclass(frozen=True)
class Choice:
    """Which columns of a table are learnt where none is named.

    Attributes
    ----------
    tasks
        Their names.
    left_out
        The others that are no molecules, each with the reason.
    loud
        What must be said of columns that are left out and might have been meant.
    """

    tasks: tuple[str, ...]
    left_out: tuple[str, ...]
    loud: tuple[str, ...]


def choose_tasks(columns: Sequence[Column]) -> Choice:
    """Choose the columns to learn: doubtful ones only if there are no others."""
    possible = [column for column in columns if column.may_be_task]
    tasks = [column for column in possible if not column.doubtful] or possible
    left_out, loud = [], []
    for column in columns:
        if column in tasks or column.role == "smiles":
            continue
        what = column.role if column.role in {"text", "empty"} and not column.doubtful else ""
        left_out.append(f"{column.name} ({what or f'{column.role}: {column.reason}'})")
        if column.role in {"id", "index", "fold"} or column.doubtful or column.remark:
            remark = f"; {column.remark}" if column.remark else ""
            loud.append(
                f"column {column.name!r} is not learnt: {column.role}, {column.reason}{remark}; "
                "--targets names it if it is a task"
            )
    return Choice(tuple(column.name for column in tasks), tuple(left_out), tuple(loud))
