"""What was in a table of assays: molecules, repeats, salts, and each task with its noise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.column import Column
from cytomol.assays.labels import Labels, Task
from cytomol.assays.replicates import TaskReplicates, replicates_of
from cytomol.assays.same_molecule import molecule_groups
from cytomol.assays.splits import FOLDS
from cytomol.assays.triage_lines import column_values
from cytomol.predict.record.record_parts import ColumnFacts, TableFacts, TaskFacts

__all__ = ["column_facts", "table_facts"]


def table_facts(
    smiles: Sequence[str], labels: Labels, folds: NDArray[np.str_], errors: Sequence[str]
) -> TableFacts:
    """Count what a table holds.

    Parameters
    ----------
    smiles, labels
        Molecules and their labels as given, row by row.
    folds
        Fold of each row; "" for none.
    errors
        Why a molecule is invalid; "" where it is valid.

    Examples
    --------
    >>> labels = Labels.of_kind(["a"], np.array([[1.0], [2.0], [3.0]]), "regression")
    >>> facts = table_facts(["CCO", "OCC", "[Na+].[Cl-]"], labels, np.array(["train"] * 3), [""] * 3)
    >>> facts.different, facts.repeated, facts.several_parts
    (2, 1, 1)
    """
    groups = molecule_groups(smiles)
    _, counts = np.unique(groups[groups >= 0], return_counts=True)
    invalid = next((f"row {row + 1}: {error}" for row, error in enumerate(errors) if error), "")
    found = replicates_of(labels, groups)
    return TableFacts(
        rows=len(smiles),
        valid=sum(not error for error in errors),
        different=len(counts),
        repeated=int((counts > 1).sum()),
        several_parts=sum(
            not error and "." in text.split(maxsplit=1)[0] for text, error in zip(smiles, errors, strict=True)
        ),
        invalid=invalid,
        folds=dict(sorted(Counter(fold for fold in folds.tolist() if fold).items(), key=_fold_order)),
        tasks=[_of_task(labels, place, repeats) for place, repeats in enumerate(found)],
    )


def _fold_order(fold: tuple[str, int]) -> tuple[int, str]:
    name = fold[0]
    return (FOLDS.index(name) if name in FOLDS else len(FOLDS), name)


def column_facts(columns: Sequence[Column], learnt: Sequence[str]) -> tuple[ColumnFacts, ...]:
    """Say what each column of a table is, and whether it is learnt."""
    return tuple(
        ColumnFacts(
            name=column.name,
            role=column.role,
            measured=column.measured,
            values=column_values(column),
            learnt=column.name in learnt,
        )
        for column in columns
    )


def _of_task(labels: Labels, place: int, repeats: TaskReplicates) -> TaskFacts:
    task: Task = labels.tasks[place]
    values = labels.matrix[:, place]
    known = values[~np.isnan(values)]
    sides = np.zeros(0) if labels.bounds is None else labels.bounds[:, place]
    of_values = task.kind == "regression" and bool(len(known))
    classes = [int((known == place).sum()) for place in range(len(task.classes))]
    return TaskFacts(
        name=task.name,
        kind=task.kind,
        classes=list(task.classes),
        counts=classes,
        measured=len(known),
        low=float(known.min()) if of_values else None,
        median=float(np.median(known)) if of_values else None,
        high=float(known.max()) if of_values else None,
        spread=float(known.std()) if of_values else None,
        below=int((sides < 0).sum()),
        above=int((sides > 0).sum()),
        repeated=repeats.molecules,
        repeated_labels=repeats.labels,
        agree=repeats.same,
        contradictory=repeats.contradictory,
        noise=repeats.noise,
        best=dict(repeats.best),
    )
