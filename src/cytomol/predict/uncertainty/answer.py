"""What is known about the certainty of predictions, row by row, and its columns in a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.assays.answer_names import OF_MOLECULE, SUFFIXES
from cytomol.predict.uncertainty.limits import DomainLimits, Word

__all__ = ["UncertaintyAnswer", "kinds_of", "set_of_classes", "uncertainty_columns"]

Matrix = NDArray[np.float64]

_SETS = np.array(["", "0", "1", "0|1"], dtype=object)


def kinds_of(kind: str | Sequence[str], tasks: int) -> tuple[str, ...]:
    """Return the kind of every task: one for all, or one for each."""
    return (kind,) * tasks if isinstance(kind, str) else tuple(kind)


def uncertainty_columns(names: Sequence[str], kind: str | Sequence[str]) -> list[str]:
    """Return the columns that :meth:`UncertaintyAnswer.frame` has for these tasks."""
    kinds = kinds_of(kind, len(names))
    of_tasks = [
        f"{name}_{suffix}" for name, one in zip(names, kinds, strict=True) for suffix in SUFFIXES[one]
    ]
    return [*of_tasks, *OF_MOLECULE]


def set_of_classes(
    answer: UncertaintyAnswer, columns: Sequence[int], classes: Sequence[str]
) -> list[str | None]:
    """Return for each row the classes "A|B" that are not ruled out in a task of several classes.

    Such a task is answered as one column of "this class or another" for each class; a class is in the set
    where its column does not rule out 1. Each column holds its class with the stated coverage, so the set
    holds the true class with it, whichever it is.

    Parameters
    ----------
    answer
        With those columns among its tasks.
    columns
        Their places, one for each class.
    classes
        Names of the classes.

    Returns
    -------
    list
        "" where every class is ruled out, None where there is no prediction; one for each row.
    """
    places = list(columns)
    missing: NDArray[np.bool_] = np.isnan(answer.predicted[:, places])
    sets: list[str | None] = []
    for row in range(len(missing)):
        held = [name for name, column in zip(classes, places, strict=True) if answer.contains[row, column, 1]]
        sets.append("|".join(held) if not missing[row].any() else None)
    return sets


@dataclass(frozen=True)
class UncertaintyAnswer:
    """Certainty of predictions, row by row; NaN (False) for invalid molecules and untrained tasks.

    Attributes
    ----------
    kinds
        "classification" or "regression" for each task.
    coverage
        Stated coverage of intervals and sets.
    predicted
        The predictions as the model gave them, float64, shape (n, tasks).
    calibrated
        Calibrated probabilities of class 1; in regression the predictions, float64, shape (n, tasks).
    spread
        Standard deviation of the members' answers (n - 1 below the line), in probability or the unit of
        the task, float64, shape (n, tasks); NaN if there is one member.
    low, high
        Bounds of the interval, float64, shape (n, tasks); infinite where the held-out rows were too few
        for the coverage; NaN in classification.
    p_values
        How far class 0 and class 1 are from being ruled out: a class is in the set where this is above 1 -
        coverage; float64, shape (n, tasks, 2); NaN in regression. See
        :func:`~cytomol.predict.uncertainty.class_sets.classes_not_ruled_out`.
    contains
        Whether the set holds class 0 and class 1, bool, shape (n, tasks, 2); False in regression.
    similarity, mean_similarity
        Tanimoto coefficient with the nearest training molecule, and its mean over the 5 nearest,
        float32, shape (n,).
    in_domain
        Whether the molecule is inside or at the edge of what the model knows, bool, shape (n,).
    limits
        Which similarities are inside, edge and outside.
    """

    kinds: tuple[str, ...]
    coverage: float
    predicted: Matrix
    calibrated: Matrix
    spread: Matrix
    low: Matrix
    high: Matrix
    p_values: NDArray[np.float64]
    contains: NDArray[np.bool_]
    similarity: NDArray[np.float32]
    mean_similarity: NDArray[np.float32]
    in_domain: NDArray[np.bool_]
    limits: DomainLimits

    @property
    def kind(self) -> str:
        """The kind of all tasks; "mixed" if they differ."""
        return self.kinds[0] if len(set(self.kinds)) == 1 else "mixed"

    @property
    def words(self) -> list[Word | None]:
        """Inside, edge or outside of what the model knows, one for each row; None for no molecule."""
        return self.limits.words(self.similarity)

    def frame(self, names: Sequence[str]) -> pd.DataFrame:
        """Return a table of :func:`uncertainty_columns`.

        A set is written "0", "1", "0|1" or "" (empty); it is missing where there is no prediction.
        """
        columns: dict[str, Any] = {}
        for task, (name, kind) in enumerate(zip(names, self.kinds, strict=True)):
            if kind == "classification":
                columns[f"{name}_calibrated"] = self.calibrated[:, task]
            columns[f"{name}_std"] = self.spread[:, task]
            if kind == "classification":
                sets = _SETS[self.contains[:, task].astype(np.int64) @ np.array([1, 2])]
                sets[np.isnan(self.predicted[:, task])] = None
                columns[f"{name}_set"] = pd.Series(sets, dtype=object)
            else:
                columns[f"{name}_low"], columns[f"{name}_high"] = self.low[:, task], self.high[:, task]
        columns["similarity"] = self.similarity.astype(np.float64)
        inside = pd.array(self.in_domain, dtype="boolean")
        inside[np.isnan(self.similarity)] = pd.NA
        columns["in_domain"] = inside
        columns["domain"] = pd.Series(self.words, dtype=object)
        columns["domain_reason"] = pd.Series(self.limits.reasons(self.similarity), dtype=object)
        return pd.DataFrame(columns)

    def spread_out(self, rows: NDArray[np.int64], n: int) -> Self:
        """Return an answer of n rows that has this one's rows at ``rows`` and nothing elsewhere."""

        def place(array: NDArray[Any]) -> NDArray[Any]:
            empty = False if array.dtype == np.bool_ else np.nan
            result = np.full((n, *array.shape[1:]), empty, dtype=array.dtype)
            result[rows] = array
            return result

        placed: dict[str, Any] = {name: place(array) for name, array in self._arrays().items()}
        return replace(self, **placed)

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Return the answers to consecutive rows as one."""
        arrays = [part._arrays() for part in parts]
        joined: dict[str, Any] = {name: np.concatenate([each[name] for each in arrays]) for name in arrays[0]}
        return replace(parts[0], **joined)

    def _arrays(self) -> dict[str, NDArray[Any]]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
