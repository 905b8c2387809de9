"""What the models said of a fold's rows, as a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cytomol.files import atomic_file

__all__ = ["Answers"]


@dataclass(frozen=True)
class Answers:
    """Answers of models to rows that they had not seen, in the unit of the table.

    Attributes
    ----------
    models, seconds
        Names of the models, and how long each took to be fitted, shape (models,).
    kind, metric
        "classification" or "regression", and the metric that counts.
    held, held_labels
        Answers to rows that weights may be learnt on, shape (models, m, tasks), and their labels, (m, tasks).
    test, test_labels
        Answers to the test rows, and their labels, NaN where not measured.
    learnable
        Whether the training rows of a task teach anything, bool, shape (tasks,).
    rows
        Rows that were learnt from, chosen by and tested, int64, shape (3,).
    """

    models: NDArray[np.str_]
    seconds: NDArray[np.float64]
    kind: str
    metric: str
    held: NDArray[np.float64]
    held_labels: NDArray[np.float64]
    test: NDArray[np.float64]
    test_labels: NDArray[np.float64]
    learnable: NDArray[np.bool_]
    rows: NDArray[np.int64]

    def of(self, models: Sequence[str]) -> NDArray[np.int64]:
        """Return the places of some models, in the order of the file."""
        return np.flatnonzero(np.isin(self.models, list(models)))

    def write(self, path: Path) -> None:
        """Write them under a temporary name first."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path, force=True) as temporary, temporary.open("wb") as handle:
            np.savez_compressed(handle, **{each.name: getattr(self, each.name) for each in fields(self)})

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what :meth:`write` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            values = {each.name: arrays[each.name] for each in fields(cls)}
        return cls(**{**values, "kind": str(values["kind"]), "metric": str(values["metric"])})
