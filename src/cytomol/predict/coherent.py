"""Whether the parts of a loaded predictor fit each other: it answers two molecules that do not exist."""

from __future__ import annotations

import warnings

import numpy as np

from cytomol.counted import counted
from cytomol.errors import ModelDirectoryError
from cytomol.predict.parts import PredictorParts

__all__ = ["check_together"]


def check_together(parts: PredictorParts) -> None:
    """Raise where one part gives another what that cannot take.

    Parts are checked one by one as they are restored; widths and numbers of columns that stand in two of
    them are not. So the whole way is walked once, from blocks of zeros to answers, within milliseconds.

    Raises
    ------
    ModelDirectoryError
        If the numbers of tasks, columns or members differ. Another error than that, of numpy or torch, says
        the same of widths.
    """
    columns, tasks = len(parts.encoding.columns), len(parts.encoding.tasks)
    blocks = parts.features.made_up()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zeros may lie anywhere
        answers, members = parts.learner.answer(blocks)
        decoded = parts.encoding.decode(answers)
    if decoded.shape != (2, columns) or members.shape[1:] != (2, columns):
        answered = counted(decoded.shape[-1], "column", comma=False)
        raise ModelDirectoryError(f"the learner answers {answered} of {columns}")
    evidence, certainty = parts.evidence, parts.uncertainty
    if certainty is not None:
        if certainty.tasks != columns or (certainty.kinds != tuple(parts.encoding.kinds)):
            known_columns = counted(certainty.tasks, "column", comma=False)
            raise ModelDirectoryError(f"the uncertainty knows {known_columns} of {columns}")
        if certainty.members != len(members):
            raise ModelDirectoryError(
                f"the uncertainty is that of {counted(certainty.members, 'member', comma=False)}; "
                f"the learner has {len(members)}"
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            certainty.answer(decoded, parts.encoding.decode(members), np.zeros((2, 256), np.uint8))
    if evidence is None:
        return
    if evidence.measured.shape[1] != tasks:
        of_tasks = counted(evidence.measured.shape[1], "task", comma=False)
        raise ModelDirectoryError(f"the evidence has values of {of_tasks} of {tasks}")
    for place, task in enumerate(parts.encoding.tasks):
        values = evidence.measured[:, place]
        known = values[~np.isnan(values)]
        if task.kind != "regression" and not np.isin(known, np.arange(max(2, len(task.classes)))).all():
            raise ModelDirectoryError(f"the evidence holds classes that {task.name} does not have")
