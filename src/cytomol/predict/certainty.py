"""How certain a predictor's answers are, for classes and values alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.chem.featurize import FeatureOptions
from cytomol.learners.matrix import below
from cytomol.learners.mixed import KINDS
from cytomol.predict.uncertainty import Uncertainty, UncertaintyAnswer, domain_fingerprints

__all__ = ["Certainty", "HeldOut"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class HeldOut:
    """What learners said of molecules that they were not fitted on.

    Attributes
    ----------
    predicted
        Probabilities and values in the unit of the table, shape (n, columns); NaN where there is none.
    members
        The same of each member of an ensemble, shape (members, n, columns).
    labels
        What was measured, NaN where nothing or only a bound was, shape (n, columns).
    """

    predicted: Matrix
    members: Matrix
    labels: Matrix

    def put(self, rows: NDArray[np.bool_], predicted: Matrix | float, members: Matrix | float) -> None:
        """Replace the answers of some rows, in place."""
        self.predicted[rows] = predicted
        self.members[:, rows] = members

    def take(self, rows: NDArray[np.int64]) -> HeldOut:
        """Return some rows."""
        return HeldOut(self.predicted[rows], self.members[:, rows], self.labels[rows])


@dataclass(frozen=True)
class Certainty:
    """The uncertainty of the columns that are classes, and of those that are values.

    Attributes
    ----------
    kinds
        "classification" or "regression" of each column, shape (columns,).
    parts
        Fitted uncertainty by kind.
    """

    kinds: NDArray[np.str_]
    parts: Mapping[str, Uncertainty]

    @classmethod
    def fit(
        cls,
        held: HeldOut,
        kinds: NDArray[np.str_],
        *,
        train_fingerprints: NDArray[np.uint8],
        seed: int = 0,
    ) -> Self:
        """Fit to held-out molecules; ``train_fingerprints`` are those of the molecules learnt from."""
        parts = {}
        for kind in KINDS:
            columns = np.flatnonzero(kinds == kind)
            if columns.size:
                parts[kind] = Uncertainty.fit(
                    held.predicted[:, columns],
                    held.members[:, :, columns],
                    held.labels[:, columns],
                    kind,
                    train_fingerprints=train_fingerprints,
                    seed=seed,
                )
        return cls(kinds, parts)

    @staticmethod
    def fingerprints(
        smiles: Sequence[str],
        options: FeatureOptions,
        *,
        workers: int | None = None,
        cache: Path | Literal["default"] | None = None,
    ) -> NDArray[np.uint8]:
        """Return what :meth:`answer` compares with the training molecules, uint8, shape (n, 256)."""
        return domain_fingerprints(smiles, options, workers=workers, cache=cache)

    def answer(
        self, predicted: Matrix, members: Matrix, fingerprints: NDArray[np.uint8], coverage: float = 0.9
    ) -> UncertaintyAnswer:
        """Return how certain predictions are; see :meth:`Uncertainty.answer`."""
        answers = {}
        for kind, part in self.parts.items():
            columns = np.flatnonzero(self.kinds == kind)
            own = members[: part.members][:, :, columns]
            answers[kind] = part.answer(predicted[:, columns], own, fingerprints, coverage)
        return UncertaintyAnswer.side_by_side(answers, self.kinds)

    def notes(self, names: Sequence[str], coverage: float = 0.9) -> list[str]:
        """Return what a user should know of the columns called ``names``."""
        lines = []
        for kind, part in self.parts.items():
            own = [name for name, other in zip(names, self.kinds, strict=True) if other == kind]
            lines += part.notes(own, coverage)
        return lines

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return a JSON-serialisable table, and arrays by name."""
        tables, arrays = {}, {}
        for kind, part in self.parts.items():
            tables[kind], own = part.state()
            arrays.update({f"{kind}.{name}": array for name, array in own.items()})
        return {"kinds": self.kinds.tolist(), "parts": tables}, arrays

    @classmethod
    def restore(cls, table: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Undo :meth:`state`."""
        parts = {
            kind: Uncertainty.restore(own, below(arrays, f"{kind}.")) for kind, own in table["parts"].items()
        }
        return cls(np.array(table["kinds"], dtype=str), parts)
