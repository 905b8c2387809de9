"""What is known about the certainty of predictions, row by row, and its columns in a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["UncertaintyAnswer", "uncertainty_columns"]

Matrix = NDArray[np.float64]

_SUFFIXES = {"classification": ("calibrated", "std", "set"), "regression": ("std", "low", "high")}
_SETS = np.array(["", "0", "1", "0|1"], dtype=object)


def uncertainty_columns(names: Sequence[str], kind: str) -> list[str]:
    """Return the columns that :meth:`UncertaintyAnswer.frame` has for these tasks."""
    return [*(f"{name}_{suffix}" for name in names for suffix in _SUFFIXES[kind]), "similarity", "in_domain"]


@dataclass(frozen=True)
class UncertaintyAnswer:
    """Certainty of predictions, row by row; NaN (False) for invalid molecules and untrained tasks.

    Attributes
    ----------
    kind
        "classification" or "regression".
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
        for the coverage; None in classification.
    p_values
        Conformal p-values of class 0 and class 1, float64, shape (n, tasks, 2); None in regression.
    contains
        Whether the set holds class 0 and class 1, bool, shape (n, tasks, 2); None in regression.
    similarity, mean_similarity
        Tanimoto coefficient with the nearest training molecule, and its mean over the 5 nearest,
        float32, shape (n,).
    in_domain
        Whether the nearest training molecule is near enough, bool, shape (n,).
    """

    kind: str
    coverage: float
    predicted: Matrix
    calibrated: Matrix
    spread: Matrix
    low: Matrix | None
    high: Matrix | None
    p_values: NDArray[np.float64] | None
    contains: NDArray[np.bool_] | None
    similarity: NDArray[np.float32]
    mean_similarity: NDArray[np.float32]
    in_domain: NDArray[np.bool_]

    def frame(self, names: Sequence[str]) -> pd.DataFrame:
        """Return a table of :func:`uncertainty_columns`.

        A set is written "0", "1", "0|1" or "" (empty); it is missing where there is no prediction.
        """
        columns: dict[str, Any] = {}
        for task, name in enumerate(names):
            if self.contains is not None:
                columns[f"{name}_calibrated"] = self.calibrated[:, task]
            columns[f"{name}_std"] = self.spread[:, task]
            if self.contains is not None:
                sets = _SETS[self.contains[:, task].astype(np.int64) @ np.array([1, 2])]
                sets[np.isnan(self.predicted[:, task])] = None
                columns[f"{name}_set"] = pd.Series(sets, dtype=object)
            if self.low is not None and self.high is not None:
                columns[f"{name}_low"], columns[f"{name}_high"] = self.low[:, task], self.high[:, task]
        columns["similarity"] = self.similarity.astype(np.float64)
        inside = pd.array(self.in_domain, dtype="boolean")
        inside[np.isnan(self.similarity)] = pd.NA
        columns["in_domain"] = inside
        return pd.DataFrame(columns)

    @classmethod
    def side_by_side(cls, parts: Mapping[str, Self], kinds: NDArray[np.str_]) -> Self:
        """Return the answers of the columns of each kind as one answer."""
        del kinds
        return next(iter(parts.values()))

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
