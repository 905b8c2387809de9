"""The verdict in print: a small table of scores, then sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cytomol.assays.digits import shown
from cytomol.assays.metrics import metrics
from cytomol.counted import counted
from cytomol.predict.verdict.bootstrap import Estimate
from cytomol.predict.verdict.task import CONSTANT, MODEL, TaskVerdict

__all__ = ["lines_of"]

_MANY = 20  # tasks from which on only what is not useful has its sentence
_ORDER = (MODEL, CONSTANT, "structure", "profiles", "norm", "neighbours", "forest")


def lines_of(tasks: Sequence[TaskVerdict], overall: str) -> list[str]:
    """Return a table with a line for each task, then what is to be said of each, then of all."""
    names = sorted({name for task in tasks for name in task.scores}, key=_place)
    rows = [["task", "labels", "metric", *names]]
    rows += [
        [task.name, f"{task.labels:,}", metrics[task.metric].title, *(_cell(task, name) for name in names)]
        for task in tasks
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    table = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    said = [task for task in tasks if len(tasks) < _MANY or task.word != "useful"]
    verdicts = [f"{task.name}: {line}" for task in said for line in _sentences(task)]
    return [*table, *verdicts, *([f"all tasks: {overall}"] if len(tasks) > 1 else [])]


def _place(name: str) -> tuple[int, str]:
    return (_ORDER.index(name) if name in _ORDER else len(_ORDER), name)


def _cell(task: TaskVerdict, name: str) -> str:
    score = task.main(name)
    if score is None:
        return "-"
    return _with_interval(score, task.unit) if name == MODEL else shown(score.value, task.unit)


def _with_interval(score: Estimate, spread: float) -> str:
    value = shown(score.value, spread)
    if not np.isfinite(score.low):
        return value
    return f"{value} ({shown(score.low, spread)} to {shown(score.high, spread)})"


def _sentences(task: TaskVerdict) -> list[str]:
    left_out = [
        f"{counted(count, noun)} {which} left out of the scores"
        for count, noun, which in (
            (task.censored, "censored label", "(bounds such as <0.5)"),
            (task.unpredicted, "label", "without a prediction"),
        )
        if count
    ]
    return [task.sentence, *task.notes, *left_out]
