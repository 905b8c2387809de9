"""What a table holds, told before any training, and the command that learns from it."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.assays.answer_names import RESERVED, alike
from cytomol.assays.cells import read_cells
from cytomol.assays.column_roles import Choice, Column, TaskType, choose_tasks, roles_of_columns
from cytomol.assays.labels import Labels, read_labels
from cytomol.assays.replicates import TaskReplicates, replicates_of
from cytomol.assays.same_molecule import molecule_groups
from cytomol.counted import agreeing, counted
from cytomol.errors import InputError, InputNote

__all__ = ["MoleculeCounts", "Triage", "triage"]

_FEW_LABELS = 50
_FEW_OF_A_CLASS = 10
_ENOUGH_TO_SPLIT = 300  # a tenth of them tests, and a verdict takes 30


@dataclass(frozen=True)
class MoleculeCounts:
    """How many molecules a table holds.

    Attributes
    ----------
    rows, valid, different
        Rows, rows whose molecule is valid, and molecules among them by connectivity.
    repeated
        Molecules that stand in two rows or more.
    first_invalid
        First row, from 1, without a valid molecule, and the reason; None where there is none.
    """

    rows: int
    valid: int
    different: int
    repeated: int
    first_invalid: tuple[int, str] | None


@dataclass(frozen=True)
class Triage:
    """What a table holds.

    Attributes
    ----------
    columns
        Every column, in order.
    choice
        Which of them are learnt where none is named.
    molecules
        Counts of molecules.
    replicates
        Of every task without a problem: repeated labels and the noise that they show.
    warnings
        What a user should read before training, one sentence each.
    command
        The command that learns from the table; "" where something must be settled first.
    """

    columns: tuple[Column, ...]
    choice: Choice
    molecules: MoleculeCounts
    replicates: tuple[TaskReplicates, ...]
    warnings: tuple[str, ...]
    command: str

    @property
    def problems(self) -> tuple[Column, ...]:
        """Columns of which something must be settled before they are learnt."""
        return tuple(column for column in self.columns if column.problem)


def triage(
    frame: pd.DataFrame,
    smiles: Sequence[str],
    *,
    smiles_col: str,
    table: str,
    missing_codes: Sequence[str] = (),
    task_type: TaskType = "auto",
) -> Triage:
    """Tell what a table holds.

    Parameters
    ----------
    frame
        The table.
    smiles
        SMILES of every row, "" for none.
    smiles_col
        Their column.
    table
        Name of the file, as the command will have it.
    missing_codes, task_type
        As in :func:`cytomol.assays.labels.read_labels`.
    """
    molecules, groups = _count_molecules(smiles)
    columns = [
        _with_problem(column, frame, missing_codes, groups >= 0)
        for column in roles_of_columns(
            frame, smiles_col=smiles_col, missing_codes=missing_codes, task_type=task_type
        )
    ]
    columns = _without_clashes(columns)
    choice = choose_tasks(columns)
    by_name = {column.name: column for column in columns}
    sound = [name for name in choice.tasks if not by_name[name].problem]
    given = {"ignore": [smiles_col], "task_type": task_type, "missing_codes": missing_codes, "where": table}
    labels = _labels(frame, sound, **given)
    replicates = replicates_of(labels, groups) if labels is not None else []
    lines = [*choice.loud, *_of_tasks([by_name[name] for name in choice.tasks])]
    lines += _of_replicates(replicates, molecules)
    settled = sound and sound == list(choice.tasks) and molecules.valid
    command = ""
    if settled:
        small = max(by_name[name].measured for name in sound) < _ENOUGH_TO_SPLIT
        if small:
            lines.append(
                f"a tenth of fewer than {_ENOUGH_TO_SPLIT} labels is too few to judge a model by: the command"
                " below tests it on all of them (--folds 5)"
            )
        command = _command(table, sound, smiles_col, missing_codes, task_type, crossed=small)
    return Triage(tuple(columns), choice, molecules, tuple(replicates), tuple(lines), command)


def _with_problem(
    column: Column, frame: pd.DataFrame, missing_codes: Sequence[str], valid: NDArray[np.bool_]
) -> Column:
    """Add to a column what stands in its cells that is no number, or that no molecule has a label."""
    if not column.may_be_task:
        return column
    if column.name.lower() in RESERVED:
        return replace(column, problem="no task can have this name", remedy="rename the column")
    cells = read_cells(frame[column.name], missing_codes)
    if not (valid & ~cells.missing).any():
        return replace(
            column,
            problem="no label stands beside a molecule that can be read",
            remedy="mend the SMILES of the rows with labels",
        )
    if column.problem or cells.mostly_words or not cells.words.any():
        return column
    row = int(np.argmax(cells.words))
    example = f"{str(cells.series.iloc[row])!r} in row {row + 1}"
    return replace(
        column,
        problem=f"{agreeing(int(cells.words.sum()), 'cell', 'is no number', 'are no numbers')}, as {example}",
        remedy="write numbers, leave the cells empty, or name with --missing-codes what means not measured",
    )


def _without_clashes(columns: Sequence[Column]) -> list[Column]:
    """Add to tasks for which an answer would have the columns of another that they cannot stand beside it."""
    by_name = {column.name: column for column in columns}
    chosen = [name for name in choose_tasks(columns).tasks if not by_name[name].problem]
    while clash := alike({name: by_name[name].classes for name in chosen}):
        first, second, shared = clash
        named, other = (first, second) if first == shared else (second, first)
        chosen.remove(named)
        by_name[named] = replace(
            by_name[named],
            problem=f"the answer for {other!r} has a column {shared!r} too",
            remedy="rename the column, or name the tasks with --targets",
        )
    return [by_name[column.name] for column in columns]


def _count_molecules(smiles: Sequence[str]) -> tuple[MoleculeCounts, NDArray[np.int64]]:
    from cytomol.chem.parse import parse_smiles

    groups = molecule_groups(smiles)
    invalid = np.flatnonzero(groups < 0)
    first = (int(invalid[0]) + 1, parse_smiles(smiles[invalid[0]]).reason) if invalid.size else None
    _, counts = np.unique(groups[groups >= 0], return_counts=True)
    valid = int((groups >= 0).sum())
    return MoleculeCounts(len(smiles), valid, len(counts), int((counts > 1).sum()), first), groups


def _labels(frame: pd.DataFrame, names: Sequence[str], **options: Any) -> Labels | None:
    """Return the labels of some tasks; what they would note of columns, their roles have said already."""
    if not names:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputNote)
        try:
            return read_labels(frame, names, **options)
        except InputError:  # finetune says it
            return None


def _of_tasks(tasks: Sequence[Column]) -> list[str]:
    """Return what should be known of tasks."""
    lines = []
    for column in tasks:
        if column.remark:
            lines.append(f"column {column.name!r}: {column.remark}")
        if column.measured < _FEW_LABELS:
            few = agreeing(column.measured, "label", "is", "are")
            lines.append(f"column {column.name!r}: {few} few to learn from")
        elif column.counts and min(column.counts) < _FEW_OF_A_CLASS:
            rare = column.classes[int(np.argmin(column.counts))]
            lines.append(
                f"column {column.name!r}: class {rare} has {counted(min(column.counts), 'label')}, "
                "few to learn from"
            )
    return lines


def _of_replicates(replicates: Sequence[TaskReplicates], molecules: MoleculeCounts) -> list[str]:
    lines = []
    if molecules.repeated:
        stand = agreeing(molecules.repeated, "molecule", "stands", "stand")
        lines.append(f"{stand} in several rows, which stay together in every split")
    lines += [
        f"column {found.task!r}: "
        f"{agreeing(found.contradictory, 'repeated molecule', 'has', 'have', of=found.molecules)} "
        "contradictory labels"
        for found in replicates
        if found.contradictory
    ]
    return lines


def _command(
    table: str,
    tasks: Sequence[str],
    smiles_col: str,
    missing_codes: Sequence[str],
    task_type: TaskType,
    *,
    crossed: bool,
) -> str:
    """Return the command that learns from the table; ``crossed``: with cross-validation."""
    words = ["cytomol", "finetune", table]
    for name in tasks if any("," in name for name in tasks) else [",".join(tasks)]:
        words += ["--targets", name]
    if smiles_col.lower() != "smiles":
        words += ["--smiles-col", smiles_col]
    if missing_codes:
        words.append(f"--missing-codes={','.join(missing_codes)}")
    if isinstance(task_type, str) and task_type != "auto":
        words += ["--task-type", task_type]
    if crossed:
        words += ["--folds", "5"]
    return shlex.join([*words, "-o", "model"])
