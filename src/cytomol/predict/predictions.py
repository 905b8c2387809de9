"""Answers to molecules, row by row, and the columns in which they are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.assays.answer_names import SUFFIXES
from cytomol.assays.encoding import Encoding
from cytomol.assays.labels import Task
from cytomol.errors import InputError
from cytomol.predict.evidence import NearestEvidence
from cytomol.predict.uncertainty.answer import UncertaintyAnswer, set_of_classes

__all__ = ["Predictions"]

_DIGITS = 6  # what comes after is rounding noise of 32-bit arithmetic


@dataclass(frozen=True)
class Predictions:
    """Answers to molecules, row by row.

    Attributes
    ----------
    columns
        Probabilities and values, NaN for invalid molecules, float64, shape (n, columns): one column for a
        task of two classes (probability of the second) or of values, one for each of three classes and more.
    errors
        Why a molecule is invalid; "" where it is valid, length n.
    encoding
        Which columns belong to which task.
    cutoffs
        Probability from which a molecule is said to be of the second class, shape (columns,).
    uncertainty
        How certain they are, where it was asked for.
    evidence
        The nearest molecules that were learnt from, where they were asked for.
    profile
        Which molecules were answered with a measured profile, bool, shape (n,); None where the model has
        learnt from none.
    """

    columns: NDArray[np.float64]
    errors: list[str]
    encoding: Encoding
    cutoffs: NDArray[np.float64]
    uncertainty: UncertaintyAnswer | None = None
    evidence: NearestEvidence | None = None
    profile: NDArray[np.bool_] | None = None

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks, in order."""
        return self.encoding.tasks

    @property
    def values(self) -> NDArray[np.float64]:
        """Return a number a task: probability of the second class, value, or place of the likeliest class.

        Shape (n, tasks).
        """
        return self.encoding.task_values(self.columns)

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Return the answers to consecutive molecules as one."""
        known = [part.uncertainty for part in parts if part.uncertainty is not None]
        near = [part.evidence for part in parts if part.evidence is not None]
        measured = [part.profile for part in parts if part.profile is not None]
        return cls(
            np.concatenate([part.columns for part in parts]),
            [error for part in parts for error in part.errors],
            parts[0].encoding,
            parts[0].cutoffs,
            UncertaintyAnswer.join(known) if known else None,
            NearestEvidence.join(near) if near else None,
            np.concatenate(measured) if measured else None,
        )

    def frame(self) -> pd.DataFrame:
        """Return a table with the columns of each task, then what concerns the molecule.

        A task of two classes has its probability under its own name and the class in NAME_class; one of
        three and more the class under its own name and each probability in NAME=CLASS; a value stands under
        its own name. A model that has learnt from measured profiles says in "profile" whether the molecule
        had one. Where uncertainty was asked for its columns follow (see :meth:`UncertaintyAnswer.frame`).
        """
        digits = self.digits
        known = None if self.uncertainty is None else self.uncertainty.frame(self.encoding.columns)
        table: dict[str, Any] = _Columns()
        values = self.values
        for at, (task, place) in enumerate(zip(self.tasks, self.encoding.places(), strict=True)):
            if task.kind == "multiclass":
                table[task.name] = _classes(task, values[:, at])
                if known is not None and self.uncertainty is not None:
                    places = range(place.start, place.stop)
                    table[f"{task.name}_set"] = set_of_classes(self.uncertainty, places, task.classes)
                    known = known.drop(columns=[f"{self.encoding.columns[c]}_set" for c in places])
            kind = "regression" if task.kind == "regression" else "classification"
            for column in range(place.start, place.stop):
                name = self.encoding.columns[column]
                table[name] = rounded(self.columns[:, column], int(digits[column]))
                if task.kind == "binary":
                    chosen = np.where(np.isnan(values[:, at]), np.nan, values[:, at] >= self.cutoffs[column])
                    table[f"{name}_class"] = _classes(task, chosen)
                if known is not None:
                    own = [f"{name}_{suffix}" for suffix in SUFFIXES[kind] if f"{name}_{suffix}" in known]
                    for each in own:
                        cells = _as_written(known.pop(each), int(digits[column]))
                        table[each] = _with_names(cells, task) if each == f"{name}_set" else cells
        if self.profile is not None:
            table["profile"] = np.where(self.profile, "measured", "none")
        parts = [pd.DataFrame(table)]
        if known is not None:
            parts.append(known.apply(lambda column: _as_written(column, _DIGITS)))
        if self.evidence is not None:
            classes = {task.name: task.classes for task in self.tasks if task.kind != "regression"}
            near = self.evidence.frame([task.name for task in self.tasks], classes)
            parts.append(near.apply(lambda column: _as_written(column, _DIGITS)))
        return pd.concat(parts, axis=1)

    @property
    def digits(self) -> NDArray[np.int64]:
        """Digits of each column that mean something, int64, shape (columns,): more if its spread is small."""
        with np.errstate(divide="ignore"):
            apart = np.log10(np.abs(self.encoding.center) / self.encoding.scale)
        return np.asarray(_DIGITS + np.ceil(np.clip(apart, 0, 9)), dtype=np.int64)


class _Columns(dict[str, Any]):
    """Columns of a table, each name once."""

    def __setitem__(self, name: str, values: Any) -> None:
        if name in self:
            raise InputError(
                f"two columns of the answer are called {name!r}",
                hint="predict with --no-uncertainty, or rename the task and fine-tune again",
            )
        super().__setitem__(name, values)


def rounded(values: NDArray[np.float64], digits: int) -> NDArray[np.float64]:
    """Return values with so many significant digits."""
    return np.array([float(f"{value:.{digits}g}") for value in values.tolist()], dtype=np.float64)


def _as_written(column: pd.Series[Any], digits: int) -> pd.Series[Any]:
    """Return a column with its numbers rounded."""
    if not pd.api.types.is_float_dtype(column.dtype):
        return column
    return pd.Series(rounded(column.to_numpy(), digits), index=column.index)


def _with_names(sets: pd.Series[Any], task: Task) -> pd.Series[Any]:
    """Return sets of 0 and 1 with the names of the classes."""
    first, second = task.classes
    names = {"0": first, "1": second, "0|1": f"{first}|{second}"}
    return sets.map(lambda text: names.get(text, text))


def _classes(task: Task, places: NDArray[np.float64]) -> pd.Series[Any]:
    """Return the names of classes by their places; missing where there is none."""
    names = [None if np.isnan(place) else task.classes[int(place)] for place in places]
    return pd.Series(names, dtype=object)
