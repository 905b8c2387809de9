"""Predictions as rows of plain values, as a service answers them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from cytomol.assays.labels import Task
from cytomol.predict.evidence import NearestEvidence
from cytomol.predict.predictions import Predictions
from cytomol.predict.uncertainty.answer import UncertaintyAnswer

__all__ = ["plain_number", "predicted_rows"]

Row = dict[str, Any]
_DIGITS = 6
_SIGNS = {-1: "<", 0: "", 1: ">"}


def plain_number(value: float, digits: int = _DIGITS) -> float | None:
    """Return a number with so many significant digits; None where it is none or infinite.

    Examples
    --------
    >>> plain_number(1.23456789), plain_number(float("nan"))
    (1.23457, None)
    """
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None


def predicted_rows(predictions: Predictions, count: int | None = None) -> list[Row]:
    """Return a row for each molecule, in order: what each task is predicted to be, and what is known of it.

    The words are those of the columns of :meth:`Predictions.frame`, and the numbers have the same digits.

    Parameters
    ----------
    predictions
        The answers.
    count
        Only those to so many molecules, the first ones.
    """
    of_tasks = _task_writers(predictions)
    known, near, profile = predictions.uncertainty, predictions.evidence, predictions.profile
    words = [None] * len(predictions.errors) if known is None else known.words
    reasons = [None] * len(predictions.errors) if known is None else known.limits.reasons(known.similarity)
    neighbours = None if near is None else _neighbours(near, predictions.tasks)
    rows: list[Row] = []
    for place, error in enumerate(predictions.errors[:count]):
        if error:
            rows.append({"error": error})
            continue
        row: Row = {"error": None, "tasks": {name: write(place) for name, write in of_tasks.items()}}
        if profile is not None:
            row["profile"] = "measured" if profile[place] else "none"
        if known is not None:
            row["domain"], row["domain_reason"] = words[place], reasons[place]
            row["similarity"] = plain_number(float(known.similarity[place]))
        if neighbours is not None:
            row["nearest"] = neighbours[place]
        rows.append(row)
    return rows


def _task_writers(predictions: Predictions) -> dict[str, Callable[[int], Row]]:
    """Return for each task what writes its answer to a molecule, given the molecule's row."""
    digits = predictions.digits.tolist()
    places = zip(predictions.tasks, predictions.encoding.places(), strict=True)
    return {
        task.name: _writer(predictions, task, list(range(place.start, place.stop)), digits[place.start])
        for task, place in places
    }


def _writer(predictions: Predictions, task: Task, columns: list[int], digits: int) -> Callable[[int], Row]:
    known, values, first = predictions.uncertainty, predictions.columns, columns[0]
    cutoff = float(predictions.cutoffs[first])

    def regression(row: int) -> Row:
        answer: Row = {"kind": "regression", "value": plain_number(values[row, first], digits)}
        if known is not None:
            answer |= {
                name: plain_number(table[row, first], digits)
                for name, table in (("std", known.spread), ("low", known.low), ("high", known.high))
            }
        return answer

    def binary(row: int) -> Row:
        likely = values[row, first]
        named = None if math.isnan(likely) else task.classes[int(likely >= cutoff)]
        answer: Row = {"kind": "binary", "probability": plain_number(likely, digits), "class": named}
        if known is not None:
            answer |= _certainty(known, row, first, digits)
            held = zip(task.classes, known.contains[row, first], strict=True)
            answer["set"] = None if math.isnan(likely) else [name for name, there in held if there]
        return answer

    def multiclass(row: int) -> Row:
        likely = values[row, columns]
        missing = any(map(math.isnan, likely))
        by_class = {
            name: {
                "probability": plain_number(values[row, column], digits),
                **({} if known is None else _certainty(known, row, column, digits)),
            }
            for name, column in zip(task.classes, columns, strict=True)
        }
        named = None if missing else task.classes[int(likely.argmax())]
        answer: Row = {"kind": "multiclass", "class": named, "classes": by_class}
        if known is not None:
            held = zip(task.classes, columns, strict=True)
            answer["set"] = None if missing else [n for n, column in held if known.contains[row, column, 1]]
        return answer

    return {"regression": regression, "binary": binary, "multiclass": multiclass}[task.kind]


def _certainty(known: UncertaintyAnswer, row: int, column: int, digits: int) -> Row:
    return {
        "calibrated": plain_number(known.calibrated[row, column], digits),
        "std": plain_number(known.spread[row, column], digits),
    }


def _neighbours(near: NearestEvidence, tasks: tuple[Task, ...]) -> list[list[Row]]:
    """Return the nearest training molecules of each molecule, the nearest first, with what was measured."""
    evidence = near.evidence
    found: list[list[Row]] = []
    for rows, alike in zip(near.rows.tolist(), near.similarity.tolist(), strict=True):
        found.append(
            [
                {
                    "id": evidence.ids[row],
                    "smiles": evidence.smiles[row],
                    "similarity": plain_number(similarity),
                    "measured": {
                        task.name: _measured(
                            task, float(evidence.measured[row, at]), int(evidence.bounds[row, at])
                        )
                        for at, task in enumerate(tasks)
                    },
                }
                for row, similarity in zip(rows, alike, strict=True)
                if row >= 0
            ]
        )
    return found


def _measured(task: Task, value: float, bound: int) -> float | str | None:
    """Return a measured value: a number, a class, or a bound as it is written; None where not measured."""
    if math.isnan(value):
        return None
    if task.kind != "regression":
        return task.classes[int(value)]
    return f"{_SIGNS[bound]}{value:.15g}" if bound else plain_number(value)
