"""What a table holds in words, for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Sequence

from cytomol.assays.column_roles import Column
from cytomol.assays.digits import shown
from cytomol.assays.replicates import TaskReplicates
from cytomol.assays.triage import MoleculeCounts
from cytomol.counted import agreeing, counted

__all__ = ["column_values", "molecule_lines", "replicate_lines"]

_SHOWN_CLASSES = 6


def column_values(column: Column) -> str:
    """Return the classes or the range of a column, or why it is what it is.

    Examples
    --------
    >>> from cytomol.assays.column_roles import Column
    >>> column_values(Column("kinase", "class", "words", 5, 5, ("inactive", "active"), (3, 2)))
    'inactive: 3, active: 2'
    """
    if column.classes:
        pairs = list(zip(column.classes, column.counts, strict=True))
        text = ", ".join(f"{name}: {count:,}" for name, count in pairs[:_SHOWN_CLASSES])
        return text + (f", and {len(pairs) - _SHOWN_CLASSES} more" if len(pairs) > _SHOWN_CLASSES else "")
    if column.low is None or column.high is None:
        return column.reason
    spread = column.spread or 0.0
    text = f"{shown(column.low, spread)} to {shown(column.high, spread)}"
    if column.below or column.above:
        text += f"; {column.below:,} less than, {column.above:,} more than"
    return text


def molecule_lines(counts: MoleculeCounts) -> list[str]:
    """Return how many molecules a table holds, and what is wrong with the first invalid one.

    Examples
    --------
    >>> from cytomol.assays.triage import MoleculeCounts
    >>> molecule_lines(MoleculeCounts(3, 2, 2, 0, (3, "empty SMILES")))[1]
    '1 row without a valid molecule; row 3: empty SMILES'
    """
    valid = f"{counted(counts.valid, 'valid molecule')}, {counts.different:,} different"
    lines = [f"{counted(counts.rows, 'row')}, {valid}, {counts.repeated:,} in several rows"]
    if counts.first_invalid:
        row, reason = counts.first_invalid
        invalid = counted(counts.rows - counts.valid, "row")
        lines.append(f"{invalid} without a valid molecule; row {row}: {reason}")
    return lines


def replicate_lines(task: TaskReplicates, columns: Sequence[Column]) -> list[str]:
    """Return what repeats say of the noise of a task, and what it allows at best."""
    spread = next((column.spread for column in columns if column.name == task.task), None)
    if task.noise is None:
        return []
    agree = agreeing(task.same, "repeated molecule", "agrees", "agree", of=task.molecules)
    if spread is None:
        best = "".join(f"; at best {name} {score:.3f}" for name, score in task.best.items())
        return [f"{task.task}: {agree}; two labels of one molecule differ in {task.noise:.0%}{best}"]
    best = ", ".join(
        f"{name} {score:.3f}" if name == "r2" else f"{name} {shown(score, spread)}"
        for name, score in task.best.items()
    )
    return [f"{task.task}: {agree}; noise of the assay {shown(task.noise, spread)}; at best {best}"]
